//! What people see of a token.

#![allow(clippy::unwrap_used, reason = "it is a test")]

mod common;

use common::kinds;
use countersign_token::describe::{self, Line};
use countersign_token::framing::InitialToken;
use countersign_token::kerberos::gss_token::TokenId;
use countersign_token::oid::Oid;

fn text(token: &[u8]) -> String {
    describe::tree(token)
        .iter()
        .map(|line| format!("{line}\n"))
        .collect()
}

fn errors(lines: &[Line]) -> Vec<&Line> {
    lines.iter().filter(|line| line.error.is_some()).collect()
}

#[test]
fn every_message_is_shown_by_the_names_of_its_fields_without_an_error() {
    // These are neither DER nor tokens of their own.
    let parts = ["GSS checksum", "SEC_CHANNEL_BINDINGS", "KERB-EXT-ERROR"];
    for kind in kinds()
        .into_iter()
        .filter(|kind| !parts.contains(&kind.name))
    {
        let token = (kind.sample)();
        let lines = describe::tree(&token);
        assert!(errors(&lines).is_empty(), "{}: {}", kind.name, text(&token));
        // What has a tag of its own is recognised by it: no line says "[3]" or "SEQUENCE".
        if kind.fields && token[0] & 0xe0 == 0x60 {
            assert_eq!(lines[0].label, kind.name);
            for line in &lines {
                assert!(
                    !line.label.starts_with('[') && line.label != "SEQUENCE",
                    "{line}"
                );
            }
        }
    }
}

#[test]
fn a_framed_ap_request_is_shown_with_its_frame_and_offsets() {
    let token = common::gss_token();
    let text = text(&token);
    let expected = "     0  GSS-API token: Kerberos 5 (1.2.840.113554.1.2.2)
     4    thisMech: 1.2.840.113554.1.2.2
    15    TOK_ID: 01 00 AP-REQ
    17    AP-REQ
    25      pvno: 5
    30      msg-type: 14 AP-REQ
    35      ap-options: 0x20000000 MUTUAL_REQUIRED
    44      ticket: Ticket
    56        tkt-vno: 5
    61        realm: \"EXAMPLE.COM\"
";
    assert!(text.starts_with(expected), "{text}");
}

#[test]
fn lines_come_in_the_order_of_the_bytes_and_a_delegation_is_opened() {
    let token = common::authenticator();
    let lines = describe::tree(&token);
    assert!(lines.is_sorted_by_key(|line| line.offset));
    let labels: Vec<_> = lines.iter().map(|line| line.label.as_str()).collect();
    for label in ["Bnd", "Flags", "Deleg", "KRB-CRED", "Ext", "subkey"] {
        assert!(labels.contains(&label), "{label}");
    }
}

#[test]
fn keys_and_protected_data_are_not_shown() {
    for (token, secret) in [
        (common::enc_ticket_part(), "5a5a"),
        (common::authenticator(), "5a5a"),
        (common::enc_krb_cred_part(), "5a5a"),
        (common::enc_krb_priv_part(), "6d657373616765"),
    ] {
        assert!(token.windows(2).any(|w| w == [0x5a, 0x5a] || w == *b"me"));
        let text = text(&token);
        assert!(
            text.contains("not shown") && !text.contains(secret),
            "{text}"
        );
    }
}

#[test]
fn per_message_tokens_are_shown_with_their_headers() {
    let wrap = text(&common::wrap());
    assert!(
        wrap.contains("     2    Flags: 0x06 Sealed AcceptorSubkey"),
        "{wrap}"
    );
    assert!(
        wrap.contains("     4    EC: 16\n     6    RRC: 28\n"),
        "{wrap}"
    );
    let mic = text(&common::mic());
    assert!(mic.starts_with("     0  MIC token: 28 bytes\n"), "{mic}");
    let old = InitialToken::encode(Oid::KERBEROS, &[&common::rfc1964()]);
    let old = text(&old);
    assert!(
        old.contains("Wrap (RFC 1964)") && old.contains("SEAL_ALG: 0x0010"),
        "{old}"
    );
}

