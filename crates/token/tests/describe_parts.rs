//! What people see of the parts of a token, whole and broken.

#![allow(clippy::unwrap_used, reason = "it is a test")]

mod common;

use countersign_token::DecodeErrorKind;
use countersign_token::der::{Decode, Encode, SequenceOf, Tag};
use countersign_token::describe::{self, Line};
use countersign_token::framing::InitialToken;
use countersign_token::kerberos::gss_checksum::{Extension, Extensions};
use countersign_token::kerberos::gss_token::TokenId;
use countersign_token::kerberos::{AsRep, Authenticator, Checksum, GssChecksum, GssFlags, PaData};
use countersign_token::oid::Oid;

fn text(token: &[u8]) -> String {
    describe::tree(token)
        .iter()
        .map(|line| format!("{line}\n"))
        .collect()
}

fn errors(lines: &[Line]) -> Vec<(usize, DecodeErrorKind)> {
    let errors = lines.iter().filter_map(|line| line.error);
    errors.map(|error| (error.offset(), error.kind())).collect()
}

/// An AS-REP with one element of pre-authentication data.
fn reply_with(padata_type: i32, padata_value: &[u8]) -> Vec<u8> {
    let padata = [PaData {
        padata_type,
        padata_value,
    }];
    let reply = common::as_rep();
    let mut reply = AsRep::from_der(&reply).unwrap();
    reply.0.padata = Some(SequenceOf::new(&padata));
    reply.to_der()
}

/// An Authenticator with this field for a checksum of GSS-API.
fn authenticator_with(field: &[u8]) -> Vec<u8> {
    let sample = common::authenticator();
    let mut authenticator = Authenticator::from_der(&sample).unwrap();
    authenticator.cksum = Some(Checksum {
        cksumtype: GssChecksum::TYPE,
        checksum: field,
    });
    authenticator.to_der()
}

#[test]
fn a_message_that_is_no_sequence_or_goes_on_is_marked_inside() {
    let (expected, found) = (Tag::SEQUENCE, Tag::INTEGER);
    let tag = DecodeErrorKind::UnexpectedTag { expected, found };
    for (token, error) in [
        (&[0x6e, 3, 2, 1, 5][..], (2, tag)),
        (
            &[0x6e, 4, 0x30, 0, 5, 0],
            (4, DecodeErrorKind::TrailingData),
        ),
    ] {
        let lines = describe::tree(token);
        assert_eq!(lines[0].label, "AP-REQ");
        assert_eq!(errors(&lines), [error]);
    }
}

/// RFC 6113 §5.4.3: a CHOICE of one alternative.
#[test]
fn a_fast_reply_that_is_no_sequence_or_goes_on_is_marked_inside() {
    let whole = common::extensions::fx_fast_reply();
    let token = reply_with(136, &whole);
    assert!(
        errors(&describe::tree(&token)).is_empty(),
        "{}",
        text(&token)
    );
    let (expected, found) = (Tag::SEQUENCE, Tag::INTEGER);
    let tag = DecodeErrorKind::UnexpectedTag { expected, found };
    for (value, inside, kind) in [
        (&[0xa0, 3, 2, 1, 77][..], 2, tag),
        (&[0xa0, 4, 0x30, 0, 5, 0], 4, DecodeErrorKind::TrailingData),
    ] {
        let token = reply_with(136, value);
        let place = token.windows(value.len()).position(|w| w == value).unwrap();
        assert_eq!(errors(&describe::tree(&token)), [(place + inside, kind)]);
        assert!(text(&token).contains("PA-FX-FAST-REPLY\n"));
    }
}

