//! PACs: what a published one says, and buffers that it does not have.

#![allow(clippy::unwrap_used, reason = "it is a test")]

mod common;

use common::pac::{
    container, delegation_info, logon_info_with_resource_group, requestor, windows_2003,
};
use countersign_token::DecodeErrorKind;
use countersign_token::pac::{BufferType, FileTime, GroupAttributes, Pac, Sid, UserFlags, Utf16};

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
    // There, and no signature.
    assert_eq!(pac.signature(BufferType::CLIENT_INFO), Ok(None));
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

/// MS-PAC §2.5.
#[test]
fn a_logon_info_has_the_groups_of_the_domain_of_the_service() {
    let data = logon_info_with_resource_group();
    let bytes = container(&[(1, &data)]);
    let info = Pac::parse(&bytes).unwrap().logon_info().unwrap().unwrap();
    assert!(info.full_name == "Ab" && info.effective_name == "W2003FINAL$");
    assert!(info.user_flags.contains(UserFlags::RESOURCE_GROUPS));
    assert!(!info.user_flags.contains(UserFlags::GUEST));
    assert_eq!(info.resource_group_domain_sid, Some(sid("S-1-5-21-7-8-9")));
    let groups: Vec<_> = info.resource_group_ids.iter().collect();
    assert_eq!(
        (groups.len(), info.resource_group_ids.is_empty()),
        (1, false)
    );
    assert_eq!(groups[0].relative_id, 1110);
    assert!(groups[0].attributes.contains(GroupAttributes::RESOURCE));
    assert!(!info.extra_sids.is_empty());
    // Less than 8 bytes behind the structure are padding, more are not.
    for (added, sound) in [(0, true), (4, true), (7, true), (8, false)] {
        let padded = [&data[..], &vec![0; added]].concat();
        let bytes = container(&[(1, &padded)]);
        let read = Pac::parse(&bytes).unwrap().logon_info();
        let refused = DecodeErrorKind::TrailingData;
        assert_eq!(read.is_ok(), sound);
        if let Err(error) = read {
            assert_eq!((error.kind(), error.offset()), (refused, 24 + data.len()));
        }
    }
}

/// MS-PAC §2.5: an account whose UserId is zero is told by the first of the ExtraSids.
#[test]
fn an_account_of_another_domain_is_the_first_extra_sid() {
    let mut bytes = windows_2003();
    let domain = sid("S-1-5-21-3048156945-3961193616-3706469200");
    let user = |bytes: &[u8]| {
        Pac::parse(bytes)
            .unwrap()
            .logon_info()
            .unwrap()
            .unwrap()
            .user_sid()
    };
    assert_eq!(user(&bytes), domain.with_rid(1005));
    bytes[0xc0..0xc4].fill(0);
    assert_eq!(user(&bytes), Some(Sid::ENTERPRISE_DOMAIN_CONTROLLERS));
}

/// MS-DTYP §2.3.10: a string whose pointer is null has no characters behind the structure.
#[test]
fn a_string_behind_a_null_pointer_is_empty() {
    const FULL_NAME: (usize, usize) = (0x98 - 0x48, 0x158 - 0x48);
    let mut info = windows_2003()[0x48..0x21c].to_vec();
    info[FULL_NAME.0..FULL_NAME.0 + 4].fill(0);
    info.drain(FULL_NAME.1..FULL_NAME.1 + 12);
    let length = u32::try_from(info.len() - 16).unwrap();
    info[8..12].copy_from_slice(&length.to_le_bytes());
    let bytes = container(&[(1, &info)]);
    let read = Pac::parse(&bytes).unwrap().logon_info().unwrap().unwrap();
    assert!(read.full_name.is_empty() && read.effective_name == "W2003FINAL$");
    assert!(read.logon_server == "W2003FINAL");
}

#[test]
fn a_delegation_counts_its_services_and_prints_them() {
    let data = delegation_info();
    let bytes = container(&[(11, &data), (18, &requestor())]);
    let pac = Pac::parse(&bytes).unwrap();
    assert_eq!(format!("{pac:?}"), "[BufferType(11), BufferType(18)]");
    let info = pac.delegation_info().unwrap().unwrap();
    let services = info.transited_services;
    assert_eq!((services.len(), services.is_empty()), (1, false));
    assert_eq!(format!("{services:?}"), "[\"b\"]");
    assert_eq!(
        Pac::parse(&windows_2003()).unwrap().delegation_info(),
        Ok(None)
    );
}

/// Every type that MS-PAC §2.4 lists has the name of its structure, and no other has one.
#[test]
fn the_types_of_buffers_have_names_of_their_own() {
    let mut names: Vec<_> = (0..=0x100)
        .filter_map(|kind| BufferType(kind).name())
        .collect();
    assert_eq!(names.len(), 14);
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 14);
    assert_eq!(
        BufferType::CREDENTIALS_INFO.name(),
        Some("PAC_CREDENTIAL_INFO")
    );
    assert_eq!(BufferType(5).name(), None);
}

/// MS-DTYP §2.3.10.
#[test]
fn text_of_whole_characters_is_read_and_printed_escaped() {
    for (bytes, text) in [
        (&b""[..], ""),
        (b"a\0\xe9\0", "a\u{e9}"),
        (b"\x3d\xd8\x11\xdd", "\u{1f511}"),
        (b"a\0\n\0", "a\n"),
    ] {
        let read = Utf16::new(bytes).unwrap();
        assert!(read == text && read != "b");
        assert_eq!((read.as_bytes(), read.is_empty()), (bytes, text.is_empty()));
        assert_eq!(
            (read.to_string(), String::from(read)),
            (text.into(), text.into())
        );
        assert_eq!(format!("{read:?}"), format!("{text:?}"));
    }
    for bytes in [&b"a"[..], b"\x3d\xd8", b"\x11\xdd\x3d\xd8"] {
        let error = Utf16::new(bytes).unwrap_err();
        assert_eq!(
            (error.offset(), error.kind()),
            (0, DecodeErrorKind::MalformedUtf16)
        );
    }
}
