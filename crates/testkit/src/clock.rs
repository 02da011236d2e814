//! Time for tests.

/// The time at which realms issue tickets when nothing else is said: 14 November 2023, 22:13:20 UTC.
pub const NOW: i64 = 1_700_000_000;

/// A clock that stands still until it is moved.
///
/// ```
/// use countersign_testkit::{FixedClock, NOW};
///
/// let mut clock = FixedClock::new();
/// clock.advance(300);
/// assert_eq!((clock.seconds, clock.microseconds), (NOW + 300, 0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FixedClock {
    /// Unix seconds.
    pub seconds: i64,
    /// Microseconds, 0 to 999,999.
    pub microseconds: u32,
}

impl FixedClock {
    /// A clock at [`NOW`].
    #[must_use]
    pub const fn new() -> Self {
        Self {
            seconds: NOW,
            microseconds: 0,
        }
    }

    /// A clock at `seconds`.
    #[must_use]
    pub const fn at(seconds: i64) -> Self {
        Self {
            seconds,
            microseconds: 0,
        }
    }

    /// Moves the clock by `seconds`, backwards when negative.
    pub fn advance(&mut self, seconds: i64) {
        self.seconds = self.seconds.saturating_add(seconds);
    }

    /// Moves the clock by one microsecond, so that no two authenticators are alike.
    pub fn tick(&mut self) {
        self.microseconds = self.microseconds.saturating_add(1);
        if self.microseconds > 999_999 {
            self.microseconds = 0;
            self.advance(1);
        }
    }
}

impl Default for FixedClock {
    fn default() -> Self {
        Self::new()
    }
}
