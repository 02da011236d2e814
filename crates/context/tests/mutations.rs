//! Every prefix, every single-bit flip and many random mutations of each token: a typed error, no
//! panic, no false accept.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests are tests too

mod support;

use countersign_context::kerberos::{Acceptor, AcceptorCredential, Initiator};
use countersign_context::{EnctypeSet, Flags, Mechanism, Policy, Step};
use countersign_testkit::flags::gss;
use countersign_testkit::framing::Framing;
use countersign_testkit::{RawAcceptor, SeededRandom};
use support::*;

/// Bytes of an AP-REQ token that nothing protects: the framing's OID may be the other Kerberos OID,
/// the ticket's cleartext names its key version, and MUTUAL-REQUIRED repeats what the checksum says.
/// A token altered there alone may be accepted, as the same client and with the same flags.
fn same_identity(step: &Step, flags: Flags) -> bool {
    match step {
        Step::Established { context, .. } => {
            context
                .peer()
                .is_some_and(|peer| peer.to_string() == "alice@EXAMPLE.COM")
                && context.flags() == flags
        }
        _ => false,
    }
}

/// Feeds one mutation to a fresh acceptor; returns whether it was accepted.
#[track_caller]
fn feed(credential: &AcceptorCredential, token: &[u8], flags: Flags, what: &str) -> bool {
    let mut acceptor = Acceptor::new(credential);
    match accept(&mut acceptor, token) {
        Err(_) => false,
        Ok(step) => {
            assert!(same_identity(&step, flags), "{what}: {step:?}");
            true
        }
    }
}

#[test]
fn every_prefix_and_bit_flip_of_an_ap_req_is_refused_or_says_the_same() {
    let realm = realm();
    let ticket = ticket(&realm);
    let credential = AcceptorCredential::new(&keytab(&realm))
        .with_replay_protection(countersign_context::kerberos::ReplayProtection::DangerouslyOff);
    let token = build(honest(&ticket));
    let flags = accepted(&mut Acceptor::new(&credential), &token).flags();
    for length in 0..token.len() {
        assert!(
            !feed(&credential, &token[..length], flags, "prefix"),
            "prefix {length}"
        );
    }
    let mut accepted = Vec::new();
    let mut flipped = token.clone();
    for bit in 0..token.len() * 8 {
        flipped[bit / 8] ^= 1 << (bit % 8);
        if feed(&credential, &flipped, flags, "flip") {
            accepted.push(bit / 8);
        }
        flipped[bit / 8] ^= 1 << (bit % 8);
    }
    // What may be altered unseen is a handful of unprotected bits: ap-options, the ticket's kvno
    // and name types.
    accepted.dedup();
    assert!(accepted.len() <= 16, "{accepted:?}");
}

#[test]
fn every_prefix_and_bit_flip_of_an_ap_rep_is_refused() {
    let realm = realm();
    let policy = Policy::default().with_skew_recovery(false);
    let fresh = || {
        let mut initiator = Initiator::new(ticket(&realm));
        let step = World::new(3).step(&mut initiator, None).unwrap();
        let Step::Continue { token } = step else {
            panic!()
        };
        (initiator, token)
    };
    let (mut control, request) = fresh();
    let received = RawAcceptor::new(&keytab(&realm)).accept(&request).unwrap();
    let reply = received.reply().build(&mut SeededRandom::new(6)).unwrap();
    assert!(World::new(9).step(&mut control, Some(&reply)).is_ok());

    let refuse = |bytes: &[u8], what: usize| {
        let (mut initiator, _) = fresh();
        let mut world = World::new(9).with_policy(policy.clone());
        match world.step(&mut initiator, Some(bytes)) {
            Err(_) => {}
            // The OID of the framing may become the other Kerberos OID; a kvno may appear.
            Ok(step) => assert!(what < 40, "{what}: {step:?}"),
        }
    };
    for length in 0..reply.len() {
        refuse(&reply[..length], usize::MAX);
    }
    let mut flipped = reply.clone();
    for bit in 0..reply.len() * 8 {
        flipped[bit / 8] ^= 1 << (bit % 8);
        refuse(&flipped, bit / 8);
        flipped[bit / 8] ^= 1 << (bit % 8);
    }
}

