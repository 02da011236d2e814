//! Randomness for one step out of one call: to the operating system a call for all that a step needs costs
//! three times as much as one for a seed, and that as much as the encryption of a token.

use aes::Aes256Enc;
use aes::cipher::KeyInit;
use countersign_crypto::{Random, RandomError};
use zeroize::Zeroizing;

use crate::counter_mode::CounterMode;

/// Draws 32 bytes from another generator, once, and stretches them by AES-256 in counter mode. What it hands
/// out is as unpredictable as the seed, which is as long as the longest key, and lasts for one step.
pub(super) struct Drawn<'a> {
    source: &'a mut dyn Random,
    blocks: Option<CounterMode<Aes256Enc>>,
}

impl<'a> Drawn<'a> {
    /// Draws nothing yet.
    pub(super) fn from(source: &'a mut dyn Random) -> Self {
        Self {
            source,
            blocks: None,
        }
    }
}

impl Random for Drawn<'_> {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        let blocks = match &mut self.blocks {
            Some(blocks) => blocks,
            blocks => {
                let mut seed = Zeroizing::new([0; 32]);
                self.source.fill(&mut *seed)?;
                blocks.insert(CounterMode::new(Aes256Enc::new((&*seed).into())))
            }
        };
        for piece in out.chunks_mut(16) {
            let block = Zeroizing::new(blocks.next().ok_or(RandomError)?);
            piece.copy_from_slice(block.get(..piece.len()).ok_or(RandomError)?);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Always the same, and how often it was asked.
    #[derive(Default)]
    struct Source {
        byte: u8,
        calls: usize,
        fails: bool,
    }

    impl Random for Source {
        fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
            self.calls += 1;
            out.fill(self.byte);
            if self.fails { Err(RandomError) } else { Ok(()) }
        }
    }

    #[test]
    fn a_step_asks_once_and_no_block_is_handed_out_twice() {
        let mut source = Source::default();
        let mut drawn = Drawn::from(&mut source);
        let mut seen = std::collections::HashSet::new();
        for length in [16, 4, 32, 16, 1000] {
            let mut out = vec![0; length];
            drawn.fill(&mut out).unwrap();
            for piece in out.chunks(16) {
                assert!(seen.insert(piece.to_vec()));
            }
        }
        assert_eq!(source.calls, 1);
    }

    /// The first two blocks of AES-256 in counter mode under zeros, as OpenSSL makes them
    /// (`openssl enc -aes-256-ctr`, counter 0).
    #[test]
    fn what_is_handed_out_is_the_key_stream_of_the_seed() {
        let mut out = [0; 32];
        Drawn::from(&mut Source::default()).fill(&mut out).unwrap();
        let expected = [
            0xdc, 0x95, 0xc0, 0x78, 0xa2, 0x40, 0x89, 0x89, 0xad, 0x48, 0xa2, 0x14, 0x92, 0x84,
            0x20, 0x87, 0x53, 0x0f, 0x8a, 0xfb, 0xc7, 0x45, 0x36, 0xb9, 0xa9, 0x63, 0xb4, 0xf1,
            0xc4, 0xcb, 0x73, 0x8b,
        ];
        assert_eq!(out, expected);
        let mut other = Source {
            byte: 1,
            ..Source::default()
        };
        let mut out = [0; 32];
        Drawn::from(&mut other).fill(&mut out).unwrap();
        assert_ne!(out, expected);
    }

    #[test]
    fn a_source_that_fails_is_an_error_each_time() {
        let mut failing = Source {
            fails: true,
            ..Source::default()
        };
        let mut drawn = Drawn::from(&mut failing);
        assert_eq!(drawn.fill(&mut [0; 16]), Err(RandomError));
        assert_eq!(drawn.fill(&mut [0; 16]), Err(RandomError));
        assert_eq!(failing.calls, 2);
    }
}
