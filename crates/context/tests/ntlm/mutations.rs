//! Every prefix, every flipped bit and many random mutations of each message: an error, or the same
//! identity where nothing says otherwise; never a panic.

use countersign_context::ntlm::{Acceptor, Initiator};
use countersign_context::{Error, Flags, Policy, SecurityContext};
use countersign_testkit::SeededRandom;

use crate::forger::{Forger, Mic, SEALED, seal_mic};
use crate::support::*;

/// An honest exchange with one message exchanged for another, up to the acceptor's last word.
fn exchange(
    leg: usize,
    altered: &[u8],
    acceptor: Acceptor,
) -> Result<(SecurityContext, SecurityContext), Error> {
    let initiator = Initiator::new(alice()).require(Flags::CONFIDENTIALITY);
    run_through(initiator, acceptor, &Policy::DEFAULT, |now, token| {
        if now == leg {
            *token = altered.to_vec();
        }
    })
}

fn honest() -> [Vec<u8>; 3] {
    let initiator = Initiator::new(alice()).require(Flags::CONFIDENTIALITY);
    let Messages {
        negotiate,
        challenge,
        authenticate,
    } = messages(initiator, Acceptor::new(&server()), &Policy::DEFAULT);
    [negotiate, challenge, authenticate]
}

/// The MIC is over all of it: reserved bits, the version, offsets of empty fields, bytes that nobody
/// reads.
#[test]
fn every_prefix_and_bit_flip_of_every_message_is_refused_in_the_end() {
    let honest = honest();
    for (leg, token) in honest.iter().enumerate() {
        exchange(leg, token, Acceptor::new(&server())).unwrap();
        for end in 0..token.len() {
            let result = exchange(leg, &token[..end], Acceptor::new(&server()));
            assert!(result.is_err(), "{leg}: {end}");
        }
        let mut flipped = token.clone();
        for bit in 0..token.len() * 8 {
            flipped[bit / 8] ^= 1 << (bit % 8);
            let result = exchange(leg, &flipped, Acceptor::new(&server()));
            assert!(result.is_err(), "{leg}: byte {} bit {}", bit / 8, bit % 8);
            flipped[bit / 8] ^= 1 << (bit % 8);
        }
        let longer = [&token[..], &[0]].concat();
        assert!(exchange(leg, &longer, Acceptor::new(&server())).is_err());
    }
}

#[test]
fn random_mutations_of_every_message_are_refused_in_the_end() {
    const ROUNDS: usize = 60_000;
    let honest = honest();
    let mut random = SeededRandom::new(0x4e54_4c4d);
    for (leg, token) in honest.iter().enumerate() {
        for round in 0..ROUNDS {
            let altered = mutate(token, &mut random);
            if altered == *token {
                continue;
            }
            let result = exchange(leg, &altered, Acceptor::new(&server()));
            assert!(result.is_err(), "{leg}: {round}");
        }
    }
}

/// One to six bytes, mostly in the fixed part, which tells lengths and offsets.
fn mutate(token: &[u8], random: &mut SeededRandom) -> Vec<u8> {
    let mut token = token.to_vec();
    for _ in 0..=random.below(6) {
        let bound = [88, token.len()][random.below(2)].min(token.len());
        let place = random.below(bound);
        let byte = random.next_u64().to_le_bytes()[0];
        match random.below(8) {
            0 => token.truncate(place),
            1 => token.insert(place, byte),
            2 if place < token.len() => drop(token.remove(place)),
            3 | 4 if place < token.len() => token[place] = byte,
            5 if place + 4 <= token.len() => {
                let edge = [0, 1, 0xff, 0xffff, 0x7fff_ffff, 0x8000_0000, u32::MAX];
                let edge = edge[random.below(edge.len())];
                token[place..place + 4].copy_from_slice(&edge.to_le_bytes());
            }
            _ if place < token.len() => token[place] ^= 1 << random.below(8),
            _ => {}
        }
    }
    token
}

/// The identity that was proved, and no more flags than both sides agreed to.
#[track_caller]
fn same(context: &SecurityContext) {
    assert_eq!(context.peer().unwrap().to_string(), "EXAMPLE\\alice");
    let agreed = Flags::CONFIDENTIALITY | Flags::INTEGRITY | Flags::REPLAY | Flags::SEQUENCE;
    assert!(agreed.contains(context.flags()), "{}", context.flags());
}