#[test]
fn every_bit_flip_of_the_third_leg_is_refused() {
    let realm = realm();
    let mut accepted = 0;
    let legs = || {
        let mut initiator = Initiator::new(ticket(&realm)).dce_style();
        let mut acceptor = acceptor(&realm);
        let (mut here, mut there) = (World::new(3), World::new(4));
        let Ok(Step::Continue { token }) = here.step(&mut initiator, None) else {
            panic!()
        };
        let Ok(Step::Continue { token }) = there.step(&mut acceptor, Some(&token)) else {
            panic!()
        };
        let Ok(Step::Established {
            token: Some(third), ..
        }) = here.step(&mut initiator, Some(&token))
        else {
            panic!()
        };
        (acceptor, third)
    };
    let (mut control, third) = legs();
    assert!(World::new(4).step(&mut control, Some(&third)).is_ok());
    for bit in 0..third.len() * 8 {
        let (mut acceptor, mut third) = legs();
        third[bit / 8] ^= 1 << (bit % 8);
        accepted += usize::from(World::new(4).step(&mut acceptor, Some(&third)).is_ok());
    }
    assert_eq!(accepted, 0);
}

/// A few random edits of a token: flips, overwritten bytes, cuts, insertions, repetitions.
fn mutate(token: &[u8], random: &mut SeededRandom) -> Vec<u8> {
    let mut bytes = token.to_vec();
    for _ in 0..=random.below(3) {
        let at = random.below(bytes.len().max(1));
        match random.below(5) {
            0 if !bytes.is_empty() => bytes[at] ^= 1 << random.below(8),
            1 if !bytes.is_empty() => bytes[at] = random.next_u64().to_le_bytes()[0],
            2 => bytes.truncate(at),
            3 => bytes.insert(at.min(bytes.len()), random.next_u64().to_le_bytes()[0]),
            _ => {
                let end = at + random.below(bytes.len().saturating_sub(at).max(1));
                let piece = bytes.get(at..end).unwrap_or_default().to_vec();
                bytes.splice(at..at, piece);
            }
        }
        if bytes.len() > 2048 {
            bytes.truncate(2048);
        }
    }
    bytes
}

#[test]
fn a_million_random_mutations_of_first_tokens_are_refused_or_say_the_same() {
    let realm = realm();
    let ticket = ticket(&realm);
    let credential = AcceptorCredential::new(&keytab(&realm))
        .with_replay_protection(countersign_context::kerberos::ReplayProtection::DangerouslyOff);
    let token = build(honest(&ticket));
    let flags = accepted(&mut Acceptor::new(&credential), &token).flags();
    let mut random = SeededRandom::new(99);
    let mut accepted = 0_u32;
    for _ in 0..1_000_000 {
        let mutation = mutate(&token, &mut random);
        let changed = mutation != token;
        accepted += u32::from(feed(&credential, &mutation, flags, "mutation") && changed);
    }
    assert!(accepted < 5_000, "{accepted} of a million");
}

#[test]
fn a_million_random_mutations_of_replies_are_refused() {
    let realm = realm();
    let shared = std::sync::Arc::new(ticket(&realm));
    let mut random = SeededRandom::new(98);
    let mut first = Initiator::new(shared.clone());
    let Ok(Step::Continue { token }) = World::new(3).step(&mut first, None) else {
        panic!()
    };
    let received = RawAcceptor::new(&keytab(&realm)).accept(&token).unwrap();
    let replies = [
        received.reply().build(&mut SeededRandom::new(6)).unwrap(),
        received.error(60).build().unwrap(),
    ];
    for round in 0..1_000_000_usize {
        let reply = &replies[usize::from(round % 8 == 0)];
        let mutation = mutate(reply, &mut random);
        if mutation == *reply {
            continue;
        }
        first = Initiator::new(shared.clone());
        assert!(World::new(3).step(&mut first, None).is_ok());
        if World::new(9).step(&mut first, Some(&mutation)).is_ok() {
            // Only the framing's OID can change: into the other one that Kerberos has.
            let (_, inner) = Framing::unwrap(&mutation).unwrap();
            assert_eq!(inner, Framing::unwrap(reply).unwrap().1);
        }
    }
}

