use core::fmt;

use crate::der::{Decode, Encode, Reader, Tag, Writer, integer_of_32_bits};
use crate::error::{DecodeError, DecodeErrorKind};

/// RFC 4120 §5.2.3: `KerberosTime ::= GeneralizedTime -- with no fractional seconds`.
///
/// ```
/// use countersign_token::kerberos::KerberosTime;
///
/// let time = KerberosTime { seconds: 500_159_187 };
/// assert_eq!(time.to_string(), "1985-11-06 21:06:27Z");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KerberosTime {
    /// Seconds since 1970-01-01 00:00:00 UTC, leap seconds not counted. What is before year 0 or
    /// after year 9999 is written as the nearest time that has a form.
    pub seconds: i64,
}

/// RFC 4120 §5.2.4: `Microseconds ::= INTEGER (0..999999)`.
///
/// Four octets are read whatever the number is, because a peer writes its 32-bit integer as it is;
/// the fewest are written (see docs/TOLERANCES.md).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Microseconds(u32);

impl Microseconds {
    /// The greatest, 999,999.
    pub const MAX: Self = Self(999_999);

    /// So many microseconds, if fewer than a second.
    #[must_use]
    pub const fn new(microseconds: u32) -> Option<Self> {
        if microseconds <= Self::MAX.0 {
            Some(Self(microseconds))
        } else {
            None
        }
    }

    /// So many microseconds, or 999,999 if that is fewer.
    #[must_use]
    pub const fn saturating(microseconds: u32) -> Self {
        match Self::new(microseconds) {
            Some(value) => value,
            None => Self::MAX,
        }
    }

    /// The number, 0 to 999,999.
    #[must_use]
    pub const fn as_u32(self) -> u32 {
        self.0
    }
}

impl<'a> Decode<'a> for Microseconds {
    #[inline]
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let at = *reader;
        let contents = reader.read(Tag::INTEGER)?;
        u32::try_from(integer_of_32_bits(contents)?)
            .ok()
            .and_then(Self::new)
            .ok_or_else(|| at.error(DecodeErrorKind::MicrosecondsOutOfRange))
    }
}

impl Encode for Microseconds {
    fn encode(&self, writer: &mut Writer) {
        self.0.encode(writer);
    }
}

impl KerberosTime {
    /// 0000-01-01 00:00:00.
    const FIRST: i64 = -62_167_219_200;
    /// 9999-12-31 23:59:59.
    const LAST: i64 = 253_402_300_799;

    /// The fifteen characters `YYYYMMDDHHMMSSZ`.
    #[allow(
        clippy::arithmetic_side_effects,
        reason = "between FIRST and LAST nothing overflows"
    )]
    fn digits(self) -> [u8; 15] {
        let seconds = self.seconds.clamp(Self::FIRST, Self::LAST);
        let (year, month, day) = civil_from_days(seconds.div_euclid(86_400));
        let second = seconds.rem_euclid(86_400);
        let pairs = [
            year / 100,
            year % 100,
            month,
            day,
            second / 3600,
            second / 60 % 60,
            second % 60,
        ];
        let mut digits = [b'Z'; 15];
        for (place, pair) in digits.as_chunks_mut::<2>().0.iter_mut().zip(pairs) {
            *place = [digit(pair / 10), digit(pair % 10)];
        }
        digits
    }

    /// The time in the contents of a GeneralizedTime, if they have the one form.
    #[inline]
    pub(crate) fn from_contents(contents: &[u8]) -> Option<Self> {
        contents.try_into().ok().and_then(Self::from_digits)
    }

    /// The time in `YYYYMMDDHHMMSSZ`, if there is one.
    #[allow(
        clippy::arithmetic_side_effects,
        reason = "fourteen digits overflow nothing here"
    )]
    #[inline]
    fn from_digits(digits: &[u8; 15]) -> Option<Self> {
        if digits.iter().take(14).any(|digit| !digit.is_ascii_digit()) || digits.last()? != &b'Z' {
            return None;
        }
        let [c, y, month, day, hour, minute, second] = {
            let mut pairs = [0_i64; 7];
            for (pair, [tens, ones]) in pairs.iter_mut().zip(digits.as_chunks::<2>().0) {
                *pair = i64::from(tens - b'0') * 10 + i64::from(ones - b'0');
            }
            pairs
        };
        let year = c * 100 + y;
        if !(1..=12).contains(&month)
            || !(1..=days_in_month(year, month)).contains(&day)
            || hour > 23
            || minute > 59
            || second > 59
        {
            return None;
        }
        let days = days_from_civil(year, month, day);
        Some(Self {
            seconds: days * 86_400 + hour * 3600 + minute * 60 + second,
        })
    }
}

#[allow(clippy::arithmetic_side_effects, reason = "the argument is a digit")]
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is 0 to 9"
)]
const fn digit(value: i64) -> u8 {
    b'0' + value as u8
}

const fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar. Years are counted from
/// March, so that the leap day ends them; 146,097 days are 400 years.
#[allow(clippy::arithmetic_side_effects, reason = "years are 0 to 9999")]
const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The inverse of [`days_from_civil`].
#[allow(clippy::arithmetic_side_effects, reason = "years are 0 to 9999")]
const fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

