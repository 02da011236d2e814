//! SPNEGO: RFC 4178 §4.2, MS-SPNG §2.2.1.

#![allow(clippy::unwrap_used, clippy::panic, reason = "it is a test")]

mod common;

use allocation_counter::measure;
use common::spnego::{init, init2, mech_types, resp};
use countersign_token::der::{Decode, Encode, Tag, Writer};
use countersign_token::framing::InitialToken;
use countersign_token::oid::Oid;
use countersign_token::spnego::*;
use countersign_token::{DecodeError, DecodeErrorKind};

fn refusal(token: &[u8]) -> (usize, DecodeErrorKind) {
    let error: DecodeError = Negotiation::parse(token).unwrap_err();
    (error.offset(), error.kind())
}

/// A token from its DER: `[tag]` around a SEQUENCE of `[number]` fields.
fn sequence(fields: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let mut writer = Writer::with_capacity(0);
    writer.nest(Tag::SEQUENCE, |writer| {
        for (number, contents) in fields {
            writer.element(Tag::context(*number), contents);
        }
    });
    writer.into_vec()
}

fn element(tag: Tag, contents: &[u8]) -> Vec<u8> {
    let mut writer = Writer::with_capacity(0);
    writer.element(tag, contents);
    writer.into_vec()
}

fn init_of(fields: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let inner = element(Tag::context(0), &sequence(fields));
    InitialToken::encode(Oid::SPNEGO, &[&inner])
}

fn resp_of(fields: &[(u8, Vec<u8>)]) -> Vec<u8> {
    element(Tag::context(1), &sequence(fields))
}

/// What a server of Windows says first in SMB.
#[test]
fn the_first_token_of_a_windows_server_is_read_with_its_hint() {
    let mut token = vec![
        0x60, 0x76, 6, 6, 0x2b, 6, 1, 5, 5, 2, 0xa0, 0x6c, 0x30, 0x6a,
    ];
    token.extend([0xa0, 0x3c, 0x30, 0x3a]);
    let mechanisms = [
        Oid::NEGOEX,
        Oid::MS_KERBEROS,
        Oid::KERBEROS,
        Oid::KERBEROS_USER_TO_USER,
        Oid::NTLMSSP,
    ];
    for mechanism in mechanisms {
        token.extend(mechanism.to_der());
    }
    token.extend([0xa3, 0x2a, 0x30, 0x28, 0xa0, 0x26, 0x1b, 0x24]);
    token.extend(b"not_defined_in_RFC4178@please_ignore");

    let Negotiation::Init(read) = Negotiation::parse(&token).unwrap() else {
        panic!("it is an init");
    };
    assert!(read.mech_types.iter().eq(mechanisms));
    assert_eq!(read.mech_types.first(), Oid::NEGOEX);
    assert_eq!(read.hints, Some(NegHints::PLEASE_IGNORE));
    assert_eq!(
        (read.mech_token, read.mech_list_mic, read.req_flags),
        (None, None, None)
    );
    assert_eq!(read.to_bytes(), token);
}

/// What a client of Windows says first where it has only NTLM, and the last word of the server.
#[test]
fn tokens_of_windows_around_ntlm_are_read() {
    let mut token = vec![
        0x60, 0x48, 6, 6, 0x2b, 6, 1, 5, 5, 2, 0xa0, 0x3e, 0x30, 0x3c,
    ];
    token.extend([0xa0, 0x0e, 0x30, 0x0c]);
    token.extend(Oid::NTLMSSP.to_der());
    token.extend([0xa2, 0x2a, 0x04, 0x28]);
    token.extend(b"NTLMSSP\0\x01\0\0\0\x97\x82\x08\xe2");
    token.extend([0; 16]);
    token.extend([6, 1, 0xb1, 0x1d, 0, 0, 0, 15]);
    let Negotiation::Init(read) = Negotiation::parse(&token).unwrap() else {
        panic!("it is an init");
    };
    let message = countersign_token::ntlm::NegotiateMessage::parse(read.mech_token.unwrap());
    assert_eq!(message.unwrap().version.unwrap().build, 7601);
    assert_eq!(read.to_bytes(), token);

    let done = [0xa1, 7, 0x30, 5, 0xa0, 3, 0x0a, 1, 0];
    let resp = NegTokenResp::parse(&done).unwrap();
    let expected = NegTokenResp {
        neg_state: Some(NegState::AcceptCompleted),
        ..NegTokenResp::default()
    };
    assert_eq!(resp, expected);
    assert_eq!(resp.to_bytes(), done);
}