/// Without a MIC only what the proof is over is safe; the rest may be altered, and not who it is.
#[test]
fn without_a_mic_mutations_are_refused_or_are_the_same_user() {
    let forger = Forger {
        mic: Mic::Cleared,
        ..Forger::alice(SEALED)
    };
    let policy = mic_if_present();
    let negotiate = forger.negotiate();
    let mut challenged = Acceptor::new(&server());
    let challenge = World::new(1).go_on(&mut challenged, Some(&negotiate));
    let token = forger.authenticate(&negotiate, &challenge).token;
    let give = |token: &[u8]| {
        let mut acceptor = Acceptor::new(&server());
        World::new(1).go_on(&mut acceptor, Some(&negotiate));
        let mut world = World::new(2).with_policy(&policy);
        world
            .step(&mut acceptor, Some(token))
            .map(|step| last(step).1)
    };
    same(&give(&token).unwrap());
    for end in 0..token.len() {
        assert!(give(&token[..end]).is_err(), "{end}");
    }
    let mut meaningless = 0;
    let mut flipped = token.clone();
    for bit in 0..token.len() * 8 {
        flipped[bit / 8] ^= 1 << (bit % 8);
        if let Ok(context) = give(&flipped) {
            same(&context);
            meaningless += 1;
        }
        flipped[bit / 8] ^= 1 << (bit % 8);
    }
    // Flags, version, workstation, LM response, session key, offsets of what is empty.
    assert!(
        meaningless > 100 && meaningless < token.len() * 8 / 2,
        "{meaningless}"
    );
    let mut random = SeededRandom::new(0x4e54_4c4e);
    for _ in 0..60_000 {
        if let Ok(context) = give(&mutate(&token, &mut random)) {
            same(&context);
        }
    }
}

/// Mutations behind the MIC: whoever knows the key makes it anew over what it altered.
#[test]
fn mutations_under_the_right_mic_are_refused_or_are_the_same_user() {
    let forger = Forger::alice(SEALED);
    let negotiate = forger.negotiate();
    let challenge = World::new(1).go_on(&mut Acceptor::new(&server()), Some(&negotiate));
    let forged = forger.authenticate(&negotiate, &challenge);
    let mut random = SeededRandom::new(0x4e54_4c4f);
    let (mut accepted, mut refused) = (0, 0);
    for _ in 0..60_000 {
        let mut token = mutate(&forged.token, &mut random);
        if token.len() >= 88 {
            seal_mic(&negotiate, &challenge, &mut token, &forged.exported);
        }
        let mut acceptor = Acceptor::new(&server());
        World::new(1).go_on(&mut acceptor, Some(&negotiate));
        match World::new(2).step(&mut acceptor, Some(&token)) {
            Ok(step) => {
                same(&last(step).1);
                accepted += 1;
            }
            Err(_) => refused += 1,
        }
    }
    assert!(accepted > 1_000 && refused > 10_000, "{accepted} {refused}");
}

/// The acceptor's message under the eyes of an initiator, which proves nothing by it: it never
/// panics, and never answers with less than it has to.
#[test]
fn mutated_challenges_get_an_error_or_a_response_with_a_mic() {
    let hostile = crate::hostile::Hostile::new();
    let fresh = || {
        let mut initiator = Initiator::new(alice()).require(Flags::CONFIDENTIALITY);
        let negotiate = World::new(1).go_on(&mut initiator, None);
        (initiator, negotiate)
    };
    let (_, negotiate) = fresh();
    let challenge = hostile.challenge(&negotiate);
    let mut random = SeededRandom::new(0x4e54_4c50);
    let mut answered = 0;
    for _ in 0..30_000 {
        let (mut initiator, negotiate) = fresh();
        let altered = mutate(&challenge, &mut random);
        let Ok(step) = World::new(2).step(&mut initiator, Some(&altered)) else {
            continue;
        };
        let (token, context) = last(step);
        let told = crate::hostile::Told::read(&negotiate, &altered, &token.unwrap());
        assert!(told.proved && told.mic);
        assert_eq!(told.exported.expose(), context.session_key().expose());
        assert!(context.flags().contains(Flags::CONFIDENTIALITY));
        answered += 1;
    }
    assert!(answered > 1_000, "{answered}");
}
