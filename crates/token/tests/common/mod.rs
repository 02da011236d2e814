//! Every kind of token with a full sample and a decoder, and a small deterministic generator.

#![allow(dead_code, reason = "each test file uses its part")]
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "it is a test"
)]

use countersign_token::DecodeError;
use countersign_token::der::{Decode, Encode};

pub mod extensions;
mod gss;
mod messages;
pub mod ntlm;
pub mod pac;
mod samples;
pub mod spnego;

pub use gss::*;
pub use samples::*;

/// xorshift64*, from a seed that is not zero.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `bound`, which is not zero.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(bound).unwrap()).unwrap()
    }

    pub fn byte(&mut self) -> u8 {
        u8::try_from(self.next() >> 56).unwrap()
    }
}

/// A kind of token.
#[derive(Clone, Copy)]
pub struct Kind {
    pub name: &'static str,
    /// A value with every OPTIONAL field.
    pub sample: fn() -> Vec<u8>,
    /// Decodes, walks every list, and encodes again.
    pub decode: fn(&[u8]) -> Result<Vec<u8>, DecodeError>,
    /// The numbers of the OPTIONAL fields of the outermost SEQUENCE.
    pub optional: &'static [u8],
    /// Whether it is a DER message with an outermost SEQUENCE of numbered fields.
    pub fields: bool,
}

/// Decodes a DER type, walks it by printing it, and encodes it again.
fn der<'a, T: Decode<'a> + Encode>(input: &'a [u8]) -> Result<Vec<u8>, DecodeError> {
    T::from_der(input).map(|value| value.to_der())
}

macro_rules! message {
    ($name:literal, $type:ty, $sample:expr, $optional:expr) => {
        Kind {
            name: $name,
            sample: $sample,
            decode: |input| der::<$type>(input),
            optional: &$optional,
            fields: true,
        }
    };
}

macro_rules! other {
    ($name:literal, $sample:expr, $decode:expr) => {
        Kind {
            name: $name,
            sample: $sample,
            decode: $decode,
            optional: &[],
            fields: false,
        }
    };
}

use {message, other};

/// All kinds.
pub fn kinds() -> Vec<Kind> {
    let mut kinds = extensions::kinds();
    kinds.extend(messages::kinds());
    kinds.extend(spnego::kinds());
    kinds
}
