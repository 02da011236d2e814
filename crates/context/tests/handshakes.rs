//! Both sides of our own, end to end.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests are tests too

mod support;

use std::sync::Arc;

use countersign_context::crypto::Enctype;
use countersign_context::kerberos::{Acceptor, AcceptorCredential, Initiator};
use countersign_context::{ChannelBindings, EnctypeSet, Flags, Mechanism, Policy, Step, Timestamp};
use countersign_testkit::flags::ticket as ticket_flags;
use countersign_testkit::{FailingRandom, NOW};
use support::*;

const PROTECTION: Flags = Flags::CONFIDENTIALITY.union(Flags::INTEGRITY);

fn every_enctype() -> Vec<Enctype> {
    (0..64).filter_map(Enctype::from_id).collect()
}

fn assert_talk(
    here: &mut countersign_context::SecurityContext,
    there: &mut countersign_context::SecurityContext,
) {
    for seal in [true, false] {
        let message = b"a message of some length, to be protected";
        let token = here.wrap(seal, message).unwrap();
        let opened = there.unwrap(&token).unwrap();
        assert_eq!((&opened.message[..], opened.sealed), (&message[..], seal));
        let token = there.wrap(seal, message).unwrap();
        assert_eq!(here.unwrap(&token).unwrap().message, message);
        let mic = here.get_mic(message).unwrap();
        there.verify_mic(message, &mic).unwrap();
    }
}

#[test]
fn contexts_talk_in_every_enctype_and_style() {
    let realm = realm();
    for enctype in every_enctype() {
        for style in ["mutual", "one-way", "dce"] {
            let ticket = realm
                .ticket(CLIENT, SERVICE)
                .enctype(enctype)
                .session_enctype(enctype);
            let initiator = Initiator::new(ticket.mint().unwrap())
                .require(PROTECTION | Flags::REPLAY | Flags::SEQUENCE);
            let mut initiator = match style {
                "one-way" => initiator.one_way(),
                "dce" => initiator.dce_style(),
                _ => initiator,
            };
            let policy = Policy::default().with_enctypes(EnctypeSet::of(&[enctype]));
            let mut here = World::new(3).with_policy(policy.clone());
            let mut there = World::new(4).with_policy(policy);
            let (mut ours, mut theirs) =
                establish_in(&mut initiator, &mut here, &mut acceptor(&realm), &mut there)
                    .unwrap_or_else(|error| panic!("{enctype:?} {style}: {error}"));
            assert_eq!(ours.flags(), theirs.flags(), "{enctype:?} {style}");
            assert_eq!(ours.session_key().expose(), theirs.session_key().expose());
            assert_eq!(theirs.peer().unwrap().to_string(), "alice@EXAMPLE.COM");
            if style != "dce" {
                assert_talk(&mut ours, &mut theirs);
            }
        }
    }
}

/// RFC 4537: the acceptor's subkey is of the best enctype that both permit.
#[test]
fn acceptor_upgrades_to_an_enctype_that_the_initiator_prefers() {
    let realm = realm();
    let ticket = realm
        .ticket(CLIENT, SERVICE)
        .session_enctype(Enctype::Aes128CtsHmacSha1_96);
    let initiator = Initiator::new(ticket.mint().unwrap()).require(PROTECTION);
    let (ours, theirs) = establish(initiator, acceptor(&realm)).unwrap();
    assert_eq!(ours.enctype(), Some(Enctype::Aes256CtsHmacSha384_192));
    assert_eq!(theirs.enctype(), Some(Enctype::Aes256CtsHmacSha384_192));
}

#[test]
fn both_sides_recover_from_clock_skew_once() {
    let realm = realm();
    for offset in [-3000, 3000] {
        let mut initiator = Initiator::new(ticket(&realm)).require(PROTECTION);
        let mut here = World::new(3).at(NOW + 4000);
        let mut there = World::new(4).at(NOW + 4000 + offset);
        let (mut ours, mut theirs) =
            establish_in(&mut initiator, &mut here, &mut acceptor(&realm), &mut there).unwrap();
        assert_talk(&mut ours, &mut theirs);
    }
}

#[test]
fn acceptor_waits_for_one_more_request_after_skew_and_no_further() {
    let realm = realm();
    let ticket = ticket(&realm);
    let skewed = |time| build(honest(&ticket).time(time, 0));
    let mut acceptor = acceptor(&realm);
    assert!(matches!(
        accept(&mut acceptor, &skewed(NOW + 500)),
        Ok(Step::Continue { .. })
    ));
    assert!(accept(&mut acceptor, &skewed(NOW + 600)).is_err());
    assert!(accept(&mut acceptor, &skewed(NOW)).is_err());
}

#[test]
fn channel_bindings_tie_both_sides() {
    let realm = realm();
    let bindings = |byte| ChannelBindings::tls_exporter(&[byte; 32]);
    let initiator = || Initiator::new(ticket(&realm)).channel_bindings(bindings(1));
    let (_, theirs) =
        establish(initiator(), acceptor(&realm).channel_bindings(bindings(1))).unwrap();
    assert!(theirs.flags().contains(Flags::CHANNEL_BOUND));
    assert!(establish(initiator(), acceptor(&realm).channel_bindings(bindings(2))).is_err());
}

