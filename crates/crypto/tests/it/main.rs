//! Published vectors, and what the crate must refuse.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a panic is how a test fails"
)]

mod checksum;
mod encryption;
mod hygiene;
#[cfg(feature = "ntlm")]
mod ntlm;
#[cfg(feature = "ntlm-v1")]
mod ntlm_v1;
mod prf;
mod refusal;
mod segments;
mod string_to_key;

use countersign_crypto::{Enctype, Key, Random, RandomError};

/// Bytes of a hexadecimal string; blanks are skipped.
fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| u8::try_from(c.to_digit(16).expect("a hexadecimal digit")).unwrap())
        .collect();
    assert!(digits.len().is_multiple_of(2), "{text}");
    digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}

fn key(enctype: Enctype, text: &str) -> Key {
    Key::new(enctype, &hex(text)).unwrap()
}

/// A generator whose output is known: never for anything but tests.
struct Counting(u8);

impl Random for Counting {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        out.fill_with(|| {
            self.0 = self.0.wrapping_mul(5).wrapping_add(113);
            self.0
        });
        Ok(())
    }
}
