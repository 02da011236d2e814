//! What people see of a PAC.

#![allow(clippy::unwrap_used, reason = "it is a test")]

mod common;

use countersign_token::describe::{self, Line};

fn text(token: &[u8]) -> String {
    describe::tree(token)
        .iter()
        .map(|line| format!("{line}\n"))
        .collect()
}

fn errors(lines: &[Line]) -> Vec<&Line> {
    lines.iter().filter(|line| line.error.is_some()).collect()
}

/// MS-PAC: alone, and where a ticket has it.
#[test]
fn a_pac_is_shown_by_what_it_says() {
    use countersign_token::der::{Decode, Encode, SequenceOf};
    use countersign_token::kerberos::{AuthorizationData, AuthorizationDataEntry, EncTicketPart};
    let pac = common::pac::windows_2003();
    let element = |ad_type: i32, ad_data: &[u8]| {
        let entry = [AuthorizationDataEntry { ad_type, ad_data }];
        SequenceOf::new(&entry).to_der()
    };
    let data = element(1, &element(128, &pac));
    let part = common::enc_ticket_part();
    let part = EncTicketPart {
        authorization_data: Some(AuthorizationData::from_der(&data).unwrap()),
        ..EncTicketPart::from_der(&part).unwrap()
    };
    for token in [pac.clone(), part.to_der()] {
        let lines = describe::tree(&token);
        assert!(errors(&lines).is_empty(), "{}", text(&token));
        let text = text(&token);
        for part in [
            "PAC: 4 buffers",
            "EffectiveName: \"W2003FINAL$\"",
            "user: S-1-5-21-3048156945-3961193616-3706469200-1005",
            "group: S-1-5-21-3048156945-3961193616-3706469200-516 (0x7)",
            "extra SID: S-1-5-9 (0x7)",
            "PAC_CLIENT_INFO: \"w2003final$\", authtime 1120440609",
            "server signature: -138 hmac-md5, 16 bytes 37d5b0f7",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
    // What is broken is marked where it is.
    let mut broken = pac;
    broken[0x8c] = 0x15;
    let lines = describe::tree(&broken);
    let errors = errors(&lines);
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].error.unwrap().offset(), 0x8c);
}

/// MS-PAC §2.9, §2.10, §2.14 and §2.15, and resource groups.
#[test]
fn the_buffers_that_windows_added_to_a_pac_are_shown() {
    use common::pac::*;
    let server = [&16_i32.to_le_bytes()[..], &[7; 12]].concat();
    let kdc = [&15_i32.to_le_bytes()[..], &[8; 12], &[9, 0]].concat();
    let ticket = [&99_i32.to_le_bytes()[..], &[6; 4]].concat();
    let pac = container(&[
        (1, &logon_info_with_resource_group()),
        (6, &server),
        (7, &kdc),
        (11, &delegation_info()),
        (12, &upn_dns_info()),
        (16, &ticket),
        (17, b"\x02\0\0\0\x01\0\0\0"),
        (18, &requestor()),
        (0x77, b"what?"),
    ]);
    assert!(errors(&describe::tree(&pac)).is_empty(), "{}", text(&pac));
    let shown = text(&pac);
    for part in [
        "PAC: 9 buffers",
        "    FullName: \"Ab\"\n",
        "group: S-1-5-21-3048156945-3961193616-3706469200-516 (0x7)",
        "    UserFlags: 0x220\n",
        "extra SID: S-1-5-9 (0x7)",
        "    resource group: S-1-5-21-7-8-9-1110 (0x20000007)\n",
        "  server signature: 16 hmac-sha1-96-aes256, 12 bytes 070707070707070707070707\n",
        ", 12 bytes 080808080808080808080808, read-only domain controller 9\n",
        "  S4U_DELEGATION_INFO: to \"a\" through [\"b\"]\n",
        "  UPN_DNS_INFO\n",
        "    Upn: \"ab\"\n",
        "    DnsDomainName: \"c\"\n",
        "    Flags: 0x2\n",
        "    SamName: \"d\"\n",
        "    Sid: S-1-5-21-1-2-3-1105\n",
        "  ticket signature: 99 unknown, 4 bytes 06060606\n",
        "  PAC_ATTRIBUTES_INFO: 0x1 of 2 bits\n",
        "  PAC_REQUESTOR: S-1-5-21-1-2-3-1105\n",
        "  buffer of type 0x77: 5 bytes 77686174",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
}

/// A line tells that there are more, whichever part of a token has them.
#[test]
fn a_pac_of_more_groups_than_lines_says_that_not_all_are_shown() {
    use common::pac::{container, logon_info_with_groups};
    for (groups, whole) in [(100, true), (describe::MAX_LINES + 1, false)] {
        let pac = container(&[(1, &logon_info_with_groups(groups))]);
        let lines = describe::tree(&pac);
        assert!(errors(&lines).is_empty());
        let shown = lines.iter().filter(|line| line.label == "group").count();
        let more = lines.iter().filter(|line| line.label == "more").count();
        assert_eq!((shown == groups, more), (whole, usize::from(!whole)));
        assert!(lines.len() <= describe::MAX_LINES + 1);
    }
}
