use core::fmt;

/// A time as Windows counts it: 100 ns intervals since 1601-01-01 (MS-DTYP §2.3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileTime(pub u64);

/// Intervals in a second.
const SECOND: u64 = 10_000_000;
/// Seconds from 1601 to 1970.
const EPOCH: i64 = 11_644_473_600;

impl FileTime {
    /// MS-PAC §2.5: the time at which what never happens happens.
    pub const NEVER: Self = Self(0x7fff_ffff_ffff_ffff);

    /// The time of so many whole seconds since 1970; `None` before 1601 or beyond the format.
    #[must_use]
    pub fn from_unix(seconds: i64) -> Option<Self> {
        let since_1601 = u64::try_from(seconds.checked_add(EPOCH)?).ok()?;
        since_1601.checked_mul(SECOND).map(Self)
    }

    /// Whole seconds since 1970, rounded towards the past; `None` for zero and
    /// [`NEVER`](Self::NEVER), which are no times.
    #[must_use]
    pub fn unix_seconds(self) -> Option<i64> {
        if self.0 == 0 || self.0 >= Self::NEVER.0 {
            return None;
        }
        let since_1601 = i64::try_from(self.0.checked_div(SECOND)?).ok()?;
        since_1601.checked_sub(EPOCH)
    }

    pub(super) const fn from_le_bytes(bytes: [u8; 8]) -> Self {
        Self(u64::from_le_bytes(bytes))
    }
}

/// Seconds since 1970, or `never`.
impl fmt::Display for FileTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.unix_seconds() {
            Some(seconds) => write!(f, "{seconds}"),
            None if self.0 == 0 => f.write_str("none"),
            None => f.write_str("never"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_go_both_ways_and_never_is_no_time() {
        for seconds in [0, 1, 1_120_440_609, i64::from(u32::MAX), -1] {
            assert_eq!(
                FileTime::from_unix(seconds).unwrap().unix_seconds(),
                Some(seconds)
            );
        }
        assert_eq!(FileTime::NEVER.unix_seconds(), None);
        assert_eq!(FileTime(0).unix_seconds(), None);
        assert_eq!(FileTime::from_unix(i64::MIN), None);
        assert_eq!(FileTime::from_unix(i64::MAX), None);
        assert_eq!(FileTime(u64::MAX).unix_seconds(), None);
    }
}
