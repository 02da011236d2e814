//! DCE style: the third leg.

use countersign_context::crypto::{Enctype, Key, KeyUsage};
use countersign_context::kerberos::Acceptor;
use countersign_context::{ErrorKind, Step};
use countersign_testkit::flags::gss;
use countersign_testkit::framing::Framing;
use countersign_testkit::{ApRepBuilder, FixedClock, Realm, SeededRandom};

use crate::support::*;

/// An acceptor that waits for the third leg, what it sent, and the ticket's session key.
fn third_leg_due(realm: &Realm) -> (Acceptor, Vec<u8>, Key) {
    let ticket = ticket(realm);
    let mut acceptor = acceptor(realm);
    let first = build(
        honest(&ticket)
            .gss_flags(gss::DCE_STYLE | gss::MUTUAL)
            .framing(Framing::Bare),
    );
    match accept(&mut acceptor, &first).unwrap() {
        Step::Continue { token } => (acceptor, token, ticket.session_key().unwrap().duplicate()),
        step => panic!("not the second leg: {step:?}"),
    }
}

/// A third leg as MIT krb5 makes it, unless changed.
fn third_leg(
    key: &Key,
    sequence: Option<u32>,
    change: impl FnOnce(ApRepBuilder<'static>) -> ApRepBuilder<'static>,
) -> Vec<u8> {
    let builder = ApRepBuilder::new(key, FixedClock::new())
        .seq_number(sequence)
        .framing(Framing::Bare);
    change(builder).build(&mut SeededRandom::new(6)).unwrap()
}

fn second_leg_sequence(second: &[u8], key: &Key) -> Option<u32> {
    countersign_testkit::read_ap_rep(second, key)
        .unwrap()
        .seq_number
}

#[test]
fn acceptor_refuses_its_own_reply_reflected_as_the_third_leg() {
    let realm = realm();
    let (mut acceptor, second, key) = third_leg_due(&realm);
    let sequence = second_leg_sequence(&second, &key);
    let honest = third_leg(&key, sequence, |reply| reply);
    assert!(matches!(
        accept(&mut acceptor, &honest),
        Ok(Step::Established { token: None, .. })
    ));

    let (mut acceptor, second, _) = third_leg_due(&realm);
    assert_eq!(refused(&mut acceptor, &second), ErrorKind::MessageReflected);
}

/// A subkey of the initiator's in the third leg is nothing to refuse it for.
#[test]
fn acceptor_accepts_a_third_leg_with_another_subkey() {
    let realm = realm();
    let (mut acceptor, second, key) = third_leg_due(&realm);
    let subkey = Key::new(Enctype::Aes256CtsHmacSha1_96, &[3; 32]).unwrap();
    let sequence = second_leg_sequence(&second, &key);
    let leg = third_leg(&key, sequence, |reply| reply.subkey(subkey));
    assert!(accept(&mut acceptor, &leg).is_ok());
}

#[test]
fn acceptor_refuses_third_leg_of_another_sequence_key_or_usage() {
    let realm = realm();
    let other = Key::new(Enctype::Aes256CtsHmacSha1_96, &[3; 32]).unwrap();
    type Change<'a> = &'a dyn Fn(ApRepBuilder<'static>, u32) -> ApRepBuilder<'static>;
    let changes: [(bool, Change<'_>); 6] = [
        (true, &|reply, _| reply),
        (false, &|reply, number| reply.seq_number(Some(number ^ 1))),
        (false, &|reply, _| reply.seq_number(None)),
        (false, &|reply, _| reply.key(&other)),
        (false, &|reply, _| {
            reply.usage(KeyUsage::AP_REQ_AUTHENTICATOR)
        }),
        (false, &|reply, _| reply.etype(17)),
    ];
    for (honest, change) in changes {
        let (mut acceptor, second, key) = third_leg_due(&realm);
        let sequence = second_leg_sequence(&second, &key).unwrap();
        let leg = third_leg(&key, Some(sequence), |reply| change(reply, sequence));
        match honest {
            true => assert!(accept(&mut acceptor, &leg).is_ok()),
            false => assert_eq!(
                refused(&mut acceptor, &leg),
                ErrorKind::AuthenticatorModified
            ),
        }
    }
}
