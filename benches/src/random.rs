//! Where the operations get randomness from.

use countersign_crypto::{Random, RandomError};

/// The operating system's randomness, as a server has it.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        getrandom::fill(out).map_err(|_| RandomError)
    }
}

/// Takes as long as the operating system, and gives the same bytes always: what one side said once
/// is an answer to the other again.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Repeating;

impl Random for Repeating {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        SystemRandom.fill(out)?;
        out.fill(0x5c);
        Ok(())
    }
}
