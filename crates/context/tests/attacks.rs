//! Attacks that cross the two sides, or that need what only a client or a KDC has; each beside a
//! control that succeeds.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests are tests too

mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};

use countersign_context::credential::{NameType, Principal};
use countersign_context::crypto::{Enctype, Key, KeyUsage, Random, RandomError};
use countersign_context::kerberos::{
    Acceptor, AcceptorCredential, Initiator, ReplayCache, ReplayProtection, ServicePattern,
};
use countersign_context::{
    Answer, Environment, ErrorKind, Flags, Mechanism, ReplayVerdict, SecurityContext, Step,
    Timestamp,
};
use countersign_testkit::flags::{gss, ticket as ticket_flags};
use countersign_testkit::framing::Framing;
use countersign_testkit::{
    ApRepBuilder, FixedClock, NOW, RawAcceptor, Realm, SeededRandom, read_krb_error,
};
use support::*;

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

/// CVE-2025-33073: a ticket for one service, renamed on the way to pass for another.
#[test]
fn a_wildcard_is_not_opened_by_the_key_of_a_service_outside_of_it() {
    let realm = realm();
    let keytab = realm.keytab(&[SERVICE, "cifs/www.example.com"]).unwrap();
    let listed = |patterns: &[&str]| {
        let services = patterns.iter().map(|p| ServicePattern::parse(p).unwrap());
        Acceptor::new(&AcceptorCredential::new(&keytab).with_services(services))
    };
    let renamed = |service: &str| {
        let ticket = realm
            .ticket(CLIENT, service)
            .cleartext_server("HTTP/alias.example.com");
        build(honest(&ticket.mint().unwrap()))
    };
    let (web, files) = (renamed(SERVICE), renamed("cifs/www.example.com"));
    accepted(&mut listed(&["HTTP/*"]), &web);
    assert_eq!(
        refused(&mut listed(&["HTTP/*"]), &files),
        ErrorKind::TicketModified
    );
    assert_eq!(
        refused(&mut listed(&["HTTP/*", "cifs/*"]), &files),
        ErrorKind::TicketModified
    );
    // An alias that is listed in full may be one of either.
    accepted(&mut listed(&["HTTP/alias.example.com"]), &web);
    accepted(&mut listed(&["HTTP/alias.example.com"]), &files);
    // Names that the keytab has take their own keys alone.
    let swapped = realm
        .ticket(CLIENT, "cifs/www.example.com")
        .cleartext_server(SERVICE);
    let swapped = build(honest(&swapped.mint().unwrap()));
    assert_eq!(
        refused(&mut listed(&[SERVICE]), &swapped),
        ErrorKind::TicketModified
    );
}

/// An alias is one of a realm that the keytab has keys of.
#[test]
fn acceptor_refuses_alias_in_a_realm_that_it_has_no_key_of() {
    let (realm, foreign) = (realm(), Realm::new("FOREIGN.ORG", 1));
    let service = ServicePattern::parse("HTTP/alias.example.com").unwrap();
    let credential = AcceptorCredential::new(&keytab(&realm)).with_services([service]);
    let key = realm.key(&realm.principal(SERVICE), Enctype::Aes256CtsHmacSha1_96, 1);
    let key = key.unwrap();
    let token = |realm: &Realm| {
        let ticket = realm
            .ticket(CLIENT, "HTTP/alias.example.com")
            .enctype(Enctype::Aes256CtsHmacSha1_96)
            .service_key(key.duplicate());
        build(honest(&ticket.mint().unwrap()))
    };
    accepted(&mut Acceptor::new(&credential), &token(&realm));
    let kind = refused(&mut Acceptor::new(&credential), &token(&foreign));
    assert!(matches!(kind, ErrorKind::NoKey { .. }), "{kind:?}");
}