/// RFC 4178 §5: over the list as it was sent, tag 0x30, and not its field's tag.
#[test]
fn the_list_of_mechanisms_keeps_the_bytes_that_a_mic_is_over() {
    let (token, list) = (init(), mech_types());
    let init = NegTokenInit::parse(&token).unwrap();
    assert_eq!(init.mech_types.as_bytes(), list);
    assert_eq!(list[0], 0x30);
    // The very bytes, at their place in the token.
    let place = token
        .windows(list.len())
        .position(|bytes| bytes == list)
        .unwrap();
    assert!(core::ptr::eq(
        init.mech_types.as_bytes(),
        &token[place..place + list.len()]
    ));
}

#[test]
fn a_list_of_one_to_32_mechanisms_is_read_and_no_other() {
    let list = |count| MechTypes::encode(&vec![Oid::NTLMSSP; count]);
    for count in [1, 2, 31, 32] {
        let list = list(count);
        assert_eq!(MechTypes::parse(&list).unwrap().iter().count(), count);
        assert!(Negotiation::parse(&init_of(&[(0, list)])).is_ok());
    }
    let error = MechTypes::parse(&list(33)).unwrap_err();
    let limit = MechTypes::MAX;
    assert_eq!(error.kind(), DecodeErrorKind::TooManyElements { limit });
    assert_eq!(error.offset(), 4 + 32 * 12);
    let expected = Tag::OID;
    assert_eq!(
        refusal(&init_of(&[(0, list(0))])),
        (18, DecodeErrorKind::Missing { expected })
    );
    // Absent, which RFC 2478 allowed.
    let expected = Tag::context(0);
    assert_eq!(
        refusal(&init_of(&[])),
        (14, DecodeErrorKind::Missing { expected })
    );
}

#[test]
fn absent_fields_are_told_apart_from_empty_ones() {
    let empty = || element(Tag::OCTET_STRING, b"");
    let token = init_of(&[(0, mech_types()), (2, empty()), (3, empty())]);
    let read = NegTokenInit::parse(&token).unwrap();
    assert_eq!(
        (read.mech_token, read.mech_list_mic),
        (Some(&[][..]), Some(&[][..]))
    );
    assert_eq!(read.to_bytes(), token);
    let token = init_of(&[(0, mech_types())]);
    let read = NegTokenInit::parse(&token).unwrap();
    assert_eq!(read, NegTokenInit::new(read.mech_types));

    let token = resp_of(&[(2, empty())]);
    let read = NegTokenResp::parse(&token).unwrap();
    assert_eq!(
        (read.response_token, read.mech_list_mic),
        (Some(&[][..]), None)
    );
    assert_eq!(read.to_bytes(), token);
    let token = resp_of(&[]);
    let read = NegTokenResp::parse(&token).unwrap();
    assert_eq!(read, NegTokenResp::default());
    assert_eq!(read.to_bytes(), token);

    let no_hints = init_of(&[(0, mech_types()), (3, sequence(&[]))]);
    let read = NegTokenInit::parse(&no_hints).unwrap();
    assert_eq!(read.hints, Some(NegHints::default()));
    assert_eq!(read.to_bytes(), no_hints);
}

