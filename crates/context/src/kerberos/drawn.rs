//! Randomness for one step, drawn at once: a call of the operating system costs as much as the
//! encryption of a token.

use countersign_crypto::{Random, RandomError};
use zeroize::Zeroizing;

/// Enough for the keys, numbers and confounders of an ordinary step.
const BATCH: usize = 128;

/// Hands out what it drew from another generator, and draws again when that is used up.
pub(super) struct Drawn<'a> {
    source: &'a mut dyn Random,
    bytes: Zeroizing<[u8; BATCH]>,
    used: usize,
}

impl<'a> Drawn<'a> {
    /// Draws nothing yet.
    pub(super) fn from(source: &'a mut dyn Random) -> Self {
        Self {
            source,
            bytes: Zeroizing::new([0; BATCH]),
            used: BATCH,
        }
    }
}

impl Random for Drawn<'_> {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        if out.len() > BATCH {
            return self.source.fill(out);
        }
        if out.len() > BATCH.saturating_sub(self.used) {
            // Nothing that was handed out may be handed out again, should the source fail.
            self.used = BATCH;
            self.source.fill(&mut *self.bytes)?;
            self.used = 0;
        }
        let end = self.used.saturating_add(out.len());
        let drawn = self.bytes.get(self.used..end).ok_or(RandomError)?;
        out.copy_from_slice(drawn);
        self.used = end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts up, and how often it was asked.
    #[derive(Default)]
    struct Counting {
        next: u8,
        calls: usize,
        fails: bool,
    }

    impl Random for Counting {
        fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
            self.calls += 1;
            if self.fails {
                return Err(RandomError);
            }
            for byte in out {
                *byte = self.next;
                self.next = self.next.wrapping_add(1);
            }
            Ok(())
        }
    }

    #[test]
    fn a_step_asks_once_and_no_byte_is_handed_out_twice() {
        let mut source = Counting::default();
        let mut drawn = Drawn::from(&mut source);
        let mut seen = Vec::new();
        for length in [16, 4, 32, 16, 60] {
            let mut out = vec![0; length];
            drawn.fill(&mut out).unwrap();
            seen.extend(out);
        }
        seen.sort_unstable();
        assert_eq!(seen, (0..128).collect::<Vec<u8>>());
        assert_eq!(source.calls, 1);
    }

    #[test]
    fn what_does_not_fit_is_drawn_anew() {
        let mut source = Counting::default();
        let mut drawn = Drawn::from(&mut source);
        let (mut first, mut second, mut long) = ([0; 100], [0; 100], [0; 200]);
        drawn.fill(&mut first).unwrap();
        drawn.fill(&mut second).unwrap();
        drawn.fill(&mut long).unwrap();
        assert_eq!((first[0], second[0], long[0]), (0, 128, 0));
        assert_eq!(source.calls, 3);
    }

    #[test]
    fn a_source_that_fails_is_an_error_and_nothing_is_repeated() {
        let mut source = Counting::default();
        let mut drawn = Drawn::from(&mut source);
        assert_eq!(drawn.fill(&mut [0; 16]), Ok(()));
        let mut failing = Counting {
            fails: true,
            ..Counting::default()
        };
        let mut drawn = Drawn::from(&mut failing);
        assert_eq!(drawn.fill(&mut [0; 16]), Err(RandomError));
        assert_eq!(drawn.fill(&mut [0; 16]), Err(RandomError));
        assert_eq!(failing.calls, 2);
    }
}