#[test]
fn a_cut_message_is_shown_up_to_the_cut_with_the_reason() {
    let token = common::gss_token();
    for end in 1..token.len() {
        let lines = describe::tree(&token[..end]);
        let errors = errors(&lines);
        assert!(!errors.is_empty(), "cut at {end}");
        assert!(
            errors
                .iter()
                .all(|line| line.error.unwrap().offset() <= end)
        );
    }
    assert!(errors(&describe::tree(&token)).is_empty());
}

/// The walk alone sees nothing wrong with a wrong message type; the typed decoder does.
#[test]
fn what_only_the_typed_decoder_refuses_is_marked_at_its_line() {
    let mut token = common::ap_req();
    let place = token
        .windows(5)
        .position(|w| w == [0xa1, 3, 2, 1, 14])
        .unwrap();
    token[place + 4] = 15;
    let lines = describe::tree(&token);
    let errors = errors(&lines);
    assert_eq!(errors.len(), 1);
    assert_eq!(
        (errors[0].offset, errors[0].label.as_str()),
        (place, "msg-type")
    );
}

#[test]
fn a_message_with_its_length_as_on_tcp_is_recognised() {
    let message = common::as_req();
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    let lines = describe::tree(&[&length[..], &message].concat());
    assert_eq!(
        (lines[0].label.as_str(), lines[1].label.as_str()),
        ("TCP length", "AS-REQ")
    );
    assert!(errors(&lines).is_empty());
}

#[test]
fn a_bare_identified_message_is_recognised() {
    let token = [&TokenId::KrbError.to_bytes()[..], &common::krb_error()].concat();
    let text = text(&token);
    assert!(text.contains("TOK_ID: 03 00 KRB-ERROR"), "{text}");
    assert!(
        text.contains("error-code: 25 KDC_ERR_PREAUTH_REQUIRED"),
        "{text}"
    );
    assert!(text.contains("padata-type: 19 PA-ETYPE-INFO2"), "{text}");
    assert!(text.contains("salt: \"EXAMPLE.COMuser\""), "{text}");
}