#[test]
fn unknown_repeated_and_unordered_fields_are_refused() {
    let octets = || element(Tag::OCTET_STRING, b"x");
    let mic = || (3, octets());
    let token = || (2, octets());
    let list = || (0, mech_types());
    assert!(Negotiation::parse(&init_of(&[list(), token(), mic()])).is_ok());
    for fields in [
        vec![list(), (4, octets())],
        vec![list(), mic(), (4, octets())],
        vec![list(), token(), token()],
        vec![list(), mic(), token()],
        vec![list(), (5, octets())],
        vec![list(), (3, sequence(&[])), (4, octets()), (5, octets())],
        vec![list(), (3, sequence(&[(2, octets())]))],
        vec![list(), (3, [octets(), octets()].concat())],
        vec![list(), list()],
        vec![token(), list()],
    ] {
        Negotiation::parse(&init_of(&fields)).unwrap_err();
    }
    // The control: with hints, [4] is the place of the MIC.
    let with_hints = init_of(&[list(), (3, sequence(&[])), (4, octets())]);
    let read = NegTokenInit::parse(&with_hints).unwrap();
    assert_eq!(
        (read.mech_list_mic, read.hints.is_some()),
        (Some(&b"x"[..]), true)
    );

    assert!(Negotiation::parse(&resp_of(&[token(), mic()])).is_ok());
    for fields in [
        vec![token(), token()],
        vec![mic(), token()],
        vec![mic(), (4, octets())],
    ] {
        let (_, kind) = refusal(&resp_of(&fields));
        assert_eq!(kind, DecodeErrorKind::TrailingData);
    }
}

#[test]
fn only_the_four_states_are_read_and_in_one_encoding() {
    for (number, state) in [
        (0, NegState::AcceptCompleted),
        (1, NegState::AcceptIncomplete),
        (2, NegState::Reject),
        (3, NegState::RequestMic),
    ] {
        assert_eq!(state.number(), number);
        let token = resp_of(&[(0, element(Tag::ENUMERATED, &[number]))]);
        let resp = NegTokenResp::parse(&token).unwrap();
        assert_eq!((resp.neg_state, resp.to_bytes()), (Some(state), token));
    }
    for (contents, kind) in [
        (&[4][..], DecodeErrorKind::IntegerOutOfRange),
        (&[0xff], DecodeErrorKind::IntegerOutOfRange),
        (&[1, 0], DecodeErrorKind::IntegerOutOfRange),
        (&[], DecodeErrorKind::NonMinimalInteger),
        (&[0, 1], DecodeErrorKind::NonMinimalInteger),
    ] {
        let token = resp_of(&[(0, element(Tag::ENUMERATED, contents))]);
        assert_eq!(refusal(&token), (8, kind));
    }
    let expected = Tag::ENUMERATED;
    let found = Tag::INTEGER;
    let token = resp_of(&[(0, element(Tag::INTEGER, &[1]))]);
    assert_eq!(
        refusal(&token),
        (6, DecodeErrorKind::UnexpectedTag { expected, found })
    );
}

/// RFC 4178 §4.2: only the first token is framed, and that always.
#[test]
fn a_token_in_the_wrong_frame_or_none_is_refused() {
    let (init, resp) = (init(), resp());
    let inner = InitialToken::parse(&init).unwrap().inner;
    assert!(Negotiation::parse(&init).is_ok() && Negotiation::parse(&resp).is_ok());
    let (found, expected) = (Tag::context(0), Tag::context(1));
    let unframed = refusal(inner);
    assert_eq!(
        unframed,
        (0, DecodeErrorKind::UnexpectedTag { expected, found })
    );
    let framed = InitialToken::encode(Oid::SPNEGO, &[&resp]);
    let (_, kind) = refusal(&framed);
    let (found, expected) = (expected, found);
    assert_eq!(kind, DecodeErrorKind::UnexpectedTag { expected, found });
    // CVE-2014-4341 and its like: by the whole identifier, not by a part of it.
    let longer = Oid::from_contents(b"\x2b\x06\x01\x05\x05\x02\x01").unwrap();
    for mechanism in [Oid::KERBEROS, longer] {
        let framed = InitialToken::encode(mechanism, &[inner]);
        let (_, kind) = refusal(&framed);
        assert_eq!(kind, DecodeErrorKind::UnexpectedMechanism);
    }
    let expected = Tag::context(1);
    assert_eq!(refusal(b""), (0, DecodeErrorKind::Missing { expected }));
}

