//! IAKERB, draft-ietf-kitten-iakerb-03: both roles against each other, with a KDC of another make
//! behind the acceptor, and what a stranger or someone between can try.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests are tests too

mod lab;

use countersign_context::kerberos::kdc::{
    ClientSecret, Exchange, ExchangeStep, InitialTicket, KdcAnswer, KdcRequest,
};
use countersign_context::kerberos::{IakerbAcceptor, IakerbDialect, IakerbInitiator, Initiator};
use countersign_context::token::der::{Decode, Encode};
use countersign_context::token::framing::InitialToken;
use countersign_context::token::kerberos::gss_token::TokenId;
use countersign_context::token::kerberos::iakerb::{self, IakerbHeader};
use countersign_context::token::kerberos::{KrbError, TgtReq};
use countersign_context::token::oid::Oid;
use countersign_context::{Answer, Error, ErrorKind, KdcProblem, Mechanism, Need, Step};
use countersign_testkit::Kdc;

use lab::*;

#[test]
fn a_password_establishes_a_context_through_the_acceptor_in_both_dialects() {
    for dialect in DIALECTS {
        let kdc = kdc();
        let ended = honest(&kdc, dialect);
        let (mut ours, mut theirs) = (ended.initiator.unwrap(), ended.acceptor.unwrap());
        assert_eq!(theirs.peer().unwrap().to_string(), "alice@EXAMPLE.COM");
        for context in [&ours, &theirs] {
            assert_eq!(context.mechanism(), Oid::IAKERB);
        }
        let sealed = ours.wrap(true, b"hello").unwrap();
        assert_eq!(theirs.unwrap(&sealed).unwrap().message, b"hello");
        // Two rounds of the log-on and one for the ticket went by the acceptor, then the AP-REQ.
        assert_eq!((kdc.seen().len(), ended.sent.len()), (3, 4));
        let framed = ended.sent.iter().map(|token| token[0] == 0x60);
        let expected = match dialect {
            IakerbDialect::Zhu => [true, false, false, true],
            _ => [true; 4],
        };
        assert!(framed.eq(expected));
    }
}

/// An initiator with a ticket from a cache.
fn prepared(kdc: &Kdc) -> IakerbInitiator {
    let mut side = Side::new(8);
    let mut exchange = acquisition(kdc);
    let mut answer = None;
    let ticket = loop {
        match exchange.step(answer.take(), &mut side.env()).unwrap() {
            ExchangeStep::Send(request) => {
                answer = Some(KdcAnswer::Reply(kdc.answer(&request.message)));
            }
            ExchangeStep::Done(ticket) => break ticket,
        }
    };
    IakerbInitiator::new(Acquisition::Ready(Some(ticket)), |ticket| {
        Initiator::new(ticket)
    })
}

#[test]
fn a_ticket_that_is_there_already_needs_no_kdc_and_no_proof() {
    let kdc = kdc();
    let mut ours = prepared(&kdc);
    let network: &mut Network<'_> = &mut |_| panic!("no KDC is needed");
    let ended = run(&mut ours, &mut acceptor(&kdc), &mut |_, _| (), network);
    assert!(ended.initiator.is_ok() && ended.acceptor.is_ok());
}

/// draft-ietf-kitten-iakerb-03 3: the checksum over everything that was passed on.
#[test]
fn acceptor_refuses_an_initiator_whose_messages_were_altered_on_their_way() {
    let kdc = kdc();
    assert!(honest(&kdc, IakerbDialect::Kitten).acceptor.is_ok());
    for dialect in DIALECTS {
        // Somebody lets the acceptor ask another KDC first, or asks for the initiator: the
        // initiator and the acceptor then saw different conversations.
        let mut ours = initiator(&kdc, dialect);
        let mut theirs = acceptor(&kdc);
        let mut cookie = false;
        let between: &mut Between<'_> = &mut |from_initiator, token| {
            // A cookie that the acceptor never wrote, in its first token.
            if !from_initiator && !core::mem::replace(&mut cookie, true) {
                let (realm, message) = carried(token);
                let header = IakerbHeader {
                    cookie: Some(b"biscuit"),
                    ..IakerbHeader::new(dialect, &realm)
                };
                let body = iakerb::join(&header, &message);
                let id = TokenId::IakerbProxy.to_bytes();
                *token = match token[0] {
                    0x60 => InitialToken::encode(Oid::IAKERB, &[&id, &body]),
                    _ => [&id[..], &body].concat(),
                };
            }
        };
        let mut network = |request: &KdcRequest| KdcAnswer::Reply(kdc.answer(&request.message));
        let ended = run(&mut ours, &mut theirs, between, &mut network);
        let error = ended.acceptor.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ProxiedMessagesUnproven);
        // KRB_AP_ERR_BAD_INTEGRITY, RFC 4120 §7.5.9.
        let expected = ErrorKind::PeerError { code: 31 };
        assert_eq!(ended.initiator.unwrap_err().kind(), expected);
    }
}