#[test]
fn padata_of_the_extensions_is_opened() {
    use countersign_token::der::{Decode, Encode, SequenceOf};
    use countersign_token::kerberos::{AsRep, PaData};
    let padata = [
        (136, common::extensions::fx_fast_reply()),
        (129, common::extensions::pa_for_user()),
        (128, common::extensions::pa_pac_request()),
        (167, common::extensions::pa_pac_options()),
        (130, common::extensions::pa_s4u_x509_user()),
        (134, common::extensions::authentication_set()),
    ];
    let padata: Vec<_> = padata
        .iter()
        .map(|(padata_type, value)| PaData {
            padata_type: *padata_type,
            padata_value: value,
        })
        .collect();
    let reply = common::as_rep();
    let mut reply = AsRep::from_der(&reply).unwrap();
    reply.0.padata = Some(SequenceOf::new(&padata));
    let text = text(&reply.to_der());
    for part in [
        "PA-FX-FAST-REPLY\n",
        "enc-fast-rep\n",
        "userName\n",
        "include-pac: true",
        "flags: 0xc0000000 CLAIMS BRANCH_AWARE",
        "options: 0x20000000 USE_REPLY_KEY_USAGE",
        "pa-type: 138 PA-ENCRYPTED-CHALLENGE",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn user_to_user_iakerb_proxied_and_password_messages_are_recognised() {
    use common::extensions as samples;
    let request = InitialToken::encode(
        Oid::KERBEROS_USER_TO_USER,
        &[&TokenId::TgtReq.to_bytes(), &samples::tgt_req()],
    );
    let reply = [&TokenId::TgtRep.to_bytes()[..], &samples::tgt_rep()].concat();
    for (token, parts) in [
        (
            request,
            &[
                "KERB-TGT-REQUEST",
                "server-name",
                "msg-type: 16 KERB-TGT-REQUEST",
            ][..],
        ),
        (
            reply,
            &["TOK_ID: 04 01 TGT-REP", "KERB-TGT-REPLY", "ticket: Ticket"],
        ),
        (
            samples::iakerb_token(),
            &["IAKERB-HEADER", "target-realm", "AS-REQ", "till"],
        ),
        (
            samples::kdc_proxy_message(),
            &["kerb-message", "TCP length", "AS-REQ", "target-domain"],
        ),
        (
            samples::kpasswd_request(),
            &["version: 0xff80", "AP-REQ\n", "KRB-PRIV"],
        ),
        (
            samples::kpasswd_reply(),
            &["version: 0x0001", "AP-REP\n", "KRB-PRIV"],
        ),
    ] {
        let lines = describe::tree(&token);
        let text = text(&token);
        assert!(errors(&lines).is_empty(), "{text}");
        for part in parts {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
}

/// RFC 4178 §4.2, MS-SPNG §2.2.1.
#[test]
fn spnego_is_shown_with_the_token_inside() {
    let init = [
        "GSS-API token: SPNEGO (1.3.6.1.5.5.2)",
        "SPNEGO: NegTokenInit\n",
        "mechType: Kerberos 5 (1.2.840.113554.1.2.2)",
        "reqFlags: 0x42000000 MUTUAL INTEG",
        "mechToken: ",
        "GSS-API token: Kerberos 5",
        "ap-options: 0x20000000 MUTUAL_REQUIRED",
        "mechListMIC: 28 bytes",
        "MIC token: 28 bytes",
    ];
    let init2 = [
        "SPNEGO: NegTokenInit2\n",
        "negHints\n",
        "hintName: \"not_defined_in_RFC4178@please_ignore\"",
        "mechListMIC: 28 bytes",
    ];
    let resp = [
        "SPNEGO: NegTokenResp\n",
        "negState: 1 accept-incomplete",
        "supportedMech: NTLM (1.3.6.1.4.1.311.2.2.10)",
        "responseToken: ",
        "NTLM message: CHALLENGE",
        "MsvAvDnsComputerName: \"server.example.com\"",
        "NTLM signature: 16 bytes",
        "SeqNum: 0",
    ];
    for (token, parts) in [
        (common::spnego::init(), &init[..]),
        (common::spnego::init2(), &init2),
        (common::spnego::resp(), &resp),
    ] {
        let text = text(&token);
        for part in parts {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
}

/// RFC 4178 §4.2.2 has four states; the walk alone takes any number.
#[test]
fn what_only_the_typed_decoder_of_spnego_refuses_is_marked_at_its_line() {
    let token = [0xa1, 7, 0x30, 5, 0xa0, 3, 0x0a, 1, 3];
    assert!(errors(&describe::tree(&token)).is_empty());
    let token = [0xa1, 7, 0x30, 5, 0xa0, 3, 0x0a, 1, 4];
    let lines = describe::tree(&token);
    let errors = errors(&lines);
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].label, "negState");
}

/// MS-NLMP §2.2.1.3.
#[test]
fn a_message_of_ntlm_is_shown_by_its_fields_flags_and_pairs_without_its_responses() {
    let token = common::ntlm::example("Windows AUTHENTICATE");
    let expected = "     0  NTLM message: AUTHENTICATE, 552 bytes
    60    NegotiateFlags: 0xa2888205 NEGOTIATE_UNICODE REQUEST_TARGET NEGOTIATE_NTLM \
        ALWAYS_SIGN EXTENDED_SESSIONSECURITY TARGET_INFO VERSION NEGOTIATE_128 NEGOTIATE_56
    64    Version: 6.1.7600 (revision 15)
    72    MIC: 16 bytes f054a542b090b66c1fea1a2cc82e930b
    88    DomainName: \"WS2008R2\"
   104    UserName: \"Administrator\"
   130    Workstation: \"WIN7-2-PC\"
   148    LmChallengeResponse: 24 bytes of 0
   172    NtChallengeResponse: NTLMv2, 380 bytes
   172      NTProofStr: 16 bytes, not shown
   196      TimeStamp: 1355937036
   204      ChallengeFromClient: 8 bytes 27fc118082c2fbdd
   216      AvPairs: 10 pairs
   216        MsvAvNbDomainName: \"WS2008R2\"
";
    let shown = text(&token);
    assert!(shown.starts_with(expected), "{shown}");
    for part in [
        "   382        MsvAvTimestamp: 1355937036\n",
        "   394        MsvAvFlags: 0x2 MIC_PROVIDED\n",
        "MsvAvSingleHost: custom data 8 bytes 0100000000200000, machine 32 bytes 4d6b0d27",
        "MsvAvChannelBindings: 16 bytes 6586e99d",
        "   474        MsvAvTargetName: \"HTTP/dc-ws2008r2.ws2008r2.local\"\n",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    // The proof begins 5a6a21ae.
    assert!(!shown.contains("5a6a"), "{shown}");
}

#[test]
fn every_message_of_ntlm_is_shown_without_an_error_and_a_cut_one_with_the_reason() {
    use common::ntlm::{examples, samples};
    for (name, token) in examples().into_iter().chain(samples()) {
        let lines = describe::tree(&token);
        assert!(errors(&lines).is_empty(), "{name}: {}", text(&token));
        let lines = describe::tree(&token[..token.len() - 1]);
        let errors = errors(&lines);
        assert_eq!(errors.len(), 1, "{name}");
        assert!(lines.is_sorted_by_key(|line| line.offset));
    }
    let negotiate = text(&common::ntlm::negotiate());
    assert!(negotiate.contains("DomainName: \"EXAMPLE\"") && negotiate.contains("\"PC\""));
    let challenge = text(&common::ntlm::challenge());
    assert!(
        challenge.contains("    24    ServerChallenge: 8 bytes 0102030405060708\n"),
        "{challenge}"
    );
    assert!(
        challenge.contains("AvId 0x1234: 7 bytes 756e6b6e6f776e"),
        "{challenge}"
    );
    let unknown = text(b"NTLMSSP\0\x04\0\0\0");
    assert!(unknown.contains("unknown NTLM message type 4"), "{unknown}");
}

#[test]
fn the_shortest_forms_of_messages_of_ntlm_are_shown_within_their_bytes() {
    let zeros = [0; 40];
    for (message_type, length, label) in [
        (1, 16, "NegotiateFlags: 0x00000000"),
        (1, 32, "DomainName: \"\""),
        (2, 32, "ServerChallenge"),
        (3, 52, "UserName: \"\""),
    ] {
        let token = [b"NTLMSSP\0", &[message_type, 0, 0, 0][..], &zeros].concat();
        let lines = describe::tree(&token[..length]);
        assert!(errors(&lines).is_empty());
        assert!(lines.iter().all(|line| line.offset <= length));
        let shown = text(&token[..length]);
        assert!(shown.contains(label), "{shown}");
    }
}

/// A response that is neither of version 1 nor of version 2 is marked where it breaks.
#[test]
fn a_broken_response_is_marked_inside_of_its_message() {
    let mut token = common::ntlm::authenticate();
    let place = token
        .windows(16)
        .position(|bytes| bytes == [0x9f; 16])
        .unwrap()
        + 16;
    assert!(errors(&describe::tree(&token)).is_empty());
    token[place] = 3;
    let lines = describe::tree(&token);
    let errors = errors(&lines);
    assert_eq!((errors.len(), errors[0].offset), (1, place));
}

#[test]
fn unknown_der_is_walked_and_what_is_not_der_is_shown_as_bytes() {
    let text_of_der = text(&[0x30, 6, 2, 1, 5, 0x0c, 1, b'x']);
    assert_eq!(
        text_of_der,
        "     0  SEQUENCE\n     2    INTEGER: 5\n     5    UTF8String: \"x\"\n"
    );
    let lines = describe::tree(b"\xff\xff");
    assert_eq!((lines.len(), lines[0].value.as_str()), (1, "2 bytes ffff"));
    assert!(lines[0].error.is_some());
    assert_eq!(text(b""), "     0  token: empty\n");
}

#[test]
fn a_tree_of_too_many_lines_ends_with_one_that_says_so() {
    let token: Vec<_> = [5, 0].repeat(describe::MAX_LINES * 2);
    let lines = describe::tree(&token);
    assert_eq!(lines.len(), describe::MAX_LINES + 1);
    assert_eq!(lines.last().unwrap().label, "more");
    let token: Vec<_> = [5, 0].repeat(describe::MAX_LINES);
    let lines = describe::tree(&token);
    assert_eq!(lines.len(), describe::MAX_LINES);
    assert_eq!(lines.last().unwrap().label, "NULL");
}
