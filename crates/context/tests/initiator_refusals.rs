//! What an initiator must refuse, each beside a control that it accepts.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests are tests too

mod support;

use countersign_context::crypto::{Enctype, Key, KeyUsage};
use countersign_context::kerberos::Initiator;
use countersign_context::{ChannelBindings, ErrorKind, Flags, Policy, Step};
use countersign_testkit::flags::ticket as ticket_flags;
use countersign_testkit::framing::{self, Framing};
use countersign_testkit::{
    ApRepBuilder, FixedClock, KrbErrorBuilder, NOW, RawAcceptor, Realm, ReceivedApReq, SeededRandom,
};
use support::*;

/// An initiator that has sent its first token, and what an independent acceptor read in it.
fn sent(realm: &Realm, initiator: Initiator) -> (Initiator, ReceivedApReq) {
    let mut initiator = initiator;
    let token = match World::new(3).step(&mut initiator, None).unwrap() {
        Step::Continue { token } => token,
        step => panic!("unexpected {step:?}"),
    };
    let received = RawAcceptor::new(&keytab(realm)).accept(&token).unwrap();
    (initiator, received)
}

fn initiator(realm: &Realm) -> Initiator {
    Initiator::new(ticket(realm))
}

fn build_reply(builder: ApRepBuilder<'_>) -> Vec<u8> {
    builder.build(&mut SeededRandom::new(6)).unwrap()
}

/// The initiator accepts the honest reply and refuses the other.
#[track_caller]
fn only_the_honest_reply_is_accepted(
    change: impl Fn(ApRepBuilder<'static>) -> ApRepBuilder<'static>,
    expected: ErrorKind,
) {
    let realm = realm();
    let (mut honest, received) = sent(&realm, initiator(&realm));
    let reply = build_reply(received.reply());
    let step = World::new(9).step(&mut honest, Some(&reply)).unwrap();
    assert!(matches!(step, Step::Established { token: None, .. }));

    let (mut deceived, received) = sent(&realm, initiator(&realm));
    let reply = build_reply(change(received.reply()));
    let error = World::new(9).step(&mut deceived, Some(&reply)).unwrap_err();
    assert_eq!(error.kind(), expected);
    let again = World::new(9).step(&mut deceived, Some(&reply)).unwrap_err();
    assert_eq!(error, again);
}

/// lib/pq #1340: the acceptor's word that all is well is no AP-REP.
#[test]
fn initiator_refuses_end_of_conversation_without_ap_rep() {
    let realm = realm();
    for absent in [None, Some(&b""[..])] {
        let (mut waiting, _) = sent(&realm, initiator(&realm));
        assert!(World::new(9).step(&mut waiting, absent).is_err());
    }
}

#[test]
fn initiator_refuses_reply_that_repeats_another_time() {
    let failed = ErrorKind::MutualAuthenticationFailed;
    only_the_honest_reply_is_accepted(|reply| reply.clock(FixedClock::at(NOW + 1)), failed);
    let off_by_a_microsecond = FixedClock {
        seconds: NOW,
        microseconds: 1,
    };
    only_the_honest_reply_is_accepted(|reply| reply.clock(off_by_a_microsecond), failed);
}

#[test]
fn initiator_refuses_reply_of_another_key_usage_or_enctype() {
    let failed = ErrorKind::MutualAuthenticationFailed;
    let other = Key::new(Enctype::Aes256CtsHmacSha1_96, &[3; 32]).unwrap();
    only_the_honest_reply_is_accepted(|reply| reply.key(&other), failed);
    only_the_honest_reply_is_accepted(|reply| reply.usage(KeyUsage::AP_REQ_AUTHENTICATOR), failed);
    only_the_honest_reply_is_accepted(|reply| reply.etype(17), failed);
    only_the_honest_reply_is_accepted(|reply| reply.etype(0), failed);
    only_the_honest_reply_is_accepted(ApRepBuilder::tampered, failed);
}

#[test]
fn initiator_refuses_acceptor_subkey_of_unlisted_enctype() {
    let key = Key::new(Enctype::Camellia256CtsCmac, &[3; 32]).unwrap();
    only_the_honest_reply_is_accepted(
        |reply| reply.subkey(key.duplicate()),
        ErrorKind::EnctypeRefused { enctype: 26 },
    );
}

#[test]
fn initiator_refuses_its_own_token_reflected() {
    let realm = realm();
    let mut initiator = initiator(&realm);
    let Ok(Step::Continue { token }) = World::new(3).step(&mut initiator, None) else {
        panic!()
    };
    let kind = World::new(3)
        .step(&mut initiator, Some(&token))
        .unwrap_err()
        .kind();
    assert_eq!(kind, ErrorKind::WrongTokenId { found: [1, 0] });
}

#[test]
fn initiator_refuses_bare_reply_outside_of_dce_style() {
    only_the_honest_reply_is_accepted(
        |reply| reply.framing(Framing::Bare),
        ErrorKind::FramingMismatch,
    );
}

#[test]
fn initiator_refuses_reply_of_another_mechanism() {
    only_the_honest_reply_is_accepted(
        |reply| {
            let oid = framing::USER_TO_USER.to_vec();
            reply.framing(Framing::Gss {
                oid,
                token_id: framing::AP_REP,
            })
        },
        ErrorKind::WrongMechanism,
    );
}

#[test]
fn initiator_reports_the_acceptors_error() {
    let realm = realm();
    for code in [7, 31, 34, 41, 60] {
        let (mut waiting, received) = sent(&realm, initiator(&realm));
        let reply = received.error(code).build().unwrap();
        let error = World::new(9).step(&mut waiting, Some(&reply)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PeerError { code });
        assert_eq!(error.krb_error_code(), Some(code));
    }
}

fn skew(realm: &Realm, time: i64) -> Vec<u8> {
    let builder = KrbErrorBuilder::new(37, realm.principal(SERVICE));
    // KERB-ERROR-DATA, MS-KILE §2.2.2: SEQUENCE { [1] INTEGER 2 }.
    let recovering = b"\x30\x05\xa1\x03\x02\x01\x02".to_vec();
    builder
        .server_time(FixedClock::at(time))
        .data(recovering)
        .build()
        .unwrap()
}

#[test]
fn initiator_follows_one_clock_skew_error_and_no_second() {
    let realm = realm();
    let (mut initiator, _) = sent(&realm, initiator(&realm));
    let mut world = World::new(9);
    let step = world
        .step(&mut initiator, Some(&skew(&realm, NOW + 1000)))
        .unwrap();
    let Step::Continue { token } = step else {
        panic!("tries again")
    };
    let received = RawAcceptor::new(&keytab(&realm)).accept(&token).unwrap();
    assert_eq!(received.clock.seconds, NOW + 1000);

    let error = world
        .step(&mut initiator, Some(&skew(&realm, NOW + 2000)))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PeerClockSkew { offset: 2000 });
}

