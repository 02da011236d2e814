//! Several faults at once, by a seed.

use countersign_testkit::SeededRandom;

use super::attack::Target;
use super::fault::Fault;

/// Cases that one seed gives; what each does follows from the seed and its number.
pub(crate) const CHUNK: u64 = 1000;

/// Longer than this no message grows.
const LONGEST: usize = 4096;

/// Octets that are lengths, tags and ends.
const INTERESTING: [u8; 8] = [0x00, 0x01, 0x30, 0x60, 0x7f, 0x80, 0x84, 0xff];

/// The cases of a chunk.
pub(crate) fn chunk(targets: &mut [Target<'_>], seed: u64, number: u64) {
    let mut random = SeededRandom::derived(seed, &[b"faults", &number.to_le_bytes()]);
    for case in 0..CHUNK {
        let which = random.below(targets.len());
        let Some(target) = targets.get_mut(which) else {
            return;
        };
        let fault = Fault::Random(seed, number * CHUNK + case);
        // Most are one message with several faults in it, which costs half.
        if random.below(8) > 0 {
            let at = random.below(target.honest.sent.len());
            let others = target.others.each_ref().map(|other| &other.sent);
            let token = edited(&target.honest.sent[at], others, &mut random);
            target.case(at, fault, &[&token]);
        } else {
            several(target, fault, &mut random);
        }
    }
}

/// Faults in any of the messages, and any of them dropped, repeated or followed by others: what has been
/// said so far, or whatever was said in other sessions.
fn several(target: &mut Target<'_>, fault: Fault, random: &mut SeededRandom) {
    let others = target.others.each_ref().map(|other| other.sent.clone());
    let mut said: Vec<Vec<u8>> = Vec::new();
    target.several(fault, &mut |_, token| {
        said.push(token.to_vec());
        let any = |random: &mut SeededRandom| {
            let sent = match random.below(3) {
                0 => &said,
                other => &others[other - 1],
            };
            sent[random.below(sent.len())].clone()
        };
        let token = token.to_vec();
        match random.below(12) {
            0 => Some(Vec::new()),
            1 => Some(vec![token.clone(), token]),
            2 => Some(vec![any(random)]),
            3 => Some(vec![any(random), token]),
            4 => Some(vec![token, any(random)]),
            5 | 6 => Some(vec![edited(&token, others.each_ref(), random)]),
            _ => None,
        }
    });
}

/// A message with up to four edits.
fn edited(token: &[u8], others: [&Vec<Vec<u8>>; 2], random: &mut SeededRandom) -> Vec<u8> {
    let other = others[random.below(2)];
    let mut bytes = token.to_vec();
    for _ in 0..=random.below(4) {
        edit(&mut bytes, other, random);
        bytes.truncate(LONGEST);
    }
    bytes
}

fn edit(bytes: &mut Vec<u8>, other: &[Vec<u8>], random: &mut SeededRandom) {
    let length = bytes.len();
    let at = random.below(length.max(1));
    let interesting = INTERESTING[random.below(INTERESTING.len())];
    let piece = |random: &mut SeededRandom| at..(at + 1 + random.below(16)).min(length);
    match random.below(9) {
        0 | 1 if length > 0 => bytes[at] ^= 1 << random.below(8),
        2 if length > 0 => bytes[at] = random.next_u64().to_le_bytes()[0],
        3 if length > 0 => bytes[at] = interesting,
        4 => bytes.truncate(at),
        5 => bytes.insert(at.min(length), interesting),
        6 if length > 0 => {
            bytes.drain(piece(random));
        }
        7 if length > 0 => {
            let again = bytes[piece(random)].to_vec();
            bytes.splice(at..at, again);
        }
        _ => {
            let other = &other[random.below(other.len())];
            let from = random.below(other.len().max(1));
            bytes.truncate(at);
            bytes.extend_from_slice(other.get(from..).unwrap_or_default());
        }
    }
}