/// An AP-REQ of somebody who had nothing to do with the messages that were passed on.
#[test]
fn acceptor_refuses_a_request_without_the_proof_of_the_conversation() {
    let kdc = kdc();
    let other = honest(&kdc, IakerbDialect::Kitten);
    assert!(other.acceptor.is_ok());
    let mut side = Side::new(5);
    // One with the proof of another conversation, and one that needs none on its own.
    let Ok(Step::Continue { token: plain }) = prepared(&kdc).step(None, &mut side.env()) else {
        panic!("a token is due")
    };
    for request in [other.sent.last().unwrap(), &plain] {
        let mut theirs = acceptor(&kdc);
        // A stranger has a message passed on, then passes off somebody's AP-REQ as its own.
        let asked = first(&mut theirs, &other.sent[0]).unwrap();
        assert!(matches!(asked, Step::Need(Need::Kdc(_))));
        let answer = Answer::Kdc(KdcAnswer::Unreachable);
        assert!(theirs.resume(answer, &mut side.env()).is_ok());
        let error = theirs.step(Some(request), &mut side.env());
        let kind = error.unwrap_err().kind();
        assert_eq!(kind, ErrorKind::ProxiedMessagesUnproven);
        // It is over.
        let again = theirs.step(Some(&other.sent[0]), &mut side.env());
        assert_eq!(again.unwrap_err().kind(), kind);
    }
    assert!(first(&mut acceptor(&kdc), &plain).is_ok());
}

/// A stranger must not choose whom the acceptor talks to.
#[test]
fn acceptor_asks_kdcs_of_its_own_and_of_named_realms_only() {
    let kdc = kdc();
    let message = [0x6a, 0x03, 0x30, 0x01, 0x00];
    let outcome = |acceptor: &mut IakerbAcceptor, realm: &[u8]| {
        first(acceptor, &proxied(realm, &message)).unwrap()
    };
    let asks = |step: &Step, realm: &[u8]| match step {
        Step::Need(Need::Kdc(request)) => request.realm == realm && request.message == message,
        _ => false,
    };
    assert!(asks(
        &outcome(&mut acceptor(&kdc), b"EXAMPLE.COM"),
        b"EXAMPLE.COM"
    ));
    for realm in [&b"EVIL.EXAMPLE"[..], b"169.254.169.254", b"example.com"] {
        let step = outcome(&mut acceptor(&kdc), realm);
        let Step::Continue { token } = step else {
            panic!("{step:?}")
        };
        let (named, message) = carried(&token);
        let error = KrbError::from_der(&message).unwrap();
        assert_eq!((named, error.error_code), (realm.to_vec(), 85));
        // Named, or any: then it is asked.
        let mut named = acceptor(&kdc).proxy_for([realm.to_vec()]);
        assert!(asks(&outcome(&mut named, realm), realm));
        let mut any = acceptor(&kdc).dangerously_proxy_for_any_realm();
        assert!(asks(&outcome(&mut any, realm), realm));
    }
}

#[test]
fn an_initiator_that_does_not_know_the_realm_is_told_the_acceptors() {
    let kdc = kdc();
    let step = first(&mut acceptor(&kdc), &proxied(b"", b"")).unwrap();
    let Step::Continue { token } = step else {
        panic!("{step:?}")
    };
    assert_eq!(carried(&token), (b"EXAMPLE.COM".to_vec(), Vec::new()));
}