#[test]
fn errors_to_strangers_name_only_what_the_acceptor_answers_for() {
    let realm = realm();
    let keytab = realm.keytab(&["kadmin/admin", SERVICE]).unwrap();
    let named = |credential: AcceptorCredential| {
        let bad = realm.ticket(CLIENT, "host/elsewhere").mint().unwrap();
        let error = accept(&mut Acceptor::new(&credential), &build(honest(&bad))).unwrap_err();
        let told = read_krb_error(error.token().unwrap()).unwrap();
        told.sname
            .string
            .iter()
            .map(|s| s.to_vec())
            .collect::<Vec<_>>()
    };
    assert_eq!(named(AcceptorCredential::new(&keytab))[0], b"kadmin");
    let listed = AcceptorCredential::new(&keytab);
    let listed = listed.with_services([ServicePattern::parse(SERVICE).unwrap()]);
    assert_eq!(named(listed), [&b"HTTP"[..], b"www.example.com"]);
}

/// An AP-REP is matched to its AP-REQ by the time in both: one that is stolen from a context begun
/// at the same moment of a coarse clock must not fit.
#[test]
fn initiator_refuses_the_reply_to_another_of_its_contexts() {
    let realm = realm();
    let ticket = std::sync::Arc::new(ticket(&realm));
    for micros in [0, 25_000] {
        let begin = |seed| {
            let mut initiator = Initiator::new(ticket.clone());
            let mut world = World::new(seed);
            world.micros = micros;
            let Ok(Step::Continue { token }) = world.step(&mut initiator, None) else {
                panic!("begins")
            };
            (initiator, token)
        };
        let reply = |token: &[u8]| {
            let received = RawAcceptor::new(&keytab(&realm)).accept(token).unwrap();
            assert_eq!(received.clock.seconds, NOW);
            received.reply().build(&mut SeededRandom::new(6)).unwrap()
        };
        let ((mut first, token), (mut second, _)) = (begin(1), begin(2));
        let reply = reply(&token);
        let kind = World::new(9)
            .step(&mut second, Some(&reply))
            .unwrap_err()
            .kind();
        assert_eq!(kind, ErrorKind::MutualAuthenticationFailed);
        assert!(World::new(9).step(&mut first, Some(&reply)).is_ok());
    }
}

/// The same where somebody between sends one KRB-ERROR to two contexts, each of which then follows the
/// clock that it tells, to the microsecond.
#[test]
fn initiators_that_follow_one_clock_are_not_taken_for_each_other() {
    let realm = realm();
    let ticket = std::sync::Arc::new(ticket(&realm));
    let begin = |seed| {
        let mut initiator = Initiator::new(ticket.clone());
        let mut world = World::new(seed);
        world.micros = u32::try_from(seed).unwrap();
        let Ok(Step::Continue { token }) = world.step(&mut initiator, None) else {
            panic!("begins")
        };
        (initiator, world, token)
    };
    let ((mut first, mut here, token), (mut second, mut there, _)) = (begin(1), begin(2));
    let mut far = World::new(4).at(NOW + 1000);
    far.micros = 123_457;
    let Ok(Step::Continue { token: error }) = far.step(&mut acceptor(&realm), Some(&token)) else {
        panic!("tells its time")
    };
    let follow = |initiator: &mut Initiator, world: &mut World| {
        let Ok(Step::Continue { token }) = world.step(initiator, Some(&error)) else {
            panic!("follows")
        };
        RawAcceptor::new(&keytab(&realm)).accept(&token).unwrap()
    };
    let requests = (
        follow(&mut first, &mut here),
        follow(&mut second, &mut there),
    );
    assert_eq!(requests.0.clock.seconds, NOW + 1000);
    assert_eq!(requests.1.clock.seconds, NOW + 1000);
    let reply = requests.0.reply().build(&mut SeededRandom::new(6)).unwrap();
    let refusal = there.step(&mut second, Some(&reply)).unwrap_err().kind();
    assert_eq!(refusal, ErrorKind::MutualAuthenticationFailed);
    assert!(here.step(&mut first, Some(&reply)).is_ok());
}