/// A token within the frame's length but behind the alternative, and behind the SEQUENCE.
#[test]
fn bytes_after_every_value_are_refused() {
    let fields = [(0, mech_types())];
    let sound = element(Tag::context(0), &sequence(&fields));
    let extra = element(Tag::context(0), &[sequence(&fields), vec![5, 0]].concat());
    for (token, accepted) in [
        (InitialToken::encode(Oid::SPNEGO, &[&sound]), true),
        (InitialToken::encode(Oid::SPNEGO, &[&sound, &[5, 0]]), false),
        (InitialToken::encode(Oid::SPNEGO, &[&extra]), false),
        (resp_of(&[]), true),
        (
            element(Tag::context(1), &[sequence(&[]), vec![0]].concat()),
            false,
        ),
        ([resp_of(&[]), vec![0]].concat(), false),
    ] {
        let parsed = Negotiation::parse(&token);
        assert_eq!(parsed.is_ok(), accepted);
        if let Err(error) = parsed {
            assert_eq!(error.kind(), DecodeErrorKind::TrailingData);
        }
    }
}

/// RFC 2478 had a BIT STRING of named bits, whose zeros at the end DER leaves out.
#[test]
fn request_flags_of_any_length_are_read() {
    for (contents, flags) in [
        (&[1, 0x02][..], ContextFlags::INTEG),
        (&[6, 0x40], ContextFlags::MUTUAL),
        (&[0, 0x40, 0, 0, 0], ContextFlags::MUTUAL),
        (&[0], ContextFlags::NONE),
    ] {
        let bits = element(Tag::BIT_STRING, contents);
        let token = init_of(&[(0, mech_types()), (1, bits)]);
        let init = NegTokenInit::parse(&token).unwrap();
        assert_eq!(init.req_flags, Some(flags));
        assert_eq!(NegTokenInit::parse(&init.to_bytes()), Ok(init));
    }
}

/// 593 bytes, as an initiator's first token with a ticket.
fn long() -> Vec<u8> {
    let (mechanisms, token) = (mech_types(), vec![0x6e; 527]);
    let init = NegTokenInit {
        mech_token: Some(&token),
        ..NegTokenInit::new(MechTypes::parse(&mechanisms).unwrap())
    };
    init.to_bytes()
}

#[test]
fn reading_tokens_allocates_nothing_and_writing_one_allocates_once() {
    let tokens = [init(), init2(), resp(), long()];
    assert_eq!(tokens[3].len(), 593);
    let mut read = 0;
    let info = measure(|| {
        for token in &tokens {
            match Negotiation::parse(token) {
                Ok(Negotiation::Init(init)) => read += init.mech_types.iter().count(),
                Ok(Negotiation::Resp(resp)) => read += usize::from(resp.neg_state.is_some()),
                Err(_) => {}
            }
            read += usize::from(Negotiation::parse(&token[1..]).is_ok());
        }
    });
    assert_eq!((read, info.count_total), (10, 0));
    for token in &tokens {
        let parsed = Negotiation::parse(token).unwrap();
        let mut encoded = Vec::new();
        let info = measure(|| encoded = parsed.to_bytes());
        assert_eq!(&encoded, token);
        assert_eq!((info.count_total, encoded.capacity()), (1, token.len()));
    }
}

#[test]
fn the_sequence_alone_goes_both_ways() {
    let token = init2();
    let init = NegTokenInit::parse(&token).unwrap();
    let der = init.to_der();
    assert_eq!(NegTokenInit::from_der(&der), Ok(init));
    assert!(token.ends_with(&der));
}

/// RFC 4178 §4.2.1 and §4.2.2.
#[test]
fn states_and_lists_are_printed_by_the_names_of_the_specification() {
    let states = [
        NegState::AcceptCompleted,
        NegState::AcceptIncomplete,
        NegState::Reject,
        NegState::RequestMic,
    ];
    let shown = states.map(|state| state.to_string()).join(" ");
    let expected = "accept-completed accept-incomplete reject request-mic";
    assert_eq!(shown, expected);

    let list = MechTypes::encode(&[Oid::NTLMSSP, Oid::KERBEROS]);
    let list = MechTypes::parse(&list).unwrap();
    let expected = "[Oid(1.3.6.1.4.1.311.2.2.10), Oid(1.2.840.113554.1.2.2)]";
    assert_eq!(format!("{list:?}"), expected);
    let mut kerberos = 0;
    for mechanism in &list {
        kerberos += usize::from(mechanism.is_kerberos());
    }
    assert_eq!(kerberos, 1);
    assert!(list.into_iter().eq(list.iter()));
}