/// What is not for a KDC is not passed on, nor what is not from one passed back.
#[test]
fn only_messages_of_the_as_and_tgs_exchanges_are_passed_on() {
    let kdc = kdc();
    for tag in [0x6a, 0x6c] {
        let token = proxied(b"EXAMPLE.COM", &[tag, 0]);
        assert!(first(&mut acceptor(&kdc), &token).is_ok());
    }
    for message in [
        &b""[..],
        b"GET / HTTP/1.1\r\n",
        &[0x6e, 0],
        &[0x75, 0],
        &[0x6b, 0],
    ] {
        let token = proxied(b"EXAMPLE.COM", message);
        let error = first(&mut acceptor(&kdc), &token).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::DefectiveToken(_)));
    }
    let mut theirs = acceptor(&kdc);
    assert!(first(&mut theirs, &proxied(b"EXAMPLE.COM", &[0x6a, 0])).is_ok());
    let answer = Answer::Kdc(KdcAnswer::Reply(b"secret of a host".to_vec()));
    let step = theirs.resume(answer, &mut Side::new(1).env()).unwrap();
    let Step::Continue { token } = step else {
        panic!("{step:?}")
    };
    let error = carried(&token).1;
    assert_eq!(KrbError::from_der(&error).unwrap().error_code, 86);
}

#[test]
fn an_unreachable_kdc_ends_at_the_initiator_as_one() {
    let kdc = kdc();
    let (mut ours, mut theirs) = (initiator(&kdc, IakerbDialect::Kitten), acceptor(&kdc));
    let network: &mut Network<'_> = &mut |_| KdcAnswer::Unreachable;
    let ended = run(&mut ours, &mut theirs, &mut |_, _| (), network);
    let expected = ErrorKind::Kdc(KdcProblem::Unreachable);
    assert_eq!(ended.initiator.unwrap_err().kind(), expected);
}

/// RFC 4120 §7.2.1: the initiator cannot choose how the acceptor asks.
#[test]
fn a_reply_that_is_too_big_is_asked_for_again_over_a_stream() {
    let kdc = kdc();
    let (mut ours, mut theirs) = (initiator(&kdc, IakerbDialect::Zhu), acceptor(&kdc));
    let mut streams = Vec::new();
    let network: &mut Network<'_> = &mut |request| {
        streams.push(request.stream_only);
        let message = match request.stream_only {
            true => kdc.answer(&request.message),
            false => {
                let refusal = KrbError::from_der(&TOO_BIG).unwrap();
                assert_eq!(refusal.error_code, 52);
                TOO_BIG.to_vec()
            }
        };
        KdcAnswer::Reply(message)
    };
    let ended = run(&mut ours, &mut theirs, &mut |_, _| (), network);
    assert!(ended.acceptor.is_ok());
    assert_eq!(streams, [false, true].repeat(3));
}

/// KRB-ERROR 52 without names.
const TOO_BIG: [u8; 60] = *b"\x7e\x3a\x30\x38\xa0\x03\x02\x01\x05\xa1\x03\x02\x01\x1e\
    \xa4\x11\x18\x0f20260101000000Z\xa5\x03\x02\x01\x00\xa6\x03\x02\x01\x34\
    \xa9\x02\x1b\x00\xaa\x0b\x30\x09\xa0\x03\x02\x01\x00\xa1\x02\x30\x00";

#[test]
fn a_stranger_costs_no_more_than_so_many_rounds_and_bytes() {
    let kdc = kdc();
    let mut side = Side::new(2);
    let message = [&[0x6a, 0x82, 0x3a, 0x98][..], &[0; 15_000]].concat();
    for (message, expected) in [(&[0x6a, 0][..], 26), (&message, 17)] {
        let mut theirs = acceptor(&kdc);
        let token = proxied(b"EXAMPLE.COM", message);
        let mut rounds = 0;
        let error = loop {
            match theirs.step(Some(&token), &mut side.env()) {
                Ok(Step::Need(Need::Kdc(_))) => rounds += 1,
                Ok(step) => panic!("{step:?}"),
                Err(error) => break error,
            }
            let answer = Answer::Kdc(KdcAnswer::Unreachable);
            assert!(theirs.resume(answer, &mut side.env()).is_ok());
        };
        assert_eq!(rounds, expected);
        assert!(matches!(
            error.kind(),
            ErrorKind::Kdc(KdcProblem::TooManyRounds) | ErrorKind::TokenTooLarge { .. }
        ));
    }
}