/// Mutations inside the encrypted parts, re-encrypted: what only a KDC or a client could send.
#[test]
fn mutated_authenticators_under_the_right_key_are_refused_or_say_the_same() {
    let realm = realm();
    let ticket = ticket(&realm);
    let credential = AcceptorCredential::new(&keytab(&realm))
        .with_replay_protection(countersign_context::kerberos::ReplayProtection::DangerouslyOff);
    let mut random = SeededRandom::new(97);
    for _ in 0..50_000 {
        let mut seed = SeededRandom::new(random.next_u64());
        let token = build(honest(&ticket).map_authenticator(|bytes| mutate(&bytes, &mut seed)));
        if let Ok(Step::Established { context, .. }) =
            accept(&mut Acceptor::new(&credential), &token)
        {
            assert_eq!(context.peer().unwrap().to_string(), "alice@EXAMPLE.COM");
        }
    }
}

/// The same inside the ticket: only a holder of the service's key can, but nothing may panic.
#[test]
fn mutated_tickets_under_the_right_key_never_panic() {
    let realm = realm();
    let credential = AcceptorCredential::new(&keytab(&realm));
    let mut random = SeededRandom::new(96);
    for _ in 0..20_000 {
        let mut seed = SeededRandom::new(random.next_u64());
        let bad = realm
            .ticket(CLIENT, SERVICE)
            .map_plaintext(|bytes| mutate(&bytes, &mut seed));
        // Whatever it says then, its authenticator must say the same to be accepted.
        if let Ok(Step::Established { context, .. }) = accept(
            &mut Acceptor::new(&credential),
            &build(honest(&bad.mint().unwrap())),
        ) {
            assert_eq!(context.peer().unwrap().to_string(), "alice@EXAMPLE.COM");
        }
    }
}

#[test]
fn every_enctype_refuses_every_flipped_bit_of_its_authenticator() {
    let realm = realm();
    for enctype in (0..64).filter_map(countersign_context::crypto::Enctype::from_id) {
        let ticket = realm
            .ticket(CLIENT, SERVICE)
            .enctype(enctype)
            .session_enctype(enctype);
        let ticket = ticket.mint().unwrap();
        let token = build(honest(&ticket));
        let policy = Policy::default().with_enctypes(EnctypeSet::of(&[enctype]));
        let outcome = |token: &[u8]| {
            World::new(1)
                .with_policy(policy.clone())
                .step(&mut acceptor(&realm), Some(token))
                .is_ok()
        };
        assert!(outcome(&token), "{enctype:?}");
        // The authenticator's ciphertext ends the token: its last 60 bytes hold the end of the
        // plaintext and, but for rc4-hmac, the MAC.
        for bit in (token.len() - 60) * 8..token.len() * 8 {
            let mut flipped = token.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(!outcome(&flipped), "{enctype:?} bit {bit}");
        }
    }
}

/// RFC 4121 bare and framed tokens of other kinds where a first token is due.
#[test]
fn other_kinds_of_tokens_are_refused_as_first_tokens() {
    let realm = realm();
    let ticket = ticket(&realm);
    let mut random = SeededRandom::new(5);
    let request = honest(&ticket).build(&mut random).unwrap();
    let received = RawAcceptor::new(&keytab(&realm))
        .accept(&request.token)
        .unwrap();
    let others = [
        received.reply().build(&mut random).unwrap(),
        received
            .reply()
            .framing(Framing::Bare)
            .build(&mut random)
            .unwrap(),
        received.error(37).build().unwrap(),
        received.error(37).framing(Framing::Bare).build().unwrap(),
        b"\x04\x04\x00\xff\xff\xff\xff\xff\0\0\0\0\0\0\0\0".to_vec(),
        b"NTLMSSP\0\x01\0\0\0".to_vec(),
        Vec::new(),
    ];
    for other in others {
        assert!(accept(&mut acceptor(&realm), &other).is_err());
    }
    assert!(
        accept(
            &mut acceptor(&realm),
            &build(honest(&ticket).gss_flags(gss::MUTUAL))
        )
        .is_ok()
    );
    let mut side: Box<dyn Mechanism> = Box::new(acceptor(&realm));
    assert!(
        World::new(1)
            .step(side.as_mut(), Some(&request.token))
            .is_ok()
    );
}