#[test]
fn delegation_arrives_as_a_credential_that_works() {
    let realm = realm();
    let trusted = realm
        .ticket(CLIENT, SERVICE)
        .add_flags(ticket_flags::OK_AS_DELEGATE);
    let forwarded = realm
        .forwarded_ticket_granting_ticket(CLIENT)
        .mint()
        .unwrap();
    let (ticket, times) = (forwarded.ticket.clone(), forwarded.times);
    let initiator = Initiator::new(trusted.mint().unwrap()).delegate(forwarded);
    let (_, mut theirs) =
        establish(initiator, acceptor(&realm).require(Flags::DELEGATION)).unwrap();
    let delegated = theirs.take_delegated().unwrap();
    assert_eq!(delegated.ticket, ticket);
    assert_eq!(delegated.times, times);
    assert_eq!(
        delegated.server.to_string(),
        "krbtgt/EXAMPLE.COM@EXAMPLE.COM"
    );
    assert!(delegated.session_key().is_ok());
    assert!(theirs.take_delegated().is_none());
}

/// A hundred thousand half-open contexts in a map.
#[test]
fn an_initiators_ticket_is_kept_where_that_is_asked_for() {
    let realm = realm();
    let sent = ticket(&realm);
    let establish_with = |acceptor| {
        let initiator = Initiator::new(sent.duplicate());
        establish(initiator, acceptor).unwrap()
    };
    let (ours, mut theirs) = establish_with(acceptor(&realm).keep_evidence());
    let kept = theirs.take_evidence().unwrap();
    assert_eq!(kept.ticket, sent.ticket);
    assert_eq!((&kept.client, &kept.server), (&sent.client, &sent.server));
    assert_eq!((kept.flags, kept.times), (sent.flags, sent.times));
    let key = sent.session_key().unwrap();
    assert_eq!(kept.session_key().unwrap().expose(), key.expose());
    assert!(theirs.take_evidence().is_none());
    // When the client authenticated is known to both, asked for or not.
    let authenticated = Timestamp::from_unix(sent.times.auth_time);
    assert_eq!(ours.auth_time(), Some(authenticated));
    let (_, mut theirs) = establish_with(acceptor(&realm));
    assert!(theirs.take_evidence().is_none());
    assert_eq!(theirs.auth_time(), Some(authenticated));
}

#[test]
fn half_open_contexts_are_small_and_can_be_sent_between_threads() {
    fn parked<T: Send + Sync + 'static>() {}
    parked::<Acceptor>();
    parked::<Initiator>();
    parked::<AcceptorCredential>();
    parked::<countersign_context::SecurityContext>();
    parked::<Step>();
    parked::<countersign_context::Error>();
    assert!(size_of::<Acceptor>() <= 512, "{}", size_of::<Acceptor>());
    assert!(size_of::<Initiator>() <= 512, "{}", size_of::<Initiator>());
}

#[test]
fn a_failing_random_source_is_an_error_of_either_side() {
    use countersign_context::{Environment, ErrorKind, Mechanism, Timestamp};
    let realm = realm();
    let ticket = Arc::new(ticket(&realm));
    let token = build(honest(&ticket));
    let mut failures = 0;
    for calls in 0..16 {
        let mut random = FailingRandom::after(calls);
        let mut env = Environment::new(Timestamp::from_unix(NOW), &mut random);
        let sides: [(&mut dyn Mechanism, Option<&[u8]>); 2] = [
            (&mut Initiator::new(ticket.clone()), None),
            (&mut acceptor(&realm), Some(&token)),
        ];
        for (side, token) in sides {
            match side.step(token, &mut env) {
                Ok(_) => {}
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Random);
                    failures += 1;
                }
            }
        }
    }
    assert!((2..32).contains(&failures), "{failures}");
}

/// In three legs the acceptor's key exists before the initiator's last token.
#[test]
fn acceptor_of_three_legs_has_its_session_key_before_the_last() {
    let realm = realm();
    let mut initiator = Initiator::new(ticket(&realm)).dce_style();
    let mut acceptor = acceptor(&realm);
    let (mut here, mut there) = (World::new(3), World::new(4));
    let Ok(Step::Continue { token }) = here.step(&mut initiator, None) else {
        panic!()
    };
    assert!(acceptor.session_key().is_none());
    let Ok(Step::Continue { token }) = there.step(&mut acceptor, Some(&token)) else {
        panic!()
    };
    let early = acceptor.session_key().unwrap().expose().to_vec();
    let Ok(Step::Established { token, context }) = here.step(&mut initiator, Some(&token)) else {
        panic!()
    };
    assert_eq!(context.session_key().expose(), early);
    let Ok(Step::Established { context, .. }) = there.step(&mut acceptor, token.as_deref()) else {
        panic!()
    };
    assert_eq!(context.session_key().expose(), early);
    assert!(acceptor.session_key().is_none());
}