impl<'a> Decode<'a> for KerberosTime {
    #[inline]
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let contents = reader.read(Tag::GENERALIZED_TIME)?;
        Self::from_contents(contents.remaining())
            .ok_or_else(|| contents.error(DecodeErrorKind::MalformedTime))
    }
}

impl Encode for KerberosTime {
    fn encode(&self, writer: &mut Writer) {
        writer.element(Tag::GENERALIZED_TIME, &self.digits());
    }
}

impl fmt::Display for KerberosTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.digits();
        for (index, digit) in digits.iter().enumerate() {
            let separator = match index {
                4 | 6 => "-",
                8 => " ",
                10 | 12 => ":",
                _ => "",
            };
            write!(f, "{separator}{}", char::from(*digit))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<i64> {
        let mut der = alloc::vec![0x18, u8::try_from(text.len()).unwrap()];
        der.extend_from_slice(text.as_bytes());
        KerberosTime::from_der(&der).ok().map(|time| time.seconds)
    }

    #[test]
    fn known_times_are_read() {
        // RFC 4120 §5.2.3's own example.
        assert_eq!(parse("19851106210627Z"), Some(500_159_187));
        assert_eq!(parse("19700101000000Z"), Some(0));
        assert_eq!(parse("20380119031408Z"), Some(1 << 31));
        assert_eq!(parse("20000229000000Z"), Some(951_782_400));
        assert_eq!(parse("00000101000000Z"), Some(KerberosTime::FIRST));
        assert_eq!(parse("99991231235959Z"), Some(KerberosTime::LAST));
    }

    #[test]
    fn times_that_do_not_exist_or_have_another_form_are_refused() {
        for text in [
            "19700001000000Z",
            "19701301000000Z",
            "19700100000000Z",
            "19700132000000Z",
            "19700229000000Z",
            "19000229000000Z",
            "19700101240000Z",
            "19700101006000Z",
            "19700101000060Z",
            "19700101000000",
            "19700101000000z",
            "19700101000000.0Z",
            "197001010000Z",
            "19700101000000+0000",
            "1970010100000:Z",
            "1970010100000/Z",
            "-9700101000000Z",
            "",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse("19960229235959Z"), Some(825_638_399));
    }

    #[test]
    fn times_across_the_whole_calendar_round_trip() {
        let mut seconds = KerberosTime::FIRST;
        while seconds <= KerberosTime::LAST {
            let time = KerberosTime { seconds };
            assert_eq!(KerberosTime::from_digits(&time.digits()), Some(time));
            seconds += 11 * 86_399;
        }
    }

    #[test]
    fn times_without_a_form_are_written_as_the_nearest_one() {
        assert_eq!(
            &KerberosTime { seconds: i64::MAX }.digits(),
            b"99991231235959Z"
        );
        assert_eq!(
            &KerberosTime { seconds: i64::MIN }.digits(),
            b"00000101000000Z"
        );
    }

    #[test]
    fn microseconds_stop_below_a_second() {
        assert_eq!(
            Microseconds::from_der(&[2, 3, 0x0f, 0x42, 0x3f]),
            Ok(Microseconds::MAX)
        );
        for der in [&[2, 3, 0x0f, 0x42, 0x40][..], &[2, 1, 0xff]] {
            let error = Microseconds::from_der(der).unwrap_err();
            assert_eq!(error.kind(), DecodeErrorKind::MicrosecondsOutOfRange);
        }
    }

    #[test]
    fn microseconds_in_four_octets_are_read_and_in_no_other_padding() {
        for value in [0_u32, 1, 0x7f, 0x80, 0x7fff, 0x8000, 999_999] {
            let der = [&[2, 4][..], &value.to_be_bytes()].concat();
            let read = Microseconds::from_der(&der).map(Microseconds::as_u32);
            assert_eq!(read, Ok(value), "{value}");
        }
        for der in [
            &[2, 0][..],
            &[2, 2, 0, 1],
            &[2, 3, 0, 0, 1],
            &[2, 5, 0, 0, 0, 0, 1],
            &[2, 4, 0xff, 0xff, 0xff, 0xff],
        ] {
            let error = Microseconds::from_der(der).unwrap_err();
            assert_eq!(error.kind(), DecodeErrorKind::NonMinimalInteger, "{der:?}");
        }
        for der in [[2, 4, 0, 0x0f, 0x42, 0x40], [2, 4, 0, 0x80, 0, 0]] {
            let error = Microseconds::from_der(&der).unwrap_err();
            assert_eq!(error.kind(), DecodeErrorKind::MicrosecondsOutOfRange);
        }
    }

    #[test]
    fn microseconds_of_a_second_and_more_are_refused_or_written_as_the_last() {
        assert_eq!(Microseconds::new(999_999), Some(Microseconds::MAX));
        assert_eq!(Microseconds::new(1_000_000), None);
        for (given, kept) in [(0, 0), (999_999, 999_999), (1_000_000, 999_999)] {
            assert_eq!(Microseconds::saturating(given).as_u32(), kept);
        }
    }
}
