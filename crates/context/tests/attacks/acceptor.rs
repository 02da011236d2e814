//! What an acceptor takes and refuses of odd requests.

use countersign_context::credential::{NameType, Principal};
use countersign_context::crypto::{Enctype, Key};
use countersign_context::kerberos::{Acceptor, AcceptorCredential, ReplayCache, ReplayProtection};
use countersign_context::{ErrorKind, Flags, Step};
use countersign_testkit::flags::gss;
use countersign_testkit::{FixedClock, NOW, SeededRandom};

use crate::support::*;

/// CVE-2015-2697, CVE-2015-3206: names with NUL, without UTF-8, empty and long arrive whole.
#[test]
fn odd_names_arrive_whole_and_are_not_mistaken_for_each_other() {
    let realm = realm();
    let odd: [&[&[u8]]; 7] = [
        &[b"alice\0"],
        &[b"alice\0admin"],
        &[b"\0alice"],
        &[b"alice/admin"],
        &[b"alice", b"admin"],
        &[b"\xff\xfe"],
        &[b""],
    ];
    let names = odd
        .iter()
        .map(|components| Principal::new("EXAMPLE.COM", components.iter(), NameType::PRINCIPAL));
    let long = Principal::new("EXAMPLE.COM", [vec![b'a'; 20_000]], NameType::PRINCIPAL);
    let realms = [&b"\0EXAMPLE.COM"[..], b"EXAMPLE.COM\0", b"example.com", b""];
    let realms = realms.map(|name| Principal::new(name, ["alice"], NameType::PRINCIPAL));
    let names: Vec<Principal> = names.chain(realms).chain([long]).collect();
    for name in &names {
        let ticket = realm
            .ticket_for(name.clone(), realm.principal(SERVICE))
            .mint()
            .unwrap();
        let context = accepted(&mut acceptor(&realm), &build(honest(&ticket)));
        assert_eq!(context.peer().unwrap().principal(), Some(name));
        for other in names.iter().filter(|other| *other != name) {
            let bad = build(honest(&ticket).client(other.clone()));
            assert_eq!(
                refused(&mut acceptor(&realm), &bad),
                ErrorKind::ClientMismatch
            );
        }
    }
}

#[test]
fn acceptor_refuses_other_protocol_versions_and_message_types() {
    let realm = realm();
    let ticket = ticket(&realm);
    let good = build(honest(&ticket));
    let old = realm
        .ticket(CLIENT, SERVICE)
        .ticket_version(4)
        .mint()
        .unwrap();
    for bad in [
        build(honest(&ticket).protocol_version(4)),
        build(honest(&ticket).message_type(15)),
        build(honest(&ticket).authenticator_version(4)),
        build(honest(&old)),
    ] {
        accepted(&mut acceptor(&realm), &good);
        let kind = refused(&mut acceptor(&realm), &bad);
        assert!(
            matches!(
                kind,
                ErrorKind::DefectiveToken(_) | ErrorKind::DefectivePlaintext(_)
            ),
            "{kind:?}"
        );
    }
}

/// RFC 4120 §5.3: without a start time the ticket is valid from its authentication.
#[test]
fn a_ticket_without_start_time_is_valid_from_its_authentication() {
    let realm = realm();
    let at = |auth_time| {
        let ticket = realm.ticket(CLIENT, SERVICE).valid(NOW - 10, NOW + 3600);
        let ticket = ticket.auth_time(auth_time).without_start_time();
        build(honest(&ticket.mint().unwrap()))
    };
    accepted(&mut acceptor(&realm), &at(NOW + 300));
    assert_eq!(
        refused(&mut acceptor(&realm), &at(NOW + 301)),
        ErrorKind::TicketNotYetValid
    );
}

/// RFC 8062 §3: an anonymous ticket authenticates nobody, and the context says so.
#[test]
fn an_anonymous_initiator_is_refused_until_named_and_then_known_as_such() {
    let realm = realm();
    let nobody = Principal::new(
        "WELLKNOWN:ANONYMOUS",
        ["WELLKNOWN", "ANONYMOUS"],
        NameType::WELL_KNOWN,
    );
    let ticket = realm.ticket_for(nobody, realm.principal(SERVICE));
    let anonymous = ticket.flags(1 << 15).mint().unwrap();
    let token = build(honest(&anonymous));
    assert_eq!(
        refused(&mut acceptor(&realm), &token),
        ErrorKind::AnonymousRefused
    );
    let named = countersign_context::Policy::default().with_anonymous_initiators(true);
    let step = World::new(1)
        .with_policy(named)
        .step(&mut acceptor(&realm), Some(&token));
    let Ok(Step::Established { context, .. }) = step else {
        panic!("{step:?}")
    };
    assert!(context.flags().contains(Flags::ANONYMOUS));
    // Nobody becomes anonymous by asking for it.
    let asked = build(honest(&self::ticket(&realm)).gss_flags(gss::MUTUAL | 0x40));
    let context = accepted(&mut acceptor(&realm), &asked);
    assert!(!context.flags().contains(Flags::ANONYMOUS));
}

/// What the initiator does not say of subkey and sequence number is taken as RFC 4121 has it.
#[test]
fn acceptor_accepts_what_rfc_4120_leaves_optional() {
    let realm = realm();
    let ticket = ticket(&realm);
    let request = honest(&ticket).seq_number(None).gss_flags(0);
    accepted(&mut acceptor(&realm), &build(request));
    let request = honest(&ticket).fresh_subkey(Enctype::Aes128CtsHmacSha1_96);
    let context = accepted(&mut acceptor(&realm), &build(request));
    assert_eq!(context.enctype(), Some(Enctype::Aes128CtsHmacSha1_96));
}