#[test]
fn initiator_tells_the_time_that_its_clock_resolves() {
    let realm = realm();
    for (micros, range) in [
        (0, 0..1_000_000),
        (25_000, 25_000..26_000),
        (25_001, 25_001..25_002),
    ] {
        let mut world = World::new(1);
        world.micros = micros;
        let Ok(Step::Continue { token }) = world.step(&mut Initiator::new(ticket(&realm)), None)
        else {
            panic!("begins")
        };
        let received = RawAcceptor::new(&keytab(&realm)).accept(&token).unwrap();
        assert!(range.contains(&received.clock.microseconds));
    }
}

/// What is drawn is drawn from all that can be: numbers of 30 bits, as old peers read a sign, and
/// every microsecond of a clock of whole seconds.
#[test]
fn sequence_numbers_and_unresolved_time_are_drawn_from_their_whole_range() {
    let realm = realm();
    let ticket = std::sync::Arc::new(ticket(&realm));
    let (mut numbers, mut micros) = ((u32::MAX, 0), 0);
    for seed in 0..64 {
        let mut initiator = Initiator::new(ticket.clone());
        let Ok(Step::Continue { token }) = World::new(seed).step(&mut initiator, None) else {
            panic!("begins")
        };
        let received = RawAcceptor::new(&keytab(&realm)).accept(&token).unwrap();
        let number = received.seq_number.unwrap();
        assert!(number < 1 << 30);
        numbers = (numbers.0 & number, numbers.1 | number);
        micros = micros.max(received.clock.microseconds);
    }
    assert_eq!(numbers, (0, (1 << 30) - 1), "each bit is drawn");
    assert!(micros > 500_000);
}

/// Identities of one context cannot become those of another connection's by a copy of the context
/// (CVE-2014-0015).
#[test]
fn contexts_cannot_be_copied() {
    use std::marker::PhantomData;
    struct Probe<T>(PhantomData<T>);
    trait Otherwise {
        fn is_clone(&self) -> bool {
            false
        }
    }
    impl<T> Otherwise for Probe<T> {}
    impl<T: Clone> Probe<T> {
        fn is_clone(&self) -> bool {
            true
        }
    }
    assert!(Probe::<AcceptorCredential>(PhantomData).is_clone());
    assert!(!Probe::<SecurityContext>(PhantomData).is_clone());
    assert!(!Probe::<Acceptor>(PhantomData).is_clone());
    assert!(!Probe::<Initiator>(PhantomData).is_clone());
}

#[test]
fn initiator_of_three_legs_is_mutual_whatever_else_was_asked() {
    let realm = realm();
    let mut initiator = Initiator::new(ticket(&realm)).dce_style().one_way();
    let step = World::new(1).step(&mut initiator, None).unwrap();
    assert!(matches!(step, Step::Continue { .. }), "{step:?}");
    // Control: without three legs it is established at once.
    let mut initiator = Initiator::new(ticket(&realm)).one_way();
    let step = World::new(1).step(&mut initiator, None).unwrap();
    assert!(matches!(step, Step::Established { .. }), "{step:?}");
}

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

/// Clocks at either end of time are no reason to panic.
#[test]
fn extreme_clocks_are_refused_or_served_without_panic() {
    let realm = realm();
    let token = build(honest(&ticket(&realm)));
    accepted(&mut acceptor(&realm), &token);
    for now in [
        i64::MIN,
        i64::MIN + 301,
        -1,
        0,
        253_402_300_800,
        i64::MAX - 1,
        i64::MAX,
    ] {
        assert!(
            World::new(1)
                .at(now)
                .step(&mut acceptor(&realm), Some(&token))
                .is_err()
        );
        let mut initiator = Initiator::new(ticket(&realm));
        let _ = World::new(1).at(now).step(&mut initiator, None);
    }
}

