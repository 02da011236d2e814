//! Moments as Windows counts them.

use countersign_context::Timestamp;

/// Seconds from 1601-01-01 to 1970-01-01.
const UNIX_EPOCH: i64 = 11_644_473_600;
/// Ticks of 100 ns in a second.
const TICKS: i64 = 10_000_000;

/// `TimeStamp`: 100 ns since 1601-01-01 00:00:00 UTC (MS-DTYP §2.3.3).
///
/// Windows recommends local time here; this is UTC on every system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeStamp(pub i64);

impl TimeStamp {
    /// What does not expire: the constant maximum time.
    pub const NEVER: Self = Self(0x7fff_ffff_ffff_ffff);

    /// Unix seconds; `None` for what lies outside, [`NEVER`](Self::NEVER) above all.
    #[must_use]
    pub fn unix_seconds(self) -> Option<i64> {
        (self != Self::NEVER)
            .then_some(self.0.div_euclid(TICKS))?
            .checked_sub(UNIX_EPOCH)
    }
}

impl From<Timestamp> for TimeStamp {
    fn from(moment: Timestamp) -> Self {
        let ticks = moment
            .seconds()
            .checked_add(UNIX_EPOCH)
            .and_then(|seconds| seconds.checked_mul(TICKS))
            .and_then(|ticks| ticks.checked_add(i64::from(moment.microseconds()).checked_mul(10)?));
        ticks.map_or(Self::NEVER, Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_counted_from_1601_and_what_never_comes_is_the_maximum() {
        assert_eq!(
            TimeStamp::from(Timestamp::from_unix(0)).0,
            116_444_736_000_000_000
        );
        let moment = TimeStamp::from(Timestamp::new(1, 5));
        assert_eq!(moment.0, 116_444_736_010_000_050);
        assert_eq!(moment.unix_seconds(), Some(1));
        assert_eq!(TimeStamp::from(Timestamp::NEVER), TimeStamp::NEVER);
        assert_eq!(TimeStamp::NEVER.unix_seconds(), None);
    }
}
