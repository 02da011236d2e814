//! Authenticators, their time and enctypes, and what they delegate.

use crate::only_the_control_is_accepted;
use crate::support::*;
use countersign_context::crypto::{Enctype, Key, KeyUsage};
use countersign_context::{ErrorKind, Flags, Policy, SspiStatus, Step};
use countersign_testkit::{FixedClock, NOW, SeededRandom, seal_krb_cred};

#[test]
fn acceptor_refuses_clock_skew_at_the_second_on_both_sides() {
    let realm = realm();
    let ticket = ticket(&realm);
    let no_recovery = Policy::default().with_skew_recovery(false);
    let at = |seconds: i64, micros| {
        let token = build(honest(&ticket).time(seconds, micros));
        World::new(1)
            .with_policy(no_recovery.clone())
            .step(&mut acceptor(&realm), Some(&token))
            .map(drop)
    };
    assert_eq!(at(NOW + 300, 0), Ok(()));
    assert_eq!(at(NOW + 300, 1).unwrap_err().kind(), ErrorKind::ClockSkew);
    assert_eq!(at(NOW - 300, 0), Ok(()));
    assert_eq!(
        at(NOW - 301, 999_999).unwrap_err().kind(),
        ErrorKind::ClockSkew
    );
    assert_eq!(
        at(NOW - 301, 0).unwrap_err().status(),
        SspiStatus::SEC_E_TIME_SKEW
    );
}

#[test]
fn acceptor_refuses_authenticator_of_another_client() {
    let realm = realm();
    let ticket = ticket(&realm);
    for other in ["mallory", "alice/admin", "alice@OTHER.COM", ""] {
        only_the_control_is_accepted(
            &realm,
            &build(honest(&ticket)),
            &build(honest(&ticket).client(realm.principal(other))),
            ErrorKind::ClientMismatch,
        );
    }
}

/// RFC 4120 §7.5.1: the authenticator of an AP-REQ has key usage 11 and the session key.
#[test]
fn acceptor_refuses_authenticator_of_another_key_or_usage() {
    let realm = realm();
    let ticket = ticket(&realm);
    let other = Key::new(Enctype::Aes256CtsHmacSha1_96, &[3; 32]).unwrap();
    let control = build(honest(&ticket));
    for bad in [
        build(honest(&ticket).authenticator_key(&other)),
        build(honest(&ticket).usage(KeyUsage::AP_REP)),
        build(honest(&ticket).usage(KeyUsage(7))),
    ] {
        only_the_control_is_accepted(&realm, &control, &bad, ErrorKind::AuthenticatorModified);
    }
}

/// CVE-2022-37966: the policy on enctypes covers the ticket, the session key and the subkey.
#[test]
fn acceptor_refuses_unlisted_enctypes_of_ticket_session_key_and_subkey() {
    let realm = realm();
    let camellia = Enctype::Camellia256CtsCmac;
    let refusal = ErrorKind::EnctypeRefused {
        enctype: camellia.id(),
    };
    let allowed = Policy::default();
    let allowed = allowed
        .clone()
        .with_enctypes(allowed.enctypes().with(camellia));
    let sealed = realm
        .ticket(CLIENT, SERVICE)
        .enctype(camellia)
        .mint()
        .unwrap();
    let session = realm
        .ticket(CLIENT, SERVICE)
        .session_enctype(camellia)
        .mint()
        .unwrap();
    let plain = ticket(&realm);
    for token in [
        build(honest(&sealed)),
        build(honest(&session)),
        build(honest(&plain).fresh_subkey(camellia)),
    ] {
        assert_eq!(refused(&mut acceptor(&realm), &token), refusal);
        let mut world = World::new(1).with_policy(allowed.clone());
        assert!(matches!(
            world.step(&mut acceptor(&realm), Some(&token)),
            Ok(Step::Established { .. })
        ));
    }
}

/// CVE-2025-3576, CVE-2022-38023, CVE-2026-20833.
#[cfg(feature = "rc4")]
#[test]
fn acceptor_refuses_rc4_until_it_is_named() {
    let realm = realm();
    let rc4 = Enctype::Rc4Hmac;
    let ticket = realm
        .ticket(CLIENT, SERVICE)
        .enctype(rc4)
        .session_enctype(rc4)
        .mint()
        .unwrap();
    let token = build(honest(&ticket));
    let refusal = ErrorKind::EnctypeRefused { enctype: 23 };
    assert_eq!(refused(&mut acceptor(&realm), &token), refusal);
    let named = Policy::default();
    let named = named.clone().with_enctypes(named.enctypes().with(rc4));
    let mut world = World::new(1).with_policy(named);
    assert!(world.step(&mut acceptor(&realm), Some(&token)).is_ok());
}

#[test]
fn acceptor_refuses_delegation_of_somebody_elses_ticket() {
    let realm = realm();
    let ticket = ticket(&realm);
    let mut random = SeededRandom::new(8);
    let mut delegating = |client: &str, key: &Key| {
        let forwarded = realm
            .forwarded_ticket_granting_ticket(client)
            .mint()
            .unwrap();
        let cred = seal_krb_cred(&[&forwarded], Some(key), FixedClock::new(), &mut random).unwrap();
        build(honest(&ticket).delegation(cred))
    };
    let session = ticket.session_key().unwrap();
    let mut context = accepted(&mut acceptor(&realm), &delegating(CLIENT, session));
    assert!(context.flags().contains(Flags::DELEGATION));
    let delegated = context.take_delegated().unwrap();
    assert_eq!(delegated.client.to_string(), "alice@EXAMPLE.COM");

    let bad = delegating("mallory", session);
    assert_eq!(
        refused(&mut acceptor(&realm), &bad),
        ErrorKind::DelegationDefective
    );
    let other = Key::new(Enctype::Aes256CtsHmacSha1_96, &[3; 32]).unwrap();
    let bad = delegating(CLIENT, &other);
    assert_eq!(
        refused(&mut acceptor(&realm), &bad),
        ErrorKind::DelegationDefective
    );
    // RFC 4120 §3.6's unencrypted form.
    let forwarded = realm
        .forwarded_ticket_granting_ticket(CLIENT)
        .mint()
        .unwrap();
    let mut random = SeededRandom::new(8);
    let clear = seal_krb_cred(&[&forwarded], None, FixedClock::new(), &mut random).unwrap();
    let bad = build(honest(&ticket).delegation(clear));
    assert_eq!(
        refused(&mut acceptor(&realm), &bad),
        ErrorKind::DelegationDefective
    );
}
