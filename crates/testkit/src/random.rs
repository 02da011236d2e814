//! Random generators for tests.

use countersign_crypto::{Random, RandomError};

/// A deterministic generator: the same seed gives the same bytes. **For tests only**: SplitMix64 can be predicted.
///
/// ```
/// use countersign_crypto::Random;
/// use countersign_testkit::SeededRandom;
///
/// let (mut one, mut other) = ([0; 20], [0; 20]);
/// SeededRandom::new(7).fill(&mut one)?;
/// SeededRandom::new(7).fill(&mut other)?;
/// assert_eq!(one, other);
/// # Ok::<(), countersign_crypto::RandomError>(())
/// ```
#[derive(Clone, Debug)]
pub struct SeededRandom {
    state: u64,
}

impl SeededRandom {
    /// A generator that starts at `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// A generator that starts at a value made of `seed` and `parts`; each list of parts has its own.
    #[must_use]
    pub fn derived(seed: u64, parts: &[&[u8]]) -> Self {
        // FNV-1a, with each part's length before it.
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let mut absorb = |byte: u8| {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        };
        for part in parts {
            part.len().to_le_bytes().into_iter().for_each(&mut absorb);
            part.iter().copied().for_each(&mut absorb);
        }
        let mut mixed = Self::new(seed ^ hash);
        Self::new(mixed.next_u64())
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.state;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// A number below `bound`; 0 when the bound is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(u64::MAX);
        let word = self.next_u64().checked_rem(bound).unwrap_or(0);
        usize::try_from(word).unwrap_or(0)
    }
}

impl Random for SeededRandom {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        for chunk in out.chunks_mut(8) {
            for (byte, random) in chunk.iter_mut().zip(self.next_u64().to_le_bytes()) {
                *byte = random;
            }
        }
        Ok(())
    }
}

/// A generator that fails: at once, or after some calls.
///
/// ```
/// use countersign_crypto::Random;
/// use countersign_testkit::FailingRandom;
///
/// let mut random = FailingRandom::after(1);
/// assert!(random.fill(&mut [0; 4]).is_ok());
/// assert!(random.fill(&mut [0; 4]).is_err());
/// ```
#[derive(Clone, Debug, Default)]
pub struct FailingRandom {
    remaining: usize,
    inner: Option<SeededRandom>,
}

impl FailingRandom {
    /// Fails at once.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Serves `calls` calls, then fails.
    #[must_use]
    pub fn after(calls: usize) -> Self {
        Self {
            remaining: calls,
            inner: Some(SeededRandom::new(0)),
        }
    }
}

impl Random for FailingRandom {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        let left = self.remaining.checked_sub(1).ok_or(RandomError)?;
        self.remaining = left;
        self.inner.as_mut().ok_or(RandomError)?.fill(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_and_parts_give_their_own_bytes() {
        let first = |mut random: SeededRandom| random.next_u64();
        assert_eq!(first(SeededRandom::new(1)), first(SeededRandom::new(1)));
        assert_ne!(first(SeededRandom::new(1)), first(SeededRandom::new(2)));
        let derived = |parts: &[&[u8]]| first(SeededRandom::derived(1, parts));
        assert_eq!(derived(&[b"ab", b"c"]), derived(&[b"ab", b"c"]));
        assert_ne!(derived(&[b"ab", b"c"]), derived(&[b"a", b"bc"]));
        assert_eq!(SeededRandom::new(1).below(0), 0);
        assert!(SeededRandom::new(1).below(3) < 3);
    }

    #[test]
    fn a_failing_generator_fails_when_told() {
        let mut out = [0; 3];
        assert!(FailingRandom::new().fill(&mut out).is_err());
        let mut random = FailingRandom::after(2);
        assert!(random.fill(&mut out).is_ok());
        assert!(random.fill(&mut out).is_ok());
        assert!(random.fill(&mut out).is_err());
        assert!(random.fill(&mut out).is_err());
    }
}
