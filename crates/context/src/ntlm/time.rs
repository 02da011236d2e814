//! Time as NTLM carries it.

use crate::environment::Timestamp;

/// Seconds from 1601-01-01 to 1970-01-01.
const EPOCH: i64 = 11_644_473_600;
const TICKS_A_SECOND: i64 = 10_000_000;
const TICKS_A_MICROSECOND: i64 = 10;

/// FILETIME (MS-DTYP §2.3.3): units of 100 ns since 1601-01-01 UTC; 0 before it.
pub(super) fn file_time(moment: Timestamp) -> u64 {
    let ticks = moment
        .seconds()
        .saturating_add(EPOCH)
        .saturating_mul(TICKS_A_SECOND)
        .saturating_add(i64::from(moment.microseconds()).saturating_mul(TICKS_A_MICROSECOND));
    u64::try_from(ticks).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_times_count_from_1601_in_units_of_100_ns() {
        assert_eq!(file_time(Timestamp::from_unix(-EPOCH)), 0);
        assert_eq!(file_time(Timestamp::from_unix(-EPOCH - 1)), 0);
        assert_eq!(file_time(Timestamp::from_unix(0)), 116_444_736_000_000_000);
        assert_eq!(
            file_time(Timestamp::new(1, 1)),
            116_444_736_010_000_000 + 10
        );
        assert_eq!(file_time(Timestamp::NEVER), i64::MAX.unsigned_abs());
    }
}
