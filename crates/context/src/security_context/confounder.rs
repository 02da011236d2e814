//! Confounders: unpredictable bytes in front of each sealed message, without a call to a random
//! source per message.

use aes::Aes128Enc;
use aes::cipher::KeyInit;

use crate::counter_mode::CounterMode;
use crate::error::{Error, ErrorKind};

/// AES-128 in counter mode under a key of its own.
///
/// A generator is never exported: an imported context has a fresh seed, so two contexts that
/// were imported from one export repeat nothing either.
pub(crate) struct Confounders(CounterMode<Aes128Enc>);

impl Confounders {
    pub(crate) fn new(seed: &[u8; 16]) -> Self {
        Self(CounterMode::new(Aes128Enc::new(seed.into())))
    }

    /// 16 bytes that this generator never made before.
    pub(crate) fn next(&mut self) -> Result<[u8; 16], Error> {
        self.0.next().ok_or_else(|| ErrorKind::Overflow.into())
    }
}
