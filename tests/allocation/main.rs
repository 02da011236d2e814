//! What allocates, and how often: nothing on the way of a message, little on the way of a context.

#![allow(clippy::unwrap_used, clippy::panic, reason = "it is a test")]

use std::sync::Arc;

use allocation_counter::measure;
use countersign_context::kerberos::{Acceptor, AcceptorCredential, Initiator};
use countersign_context::token::der::Decode;
use countersign_context::token::framing::InitialToken;
use countersign_context::token::kerberos::ApReq;
use countersign_context::{
    Environment, Flags, Mechanism, SecurityContext, Step, Timestamp, crypto::Enctype,
};
use countersign_testkit::{NOW, Realm, SeededRandom};

const SERVICE: &str = "HTTP/web.example.com";
const FLAGS: Flags = Flags::MUTUAL
    .union(Flags::REPLAY)
    .union(Flags::CONFIDENTIALITY)
    .union(Flags::INTEGRITY);

const ENCTYPES: [Enctype; 4] = [
    Enctype::Aes256CtsHmacSha1_96,
    Enctype::Aes128CtsHmacSha1_96,
    Enctype::Aes256CtsHmacSha384_192,
    Enctype::Aes128CtsHmacSha256_128,
];

/// Allocations of an accept: the token, the context and what its halves share, the client's name, what is decrypted,
/// and a place for each of three keys.
const ACCEPT: u64 = 8;

/// Allocations of an initiator's first step: the token, the subkey, what waits for the reply, and of the authenticator the
/// checksum, the authorization data and the list of the client's name.
const REQUEST: u64 = 6;

/// Allocations of its second: what is decrypted, the acceptor's subkey twice, the context and what its halves share.
const REPLY: u64 = 5;

fn environment(random: &mut SeededRandom) -> Environment<'_> {
    Environment::new(Timestamp::from_unix(NOW), random)
}

/// The first token of an initiator, and the initiator.
fn first_token(enctype: Enctype, seed: u64) -> (Initiator, Vec<u8>) {
    let ticket = Realm::new("EXAMPLE.COM", 1)
        .ticket("user", SERVICE)
        .enctype(enctype)
        .mint()
        .unwrap();
    let mut initiator = Initiator::new(Arc::new(ticket)).request(FLAGS);
    let mut random = SeededRandom::new(seed);
    match initiator.step(None, &mut environment(&mut random)) {
        Ok(Step::Continue { token }) => (initiator, token),
        other => panic!("{other:?}"),
    }
}

fn acceptor_credential() -> AcceptorCredential {
    let keytab = Realm::new("EXAMPLE.COM", 1).keytab(&[SERVICE]).unwrap();
    AcceptorCredential::new(&keytab)
}

fn established(enctype: Enctype) -> (SecurityContext, SecurityContext) {
    let (mut initiator, token) = first_token(enctype, 1);
    let mut random = SeededRandom::new(2);
    let env = &mut environment(&mut random);
    let Ok(Step::Established { token, context }) =
        Acceptor::new(&acceptor_credential()).step(Some(&token), env)
    else {
        panic!("not accepted")
    };
    match initiator.step(token.as_deref(), env) {
        Ok(Step::Established { context: ours, .. }) => (*ours, *context),
        other => panic!("{other:?}"),
    }
}

#[test]
fn decoding_a_token_allocates_nothing() {
    let (_, token) = first_token(Enctype::Aes256CtsHmacSha1_96, 1);
    let mut decoded = false;
    let counted = measure(|| {
        decoded = InitialToken::parse(&token)
            .is_ok_and(|framed| ApReq::from_der(&framed.inner[2..]).is_ok());
    });
    assert!(decoded);
    assert_eq!(counted.count_total, 0);
    // What does allocate is counted.
    assert_eq!(measure(|| drop(token.clone())).count_total, 1);
}

#[test]
fn messages_in_place_allocate_nothing_once_each_side_has_its_keys() {
    for enctype in ENCTYPES {
        let (mut ours, mut theirs) = established(enctype);
        let keys = measure(|| {
            let mut buffer = vec![0; ours.overhead(true, 0).total()];
            ours.wrap_in_place(true, &mut buffer).unwrap();
            theirs.unwrap_in_place(&mut buffer).unwrap();
        });
        // The buffer's and the two places of the keys.
        assert_eq!(keys.count_total, 3, "{enctype}");
        for (seal, size) in [(true, 64), (false, 64), (true, 4096), (false, 4096)] {
            let overhead = ours.overhead(seal, size);
            let mut buffer = vec![0x6d; overhead.total() + size];
            let mut opened = None;
            let counted = measure(|| {
                ours.wrap_in_place(seal, &mut buffer).unwrap();
                opened = theirs.unwrap_in_place(&mut buffer).ok();
            });
            let opened = opened.map(|opened| buffer[opened.message].to_vec());
            assert_eq!(opened, Some(vec![0x6d; size]), "{enctype}");
            assert_eq!(counted.count_total, 0, "{enctype}");
        }
    }
}

#[test]
fn accepting_a_context_allocates_no_more_than_it_did() {
    let credential = acceptor_credential();
    for enctype in ENCTYPES {
        // Some may fill what stays: the first of each of the replay cache's parts, of which there are 32, does.
        let counts = (0..64).map(|seed| {
            let (_, token) = first_token(enctype, 100 + seed);
            let mut random = SeededRandom::new(seed);
            let mut accepted = None;
            let counted = measure(|| {
                let env = &mut environment(&mut random);
                let step = Acceptor::new(&credential)
                    .require(FLAGS)
                    .step(Some(&token), env);
                accepted = step.ok();
            });
            assert!(matches!(accepted, Some(Step::Established { .. })));
            counted.count_total
        });
        assert_eq!(
            counts.min(),
            Some(ACCEPT),
            "{enctype}: lower the number here when it falls"
        );
    }
}

#[test]
fn initiating_a_context_allocates_no_more_than_it_did() {
    let credential = acceptor_credential();
    let realm = Realm::new("EXAMPLE.COM", 1);
    for enctype in ENCTYPES {
        let ticket = realm.ticket("user", SERVICE).enctype(enctype);
        let mut initiator = Initiator::new(Arc::new(ticket.mint().unwrap())).request(FLAGS);
        let mut random = SeededRandom::new(1);
        let mut counted = |token: Option<&[u8]>| {
            let mut stepped = None;
            let count = measure(|| {
                stepped = initiator.step(token, &mut environment(&mut random)).ok();
            });
            (count.count_total, stepped)
        };
        let (request, stepped) = counted(None);
        let Some(Step::Continue { token }) = stepped else {
            panic!("{stepped:?}")
        };
        let mut random = SeededRandom::new(2);
        let accepted = Acceptor::new(&credential)
            .require(FLAGS)
            .step(Some(&token), &mut environment(&mut random));
        let Ok(Step::Established {
            token: Some(answer),
            ..
        }) = accepted
        else {
            panic!("{accepted:?}")
        };
        let (reply, stepped) = counted(Some(&answer));
        assert!(matches!(stepped, Some(Step::Established { .. })));
        assert_eq!(
            (request, reply),
            (REQUEST, REPLY),
            "{enctype}: lower the numbers here when they fall"
        );
    }
}