/// RFC 4120 §5.2.7.1.
#[test]
fn the_ap_request_in_padata_is_opened() {
    let shown = text(&reply_with(PaData::TGS_REQ, &common::ap_req()));
    for part in [
        "padata-type: 1 PA-TGS-REQ\n",
        "  AP-REQ",
        "ticket: Ticket\n",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    // What has no bytes has nothing to open.
    let shown = text(&reply_with(PaData::TGS_REQ, b""));
    assert!(shown.contains("padata-value: 0 bytes\n"), "{shown}");
}

/// RFC 1964 §1.2: its per-message tokens are framed; one of RFC 4121 is shown there too.
#[test]
fn tokens_after_the_first_are_shown_in_a_frame_too() {
    let framed = |inner: &[u8]| InitialToken::encode(Oid::KERBEROS, &[inner]);
    let shown = text(&framed(&TokenId::Rfc1964DeleteContext.to_bytes()));
    let expected = "    13    TOK_ID: 01 02 delete context (RFC 1964)\n";
    assert!(shown.ends_with(expected), "{shown}");

    let shown = text(&framed(&common::mic()));
    assert!(shown.contains("    13    MIC token: 28 bytes\n"), "{shown}");
    assert!(text(&framed(&common::wrap())).contains("Wrap token: "));
    let cut = framed(&common::mic()[..15]);
    let missing = DecodeErrorKind::Truncated { missing: 1 };
    assert_eq!(errors(&describe::tree(&cut)), [(cut.len(), missing)]);
    let old = common::rfc1964();
    assert!(errors(&describe::tree(&framed(&old))).is_empty());
    let cut = framed(&old[..23]);
    let lines = describe::tree(&cut);
    let missing = DecodeErrorKind::Truncated { missing: 1 };
    assert_eq!(errors(&lines), [(cut.len(), missing)]);
    let mut filler = framed(&common::wrap());
    let place = filler.len() - common::wrap().len() + 3;
    filler[place] = 0;
    let malformed = DecodeErrorKind::MalformedFiller;
    assert_eq!(errors(&describe::tree(&filler)), [(place, malformed)]);
}

#[test]
fn an_iakerb_message_whose_header_is_broken_is_marked_there() {
    let broken = [&TokenId::IakerbProxy.to_bytes()[..], &[0x30, 0x80]].concat();
    let broken = InitialToken::encode(Oid::IAKERB, &[&broken]);
    let at = broken.len() - 1;
    let lines = describe::tree(&broken);
    assert_eq!(errors(&lines), [(at, DecodeErrorKind::IndefiniteLength)]);
    let whole = common::extensions::iakerb_token();
    assert!(errors(&describe::tree(&whole)).is_empty());
}

/// RFC 4121 §4.1.1.
#[test]
fn the_checksum_of_an_authenticator_says_whether_it_is_bound() {
    let mut checksum = GssChecksum::new(GssFlags::MUTUAL);
    let shown = text(&authenticator_with(&checksum.encode().unwrap()));
    assert!(shown.contains("Bnd: none\n"), "{shown}");
    checksum.bindings = [0xb1; 16];
    let shown = text(&authenticator_with(&checksum.encode().unwrap()));
    assert!(shown.contains("Bnd: 16 bytes b1b1"), "{shown}");

    let cut = &checksum.encode().unwrap()[..23];
    let token = authenticator_with(cut);
    let place = token.windows(23).position(|bytes| bytes == cut).unwrap();
    let missing = DecodeErrorKind::Truncated { missing: 1 };
    assert_eq!(errors(&describe::tree(&token)), [(place + 23, missing)]);
}

#[test]
fn a_checksum_of_more_extensions_than_lines_says_that_not_all_are_shown() {
    let extension = Extension { kind: 7, data: b"" };
    for (count, whole) in [(10, true), (describe::MAX_LINES + 1, false)] {
        let extensions = Extensions::encode(&vec![extension; count]);
        let checksum = GssChecksum {
            extensions: Extensions::parse(&extensions).unwrap(),
            ..GssChecksum::new(GssFlags::MUTUAL)
        };
        let lines = describe::tree(&authenticator_with(&checksum.encode().unwrap()));
        let shown = lines.iter().filter(|line| line.label == "Ext").count();
        let more = lines.iter().filter(|line| line.label == "more").count();
        assert_eq!((shown == count, more), (whole, usize::from(!whole)));
        assert!(lines.len() <= describe::MAX_LINES + 1);
    }
}

/// MS-NLMP §2.2.2.1: of MsvAvChannelBindings, zeros are none.
#[test]
fn channel_bindings_of_zeros_are_shown_as_none() {
    let token = common::ntlm::challenge();
    assert!(text(&token).contains("MsvAvChannelBindings: 16 bytes cbcb"));
    let mut unbound = token;
    for byte in &mut unbound {
        if *byte == 0xcb {
            *byte = 0;
        }
    }
    let shown = text(&unbound);
    assert!(shown.contains("MsvAvChannelBindings: none\n"), "{shown}");
}