/// RFC 4537 §3: enctypes that the policy does not permit are passed over, whoever prefers them.
#[test]
fn acceptor_chooses_no_enctype_that_its_policy_forbids() {
    let realm = realm();
    let ticket = ticket(&realm);
    let preferring = |list: &[u8]| {
        let data = countersign_testkit::if_relevant(&[(129, list.to_vec())]).unwrap();
        let request = build(honest(&ticket).authorization_data(vec![data]));
        accepted(&mut acceptor(&realm), &request).enctype().unwrap()
    };
    // SEQUENCE OF Int32: 26 (camellia256), 23 (rc4-hmac), 99, 17.
    let list = b"\x30\x0c\x02\x01\x1a\x02\x01\x17\x02\x01\x63\x02\x01\x11";
    assert_eq!(preferring(list), Enctype::Aes128CtsHmacSha1_96);
    // The first list counts.
    let two = [
        (129, b"\x30\x03\x02\x01\x11".to_vec()),
        (129, b"\x30\x03\x02\x01\x14".to_vec()),
    ];
    let two = countersign_testkit::if_relevant(&two).unwrap();
    let request = build(honest(&ticket).authorization_data(vec![two]));
    let context = accepted(&mut acceptor(&realm), &request);
    assert_eq!(context.enctype(), Some(Enctype::Aes128CtsHmacSha1_96));
    let own = ticket.session_key().unwrap().enctype();
    for nothing in [&b"\x30\x00"[..], b"\x30\x03\x02\x01\x17", b"\x30", b""] {
        assert_eq!(preferring(nothing), own);
    }
}

/// RFC 4121 §4.1.1: credentials without the flag are extensions, which nobody reads as such.
#[test]
fn acceptor_takes_no_delegation_that_the_flags_do_not_announce() {
    let realm = realm();
    let ticket = ticket(&realm);
    let flag_alone = build(honest(&ticket).gss_flags(gss::MUTUAL | 1));
    let mut context = accepted(&mut acceptor(&realm), &flag_alone);
    assert!(!context.flags().contains(Flags::DELEGATION));
    assert!(context.take_delegated().is_none());

    let subkey = Key::new(Enctype::Aes128CtsHmacSha1_96, &[3; 16]).unwrap();
    let forwarded = realm
        .forwarded_ticket_granting_ticket(CLIENT)
        .mint()
        .unwrap();
    let cred = countersign_testkit::seal_krb_cred(
        &[&forwarded],
        Some(&subkey),
        FixedClock::new(),
        &mut SeededRandom::new(8),
    )
    .unwrap();
    let with = || {
        honest(&ticket)
            .subkey(subkey.duplicate())
            .delegation(cred.clone())
    };
    let announced = build(with());
    let mut context = accepted(&mut acceptor(&realm), &announced);
    assert!(context.take_delegated().is_some());
    let credentials_alone = with().gss_flags(gss::MUTUAL);
    let kind = refused(&mut acceptor(&realm), &build(credentials_alone));
    assert!(matches!(kind, ErrorKind::ChecksumDefective(_)), "{kind:?}");
}

#[test]
fn acceptor_opens_delegation_sealed_with_the_subkey() {
    let realm = realm();
    let ticket = ticket(&realm);
    let subkey = Key::new(Enctype::Aes128CtsHmacSha1_96, &[3; 16]).unwrap();
    let forwarded = realm
        .forwarded_ticket_granting_ticket(CLIENT)
        .mint()
        .unwrap();
    let mut random = SeededRandom::new(8);
    let cred = countersign_testkit::seal_krb_cred(
        &[&forwarded],
        Some(&subkey),
        FixedClock::new(),
        &mut random,
    );
    let cred = cred.unwrap();
    let with = honest(&ticket)
        .subkey(subkey.duplicate())
        .delegation(cred.clone());
    let mut context = accepted(&mut acceptor(&realm), &build(with));
    assert!(context.take_delegated().is_some());
    let without = build(honest(&ticket).delegation(cred));
    assert_eq!(
        refused(&mut acceptor(&realm), &without),
        ErrorKind::DelegationDefective
    );
}

/// CVE-2024-26461, CVE-2026-3039: what is refused leaves nothing behind.
#[test]
fn refused_requests_take_no_room_in_the_replay_cache() {
    let realm = realm();
    let ticket = ticket(&realm);
    let cache = std::sync::Arc::new(ReplayCache::new(4));
    let credential = AcceptorCredential::new(&keytab(&realm))
        .with_replay_protection(ReplayProtection::Shared(cache.clone()));
    let good = build(honest(&ticket));
    for cut in 0..good.len() {
        assert!(accept(&mut Acceptor::new(&credential), &good[..cut]).is_err());
    }
    for bad in [
        build(honest(&ticket).no_checksum()),
        build(honest(&ticket).time(NOW + 9999, 0)),
        build(honest(&ticket).client(realm.principal("mallory"))),
    ] {
        let _ = accept(&mut Acceptor::new(&credential), &bad);
    }
    let strict = Acceptor::new(&credential).require(Flags::DELEGATION);
    assert!(accept(&mut { strict }, &good).is_err());
    assert!(cache.is_empty());
    accepted(&mut Acceptor::new(&credential), &good);
    assert!(!cache.is_empty());
    assert_eq!(cache.len(), 1);
}