#[test]
fn initiator_does_not_follow_skew_outside_of_the_tickets_life_or_against_policy() {
    let realm = realm();
    let ticket = || {
        realm
            .ticket(CLIENT, SERVICE)
            .valid(NOW, NOW + 3600)
            .mint()
            .unwrap()
    };
    for (time, follows) in [
        (NOW - 1, false),
        (NOW, true),
        (NOW + 3599, true),
        (NOW + 3600, false),
    ] {
        let (mut initiator, _) = sent(&realm, Initiator::new(ticket()));
        let outcome = World::new(9).step(&mut initiator, Some(&skew(&realm, time)));
        let refusal = outcome.err().map(|error| error.kind());
        let offset = time - NOW;
        let expected = (!follows).then_some(ErrorKind::PeerClockSkew { offset });
        assert_eq!(refusal, expected, "{time}");
    }
    let (mut initiator, _) = sent(&realm, Initiator::new(ticket()));
    let strict = Policy::default().with_skew_recovery(false);
    let mut world = World::new(9).with_policy(strict);
    assert!(
        world
            .step(&mut initiator, Some(&skew(&realm, NOW)))
            .is_err()
    );
}

#[test]
fn initiator_refuses_expired_ticket_and_unlisted_session_enctype() {
    let realm = realm();
    let start = |builder: countersign_testkit::TicketBuilder<'_>, now| {
        let mut initiator = Initiator::new(builder.mint().unwrap());
        World::new(1)
            .at(now)
            .step(&mut initiator, None)
            .map(drop)
            .map_err(|e| e.kind())
    };
    let short = || realm.ticket(CLIENT, SERVICE).valid(NOW - 10, NOW);
    assert_eq!(start(short(), NOW - 1), Ok(()));
    assert_eq!(start(short(), NOW), Err(ErrorKind::TicketExpired));
    let camellia = Enctype::Camellia128CtsCmac;
    let odd = realm.ticket(CLIENT, SERVICE).session_enctype(camellia);
    assert_eq!(
        start(odd, NOW),
        Err(ErrorKind::EnctypeRefused { enctype: 25 })
    );
}

/// CVE-2016-2125: never delegate to a service that the KDC does not vouch for, nor unasked.
#[test]
fn initiator_delegates_only_when_asked_and_the_ticket_is_ok_as_delegate() {
    let realm = realm();
    let trusted = || {
        realm
            .ticket(CLIENT, SERVICE)
            .add_flags(ticket_flags::OK_AS_DELEGATE)
            .mint()
            .unwrap()
    };
    let minted = realm
        .forwarded_ticket_granting_ticket(CLIENT)
        .mint()
        .unwrap();
    let forwarded = || minted.duplicate();

    let (_, silent) = sent(&realm, Initiator::new(trusted()));
    assert_eq!(silent.gss_checksum().unwrap().delegation, None);

    let (_, asked) = sent(&realm, Initiator::new(trusted()).delegate(forwarded()));
    let cred = asked.gss_checksum().unwrap().delegation.unwrap();
    let opened = countersign_testkit::open_krb_cred(&cred, &asked.session_key).unwrap();
    assert_eq!(opened[0].client.to_string(), "alice@EXAMPLE.COM");
    assert_eq!(opened[0].key.expose(), minted.key.expose());

    let mut untrusted = Initiator::new(ticket(&realm)).delegate(forwarded());
    let kind = World::new(1).step(&mut untrusted, None).unwrap_err().kind();
    assert_eq!(kind, ErrorKind::DelegationRefused);
}

