//! A PAC: whatever its header says, what is read of it lies in it, and what is signed of it is all of it.
#![no_main]

use countersign_token::pac::{BufferType, Pac, SignatureData};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(pac) = Pac::parse(data) else { return };
    assert!(pac.buffers().count() <= Pac::MAX_BUFFERS);
    let mut covered = 0;
    for buffer in pac.buffers() {
        assert!(buffer.offset.is_multiple_of(8));
        assert_eq!(&data[buffer.offset..][..buffer.data.len()], buffer.data);
        covered += buffer.data.len();
    }
    assert!(covered <= data.len());

    for kind in SignatureData::TYPES {
        if let Ok(Some(found)) = pac.signature(kind) {
            assert!(found.signature.len() <= pac.buffer(kind).map_or(0, <[u8]>::len));
        }
    }
    // What is covered is the PAC, but for zeros where signatures are.
    for parts in [pac.server_signed(), pac.fully_signed()]
        .into_iter()
        .flatten()
    {
        let signed = parts.as_slice().concat();
        assert_eq!(signed.len(), data.len());
        for (at, (signed, sent)) in signed.iter().zip(data).enumerate() {
            let hidden = SignatureData::TYPES
                .into_iter()
                .flat_map(|kind| {
                    pac.buffers()
                        .filter(move |buffer| buffer.buffer_type == kind)
                })
                .any(|buffer| (buffer.offset + 4..buffer.offset + buffer.data.len()).contains(&at));
            assert!(signed == sent || (hidden && *signed == 0));
        }
    }
    let _ = (pac.client_info(), pac.requestor(), pac.attributes());
    if let Ok(Some(info)) = pac.upn_dns_info() {
        assert!(
            info.upn.as_bytes().len()
                <= pac.buffer(BufferType::UPN_DNS_INFO).map_or(0, <[u8]>::len)
        );
    }
    let _ = (pac.logon_info(), pac.delegation_info());
});
