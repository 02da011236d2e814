//! PACs: a published one, and what is wrong with others.

#![allow(clippy::unwrap_used, reason = "it is a test")]

use countersign_token::pac::{BufferType, FileTime, GroupAttributes, Pac, Sid};

/// The PAC that Samba, Heimdal and MIT krb5 test with.
fn windows_2003() -> Vec<u8> {
    include_str!("files/windows-2003.pac.hex")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .flat_map(|line| line.as_bytes().chunks(2))
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn sid(text: &str) -> Sid {
    text.parse().unwrap()
}

#[test]
fn a_published_pac_says_what_its_publishers_say() {
    let bytes = windows_2003();
    let pac = Pac::parse(&bytes).unwrap();
    let types: Vec<_> = pac.buffers().map(|buffer| buffer.buffer_type.0).collect();
    assert_eq!(types, [1, 10, 6, 7]);

    let info = pac.logon_info().unwrap().unwrap();
    let domain = sid("S-1-5-21-3048156945-3961193616-3706469200");
    assert!(info.effective_name == "W2003FINAL$");
    assert!(info.logon_server == "W2003FINAL" && info.logon_domain_name == "WIN2K3THINK");
    assert!(info.full_name.is_empty() && info.home_directory_drive.is_empty());
    assert_eq!((info.user_id, info.primary_group_id), (1005, 516));
    assert_eq!(info.user_sid(), domain.with_rid(1005));
    assert_eq!((info.logon_count, info.bad_password_count), (101, 0));
    assert_eq!(info.logoff_time, FileTime::NEVER);
    assert_eq!(info.user_account_control, 0x2100);
    let groups: Vec<_> = info.group_ids.iter().collect();
    assert_eq!(groups.len(), info.group_ids.len());
    assert_eq!(groups[0].relative_id, Sid::RID_DOMAIN_CONTROLLERS);
    assert_eq!(groups[0].attributes, GroupAttributes(7));
    let extra: Vec<_> = info.extra_sids.iter().collect();
    assert_eq!(extra.len(), 1);
    assert_eq!(extra[0].sid, Sid::ENTERPRISE_DOMAIN_CONTROLLERS);
    assert!(info.resource_group_ids.is_empty() && info.resource_group_domain_sid.is_none());

    let client = pac.client_info().unwrap().unwrap();
    assert!(client.name == "w2003final$");
    assert_eq!(client.client_id.unix_seconds(), Some(1_120_440_609));

    let server = pac
        .signature(BufferType::SERVER_SIGNATURE)
        .unwrap()
        .unwrap();
    assert_eq!((server.signature_type, server.signature.len()), (-138, 16));
    assert_eq!(server.rodc_identifier, None);
    assert_eq!(pac.kdc_signed(), Some(server.signature));
    for absent in [BufferType::TICKET_SIGNATURE, BufferType::FULL_SIGNATURE] {
        assert_eq!(pac.signature(absent), Ok(None));
    }
}

#[test]
fn what_is_signed_is_the_pac_with_zeros_for_signatures() {
    let bytes = windows_2003();
    let pac = Pac::parse(&bytes).unwrap();
    let mut expected = bytes.clone();
    expected[0x244..0x254].fill(0);
    expected[0x25c..0x26c].fill(0);
    assert_eq!(pac.server_signed().unwrap().as_slice().concat(), expected);
    assert_eq!(pac.fully_signed().unwrap().as_slice().concat(), expected);
}