#[test]
fn initiator_asks_for_what_the_caller_named_and_nothing_else() {
    let realm = realm();
    let bits = |initiator| sent(&realm, initiator).1.gss_checksum().unwrap().flags;
    assert_eq!(bits(initiator(&realm)), 2);
    assert_eq!(
        bits(initiator(&realm).request(Flags::CONFIDENTIALITY)),
        2 | 16
    );
    assert_eq!(
        bits(initiator(&realm).require(Flags::REPLAY | Flags::SEQUENCE)),
        2 | 4 | 8
    );
    // What the checksum cannot carry is not sent; where it is required, nothing is.
    assert_eq!(bits(initiator(&realm).request(Flags::ANONYMOUS)), 2);
    let mut required = initiator(&realm).require(Flags::ANONYMOUS);
    let kind = World::new(9).step(&mut required, None).unwrap_err().kind();
    assert_eq!(kind, ErrorKind::FlagsNotGranted(Flags::ANONYMOUS));
}

#[test]
fn initiator_sends_bindings_as_an_independent_hash_has_them() {
    let realm = realm();
    let bindings = ChannelBindings::from_application_data(*b"any channel");
    let (_, received) = sent(&realm, initiator(&realm).channel_bindings(bindings));
    let expected = countersign_testkit::bindings_hash(b"any channel");
    assert_eq!(received.gss_checksum().unwrap().bindings, expected);
    let (_, without) = sent(&realm, initiator(&realm));
    assert_eq!(without.gss_checksum().unwrap().bindings, [0; 16]);
}

#[test]
fn one_way_initiator_knows_no_peer() {
    let realm = realm();
    let mut initiator = initiator(&realm).one_way();
    let step = World::new(3).step(&mut initiator, None).unwrap();
    let Step::Established {
        token: Some(_),
        context,
    } = step
    else {
        panic!("{step:?}")
    };
    assert_eq!(context.peer(), None);
    assert!(!context.flags().contains(Flags::MUTUAL));
}

#[test]
fn initiator_takes_no_token_before_its_own() {
    let realm = realm();
    let kind = World::new(3)
        .step(&mut initiator(&realm), Some(b"hello"))
        .unwrap_err()
        .kind();
    assert_eq!(kind, ErrorKind::TokenUnexpected);
}

#[test]
fn initiator_refuses_large_replies_before_it_looks_at_them() {
    let realm = realm();
    let mut reply = vec![0x60; 65_537];
    for limit in [65_536, 1_000] {
        let refusal = |length: usize| {
            let (mut waiting, _) = sent(&realm, initiator(&realm));
            let policy = Policy::default().with_max_token(limit);
            let mut world = World::new(9).with_policy(policy);
            world
                .step(&mut waiting, Some(&reply[..length]))
                .unwrap_err()
                .kind()
        };
        let length = limit + 1;
        assert_eq!(refusal(length), ErrorKind::TokenTooLarge { length, limit });
        let kind = refusal(limit);
        assert!(matches!(kind, ErrorKind::DefectiveToken(_)), "{kind:?}");
    }
    // Control: an honest reply of exactly the limit.
    let (mut waiting, received) = sent(&realm, initiator(&realm));
    reply = build_reply(received.reply());
    let policy = Policy::default().with_max_token(reply.len());
    let mut world = World::new(9).with_policy(policy);
    assert!(world.step(&mut waiting, Some(&reply)).is_ok());
}

/// MS-KILE §3.2.5.8: an acceptor that does not say that it waits for another AP-REQ waits for none.
#[test]
fn initiator_reports_the_skew_of_an_acceptor_that_does_not_attempt_recovery() {
    let realm = realm();
    let plain = KrbErrorBuilder::new(37, realm.principal(SERVICE));
    let plain = plain.server_time(FixedClock::at(NOW + 1000));
    let extended = b"\x30\x05\xa1\x03\x02\x01\x03".to_vec();
    for (reply, follows) in [
        (skew(&realm, NOW + 1000), true),
        (plain.build().unwrap(), false),
        (plain.data(extended).build().unwrap(), false),
    ] {
        let (mut initiator, _) = sent(&realm, initiator(&realm));
        let outcome = World::new(9).step(&mut initiator, Some(&reply));
        let expected = (!follows).then_some(ErrorKind::PeerClockSkew { offset: 1000 });
        assert_eq!(outcome.err().map(|error| error.kind()), expected);
    }
}