#[test]
fn the_mechanisms_tokens_are_not_taken_for_each_other() {
    let kdc = kdc();
    let ended = honest(&kdc, IakerbDialect::Kitten);
    let mut env = Side::new(6);
    for token in [&ended.sent[0], ended.sent.last().unwrap()] {
        let error = ordinary(&kdc).step(Some(token), &mut env.env());
        assert_eq!(error.unwrap_err().kind(), ErrorKind::WrongMechanism);
    }
    let request = TgtReq {
        server_name: None,
        realm: None,
    };
    let id = TokenId::TgtReq.to_bytes();
    for mechanism in [Oid::KERBEROS, Oid::KERBEROS_USER_TO_USER, Oid::SPNEGO] {
        let token = InitialToken::encode(mechanism, &[&id, &request.to_der()]);
        let error = first(&mut acceptor(&kdc), &token).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WrongMechanism);
    }
}

#[test]
fn a_first_token_without_its_frame_and_every_prefix_of_one_are_refused() {
    let kdc = kdc();
    let token = proxied(b"EXAMPLE.COM", &[0x6a, 0]);
    assert!(first(&mut acceptor(&kdc), &token).is_ok());
    for end in 0..token.len() {
        assert!(first(&mut acceptor(&kdc), &token[..end]).is_err(), "{end}");
    }
    let inner = InitialToken::parse(&token).unwrap().inner;
    assert!(first(&mut acceptor(&kdc), inner).is_err());
}

#[test]
fn steps_out_of_turn_are_errors_that_change_nothing_and_the_end_is_the_end() {
    let kdc = kdc();
    let mut side = Side::new(7);
    let mut ours = initiator(&kdc, IakerbDialect::Kitten);
    let unreachable = || Answer::Kdc(KdcAnswer::Unreachable);
    let unexpected = |result: Result<Step, Error>| {
        assert_eq!(result.unwrap_err().kind(), ErrorKind::UnexpectedCall);
    };
    unexpected(ours.resume(unreachable(), &mut side.env()));
    let Ok(Step::Continue { token }) = ours.step(None, &mut side.env()) else {
        panic!("a token is due")
    };
    unexpected(ours.resume(unreachable(), &mut side.env()));

    let mut theirs = acceptor(&kdc);
    unexpected(theirs.resume(unreachable(), &mut side.env()));
    assert!(theirs.step(Some(&token), &mut side.env()).is_ok());
    unexpected(theirs.step(Some(&token), &mut side.env()));
    let Ok(Step::Continue { token }) = theirs.resume(unreachable(), &mut side.env()) else {
        panic!("a token is due")
    };
    let failed = ours.step(Some(&token), &mut side.env()).unwrap_err();
    let again = ours.step(Some(&token), &mut side.env()).unwrap_err();
    assert_eq!(failed, again);
    let missing = theirs.step(None, &mut side.env()).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::TokenMissing);
    let again = theirs.step(Some(&token), &mut side.env()).unwrap_err();
    assert_eq!(again, missing);
}

/// Whatever is altered on its way between the two, they do not end up with each other: the KDC or
/// the initiator notices, or the acceptor does in the end.
#[test]
fn no_flipped_bit_in_what_is_passed_on_goes_unnoticed() {
    let kdc = kdc();
    let key = kdc.keytab(&["alice"]).unwrap();
    let begin = || {
        let alice = kdc.principal("alice");
        let secret = ClientSecret::keytab(&key, &alice).unwrap();
        let initial = InitialTicket::new(alice, secret);
        let acquisition = Acquisition::Initial(initial, kdc.principal(SERVICE));
        IakerbInitiator::new(acquisition, Initiator::new)
    };
    let mut network = |request: &KdcRequest| KdcAnswer::Reply(kdc.answer(&request.message));
    let mut lengths = Vec::new();
    let measure: &mut Between<'_> = &mut |_, token| lengths.push(token.len());
    let honest = run(&mut begin(), &mut acceptor(&kdc), measure, &mut network);
    assert!(honest.acceptor.is_ok());
    // The last two are the AP exchange, which is no part of what is passed on.
    lengths.truncate(lengths.len() - 2);
    assert_eq!(lengths.len(), 6);
    let mut flips = 0;
    for (which, length) in lengths.into_iter().enumerate() {
        for bit in (which..length * 8).step_by(61) {
            let mut count = 0;
            let flip: &mut Between<'_> = &mut |_, token| {
                if count == which {
                    token[bit / 8] ^= 1 << (bit % 8);
                }
                count += 1;
            };
            let ended = run(&mut begin(), &mut acceptor(&kdc), flip, &mut network);
            assert!(ended.acceptor.is_err(), "token {which}, bit {bit}");
            flips += 1;
        }
    }
    assert!(flips > 200, "{flips}");
}
