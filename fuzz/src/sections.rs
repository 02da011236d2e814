//! Inputs of several parts, each behind its length (u16, little-endian), and mutators for them.

use libfuzzer_sys::fuzzer_mutate;

use crate::{Seeded, der_tree};

/// The parts of an input; the last one may be shorter than it says.
pub fn split(mut input: &[u8]) -> Vec<&[u8]> {
    let mut sections = Vec::new();
    while let Some((length, rest)) = input.split_first_chunk::<2>() {
        let length = usize::from(u16::from_le_bytes(*length)).min(rest.len());
        let (section, rest) = rest.split_at(length);
        sections.push(section);
        input = rest;
    }
    sections
}

/// An input of these parts.
pub fn join<S: AsRef<[u8]>>(sections: &[S]) -> Vec<u8> {
    let mut input = Vec::new();
    for section in sections {
        let section = section.as_ref();
        input.extend_from_slice(&(section.len().min(0xffff) as u16).to_le_bytes());
        input.extend_from_slice(&section[..section.len().min(0xffff)]);
    }
    input
}

/// For `fuzz_mutator!`: the whole input is one string of octets, perhaps DER.
pub fn mutate_der(data: &mut [u8], size: usize, max: usize, seed: u32) -> usize {
    let mut random = Seeded(u64::from(seed));
    let mutated = der_tree::mutate(&data[..size], &mut random, &mut |bytes| raw(bytes, max));
    put(data, max, &mutated)
}

/// For `fuzz_mutator!`: the input has sections; mutates one of them, or which there are.
pub fn mutate_sections(data: &mut [u8], size: usize, max: usize, seed: u32) -> usize {
    let mut random = Seeded(u64::from(seed));
    let mut sections: Vec<Vec<u8>> = split(&data[..size])
        .into_iter()
        .map(<[u8]>::to_vec)
        .collect();
    if sections.is_empty() {
        sections.push(Vec::new());
    }
    let index = random.below(sections.len());
    match random.below(24) {
        0 => sections.insert(index, Vec::new()),
        1 => drop(sections.remove(index)),
        2 => sections.push(sections[index].clone()),
        3 => {
            let other = random.below(sections.len());
            sections.swap(index, other);
        }
        _ => {
            let before = core::mem::take(&mut sections[index]);
            sections[index] = der_tree::mutate(&before, &mut random, &mut |bytes| raw(bytes, max));
        }
    }
    put(data, max, &join(&sections))
}

fn raw(mut bytes: Vec<u8>, max: usize) -> Vec<u8> {
    let size = bytes.len().min(max);
    bytes.resize((size + 64).min(max).max(1), 0);
    let length = bytes.len();
    let size = fuzzer_mutate(&mut bytes, size, length);
    bytes.truncate(size);
    bytes
}

fn put(data: &mut [u8], max: usize, mutated: &[u8]) -> usize {
    let length = mutated.len().min(max).min(data.len());
    data[..length].copy_from_slice(&mutated[..length]);
    length
}
