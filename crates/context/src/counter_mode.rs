//! AES in counter mode: many unpredictable blocks out of one seed (NIST SP 800-38A §6.5).

use aes::cipher::consts::U16;
use aes::cipher::{Array, BlockCipherEncrypt, BlockSizeUser};

/// Blocks that are unpredictable to who does not know the key, no two of them alike, as a block cipher is a
/// permutation.
pub(crate) struct CounterMode<C> {
    cipher: C,
    /// The next block; `None` when none is left.
    counter: Option<u64>,
}

impl<C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16>> CounterMode<C> {
    /// Of a key that nothing else is encrypted with.
    pub(crate) fn new(cipher: C) -> Self {
        Self {
            cipher,
            counter: Some(0),
        }
    }

    /// 16 bytes that this generator never made before; `None` rather than some that it did.
    pub(crate) fn next(&mut self) -> Option<[u8; 16]> {
        let counter = self.counter?;
        self.counter = counter.checked_add(1);
        let mut block = Array::from(u128::from(counter).to_be_bytes());
        self.cipher.encrypt_block(&mut block);
        Some(block.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aes::Aes128Enc;
    use aes::cipher::KeyInit;

    #[test]
    fn blocks_differ_by_count_and_by_key_and_end_rather_than_repeat() {
        let mut one = CounterMode::new(Aes128Enc::new(&[1; 16].into()));
        let mut two = CounterMode::new(Aes128Enc::new(&[2; 16].into()));
        let mut all = std::collections::HashSet::new();
        for _ in 0..1000 {
            assert!(all.insert(one.next().unwrap()));
            assert!(all.insert(two.next().unwrap()));
        }
        one.counter = Some(u64::MAX);
        assert!(all.insert(one.next().unwrap()));
        assert_eq!(one.next(), None);
        assert_eq!(one.next(), None);
    }
}
