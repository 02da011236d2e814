//! Confounders: unpredictable bytes in front of each sealed message, without a call to a random
//! source per message.

use aes::Aes128Enc;
use aes::cipher::{Array, BlockCipherEncrypt, KeyInit};

use crate::error::{Error, ErrorKind};

/// AES-128 in counter mode under a key of its own (NIST SP 800-38A §6.5): confounders are
/// unpredictable to who does not know the seed, and no two of one generator are alike, as AES is
/// a permutation.
///
/// A generator is never exported: an imported context has a fresh seed, so two contexts that
/// were imported from one export repeat nothing either.
pub(crate) struct Confounders {
    cipher: Aes128Enc,
    /// The next block; `None` when none is left.
    counter: Option<u64>,
}

impl Confounders {
    pub(crate) fn new(seed: &[u8; 16]) -> Self {
        Self {
            cipher: Aes128Enc::new(seed.into()),
            counter: Some(0),
        }
    }

    /// 16 bytes that this generator never made before.
    pub(crate) fn next(&mut self) -> Result<[u8; 16], Error> {
        let counter = self.counter.ok_or(ErrorKind::Overflow)?;
        self.counter = counter.checked_add(1);
        let mut block = Array::from(u128::from(counter).to_be_bytes());
        self.cipher.encrypt_block(&mut block);
        Ok(block.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn confounders_differ_by_count_and_by_seed_and_end_rather_than_repeat() {
        let mut one = Confounders::new(&[1; 16]);
        let mut two = Confounders::new(&[2; 16]);
        let mut all = std::collections::HashSet::new();
        for _ in 0..1000 {
            assert!(all.insert(one.next().unwrap()));
            assert!(all.insert(two.next().unwrap()));
        }
        one.counter = Some(u64::MAX);
        assert!(all.insert(one.next().unwrap()));
        assert_eq!(
            one.next().map_err(|error| error.kind()),
            Err(ErrorKind::Overflow)
        );
        assert_eq!(
            one.next().map_err(|error| error.kind()),
            Err(ErrorKind::Overflow)
        );
    }
}
