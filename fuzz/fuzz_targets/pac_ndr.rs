//! The serialized structures of a PAC, behind a header that is always right.
#![no_main]

use countersign_token::pac::{Pac, Sid};
use libfuzzer_sys::fuzz_target;

/// A PAC of one buffer.
fn container(kind: u32, data: &[u8]) -> Vec<u8> {
    let mut pac = vec![1, 0, 0, 0, 0, 0, 0, 0];
    pac.extend(kind.to_le_bytes());
    pac.extend(u32::try_from(data.len()).unwrap_or(0).to_le_bytes());
    pac.extend(24_u64.to_le_bytes());
    pac.extend(data);
    pac
}

fuzz_target!(|data: &[u8]| {
    let bytes = container(1, data);
    let pac = Pac::parse(&bytes).expect("a right header");
    if let Ok(Some(info)) = pac.logon_info() {
        let groups = info.group_ids.iter().count() + info.resource_group_ids.iter().count();
        let extra: Vec<Sid> = info.extra_sids.iter().map(|extra| extra.sid).collect();
        assert_eq!(extra.len(), info.extra_sids.len());
        // No count allocates or repeats more than there are bytes for.
        assert!(groups * 8 + extra.len() * 20 <= data.len());
        for sid in extra
            .iter()
            .chain(&info.logon_domain_id)
            .chain(&info.user_sid())
        {
            assert_eq!(Sid::from_bytes(sid.to_bytes().as_slice()), Ok(*sid));
            assert_eq!(sid.to_string().parse(), Ok(*sid));
        }
        for text in [info.effective_name, info.full_name, info.logon_domain_name] {
            let units: Vec<u8> = String::from(text)
                .encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect();
            assert_eq!(units, text.as_bytes());
        }
    }
    let bytes = container(11, data);
    let pac = Pac::parse(&bytes).expect("a right header");
    if let Ok(Some(info)) = pac.delegation_info() {
        let services = info.transited_services;
        assert_eq!(services.iter().count(), services.len());
        assert!(services.len() * 8 <= data.len());
    }
});
