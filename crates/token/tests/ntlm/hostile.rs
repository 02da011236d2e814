//! Messages cut, flipped and mutated at random: a typed error or a stable value, never a panic.

use allocation_counter::measure;
use countersign_token::ntlm::*;

use crate::common::Random;
use crate::common::ntlm::{av_pairs, examples, nt_response, round, samples};

/// What any input must do: an error inside of the input, or a value whose encoding is stable.
fn hold(input: &[u8]) -> bool {
    match round(input) {
        Ok(encoded) => {
            assert_eq!(round(&encoded).as_deref(), Ok(&encoded[..]), "{input:02x?}");
            true
        }
        Err(error) => {
            assert!(error.offset() <= input.len(), "{error} of {input:02x?}");
            false
        }
    }
}

fn tokens() -> impl Iterator<Item = (&'static str, Vec<u8>)> {
    examples().into_iter().chain(samples())
}

#[test]
fn every_prefix_of_every_message_is_an_error_or_the_short_form_of_a_negotiate() {
    for (name, token) in tokens() {
        assert!(hold(&token));
        for end in 0..token.len() {
            // What is cut off is a field, the last one in these messages.
            let accepted = hold(&token[..end]);
            let bare = name == "NEGOTIATE" && end == 16;
            // An empty session key comes last, and its place is no part of it.
            assert_eq!(accepted, bare, "{name} cut at {end}");
        }
    }
}

#[test]
fn every_single_bit_flip_of_every_message_is_an_error_or_a_stable_value() {
    for (_, token) in tokens() {
        for bit in 0..token.len() * 8 {
            let mut flipped = token.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            hold(&flipped);
        }
    }
}

#[test]
fn random_mutations_of_every_message_are_errors_or_stable_values() {
    let mut random = Random(0x4e54_4c4d);
    let tokens: Vec<_> = tokens().collect();
    let (mut accepted, mut refused) = (0, 0);
    for _ in 0..20_000 {
        let mut token = tokens[random.below(tokens.len())].1.clone();
        for _ in 0..=random.below(4) {
            // Mostly the fixed part, where lengths and offsets are.
            let bound = [88, token.len()][random.below(2)].min(token.len());
            let place = random.below(bound.max(1));
            match random.below(5) {
                0 => token.truncate(place),
                1 => token.insert(place, random.byte()),
                2 => drop((place < token.len()).then(|| token.remove(place))),
                _ if token.is_empty() => {}
                3 => token[place] = random.byte(),
                _ => token[place] ^= 1 << random.below(8),
            }
        }
        if hold(&token) {
            accepted += 1;
        } else {
            refused += 1;
        }
    }
    assert!(accepted > 1000 && refused > 1000, "{accepted}, {refused}");
}

#[test]
fn mutated_pairs_and_responses_are_errors_or_what_they_were_read_from() {
    let (pairs, response) = (av_pairs(), nt_response());
    assert!(AvPairs::parse(&pairs).is_ok() && NtlmV2Response::parse(&response).is_ok());
    for bit in 0..response.len() * 8 {
        let mut flipped = response.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        if let Ok(read) = NtlmV2Response::parse(&flipped) {
            assert_eq!([&read.proof[..], read.blob].concat(), flipped);
            let mut builder = AvPairsBuilder::new();
            for pair in read.av_pairs {
                builder.push(pair.id, pair.value).unwrap();
            }
            assert_eq!(builder.finish(), read.av_pairs.as_bytes());
        }
    }
}

#[test]
fn reading_and_refusing_messages_allocates_nothing() {
    let tokens: Vec<_> = tokens().map(|(_, token)| token).collect();
    let read = |token: &[u8]| match MessageType::of(token) {
        Ok(MessageType::Negotiate) => NegotiateMessage::parse(token)
            .is_ok_and(|message| message.domain.chars().all(|c| c != '\0')),
        Ok(MessageType::Challenge) => ChallengeMessage::parse(token).is_ok_and(|message| {
            message.target_info.is_none_or(|info| {
                info.iter().count() > 1 && info.nb_domain().unwrap().chars().count() > 1
            })
        }),
        Ok(MessageType::Authenticate) => AuthenticateMessage::parse(token).is_ok_and(|message| {
            message.nt_response.len() == 24
                || NtlmV2Response::parse(message.nt_response).is_ok_and(|r| r.blob.len() > 48)
        }),
        Err(_) => false,
    };
    let mut count = 0;
    let info = measure(|| {
        for token in &tokens {
            count += usize::from(read(token));
            for end in 0..token.len() {
                count += 1000 * usize::from(read(&token[..end]) && end != 16);
            }
        }
    });
    assert_eq!((count, info.count_total), (tokens.len(), 0));
}

#[test]
fn writing_a_message_allocates_once() {
    for (name, token) in samples() {
        let mut encoded = Vec::new();
        let info = measure(|| encoded = round(&token).unwrap());
        assert_eq!(encoded, token);
        assert_eq!(
            (info.count_total, encoded.capacity()),
            (1, token.len()),
            "{name}"
        );
    }
    let pairs = av_pairs();
    let mut blob = Vec::new();
    let info = measure(|| blob = encode_client_challenge(1, &[2; 8], &pairs, 4));
    assert_eq!((info.count_total, blob.capacity()), (1, blob.len()));
}