/// A caller's random source that panics leaves a context that is over, not one in a false state.
#[test]
fn a_step_that_panicked_is_never_resumed() {
    struct Panicking;
    impl Random for Panicking {
        fn fill(&mut self, _: &mut [u8]) -> Result<(), RandomError> {
            panic!("the caller's")
        }
    }
    let realm = realm();
    let token = build(honest(&ticket(&realm)));
    type Side<'a> = (Box<dyn Mechanism>, Option<&'a [u8]>);
    let sides: [Side<'_>; 2] = [
        (Box::new(Initiator::new(ticket(&realm))), None),
        (Box::new(acceptor(&realm)), Some(&token)),
    ];
    for (mut side, token) in sides {
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let mut random = Panicking;
            let mut env = Environment::new(Timestamp::from_unix(NOW), &mut random);
            side.step(token, &mut env).map(drop)
        }));
        assert!(panicked.is_err());
        let kind = World::new(1).step(side.as_mut(), token).unwrap_err().kind();
        assert!(matches!(kind, ErrorKind::Internal(_)), "{kind:?}");
    }
}

#[test]
fn answers_that_nothing_asked_for_change_nothing() {
    let realm = realm();
    let token = build(honest(&ticket(&realm)));
    let mut random = SeededRandom::new(1);
    let mut env = Environment::new(Timestamp::from_unix(NOW), &mut random);
    let answer = || Answer::Replay(ReplayVerdict::Fresh);
    let mut waiting = acceptor(&realm);
    let kind = waiting.resume(answer(), &mut env).unwrap_err().kind();
    assert_eq!(kind, ErrorKind::UnexpectedCall);
    accepted(&mut waiting, &token);
    let kind = waiting.resume(answer(), &mut env).unwrap_err().kind();
    assert_eq!(kind, ErrorKind::AlreadyEstablished);

    let mut initiator = Initiator::new(ticket(&realm)).one_way();
    let kind = initiator.resume(answer(), &mut env).unwrap_err().kind();
    assert_eq!(kind, ErrorKind::UnexpectedCall);
    assert!(initiator.step(None, &mut env).is_ok());
    for _ in 0..2 {
        let kind = initiator.resume(answer(), &mut env).unwrap_err().kind();
        assert_eq!(kind, ErrorKind::AlreadyEstablished);
        let kind = initiator.step(None, &mut env).unwrap_err().kind();
        assert_eq!(kind, ErrorKind::AlreadyEstablished);
    }
}

#[test]
fn nothing_that_is_printed_holds_a_key() {
    let realm = realm();
    let ticket = realm
        .ticket(CLIENT, SERVICE)
        .session_key(Key::new(Enctype::Aes256CtsHmacSha1_96, &[0xa7; 32]).unwrap())
        .add_flags(ticket_flags::OK_AS_DELEGATE)
        .mint()
        .unwrap();
    let credential = AcceptorCredential::new(&keytab(&realm));
    let mut acceptor = Acceptor::new(&credential);
    let mut initiator = Initiator::new(ticket).dce_style();
    let mut printed = format!("{credential:?}{acceptor:?}{initiator:?}");
    let (mut here, mut there) = (World::new(3), World::new(4));
    let first = here.step(&mut initiator, None).unwrap();
    let Step::Continue { token } = &first else {
        panic!("{first:?}")
    };
    let second = there.step(&mut acceptor, Some(token)).unwrap();
    printed += &format!("{initiator:?}{acceptor:?}");
    let Step::Continue { token } = &second else {
        panic!("{second:?}")
    };
    let Ok(Step::Established { context, .. }) = here.step(&mut initiator, Some(token)) else {
        panic!("established")
    };
    printed += &format!("{initiator:?}{context:?}");
    // Control: what may be printed is.
    assert!(printed.contains("alice@EXAMPLE.COM") || printed.contains("alice"));
    let service_keys = keytab(&realm);
    let secrets = service_keys
        .entries()
        .iter()
        .filter_map(|entry| entry.key())
        .map(|key| key.expose().to_vec())
        .chain([vec![0xa7; 32], context.session_key().expose().to_vec()]);
    for secret in secrets {
        let decimal: Vec<String> = secret[..4].iter().map(u8::to_string).collect();
        let hex: String = secret[..4].iter().map(|b| format!("{b:02x}")).collect();
        for form in [
            decimal.join(", "),
            decimal.join(" "),
            hex.to_uppercase(),
            hex,
        ] {
            assert!(!printed.contains(&form), "{form} in {printed}");
        }
    }
}
