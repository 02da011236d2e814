//! Durations, in every form that MIT krb5 documents, and Heimdal's words.

use super::parser::is_blank;

const UNITS: [(char, u32); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

/// Heimdal's units, longest first where one begins another. A month is 30 days there, a year 365.
const WORDS: [(&str, u32); 14] = [
    ("years", 31_536_000),
    ("year", 31_536_000),
    ("months", 2_592_000),
    ("month", 2_592_000),
    ("weeks", 604_800),
    ("week", 604_800),
    ("days", 86_400),
    ("day", 86_400),
    ("hours", 3_600),
    ("hour", 3_600),
    ("minutes", 60),
    ("minute", 60),
    ("seconds", 1),
    ("second", 1),
];

/// The seconds that the text stands for, at most `i32::MAX`, as MIT krb5 has it.
///
/// | form | example |
/// |---|---|
/// | seconds | `36000` |
/// | `h:m`, `h:m:s` | `10:00`, `36:30:00` |
/// | `d-h:m:s` | `7-00:00:00` |
/// | numbers with units, largest first | `1d 12h`, `30m`, `1d12h30m15s` |
/// | Heimdal's words | `10 hours`, `1 day 12 hours` |
///
/// Source: MIT krb5 documentation, "Supported date and time formats", "Duration". Negative durations, which the C
/// library reads too, make no sense in any setting and are refused, and so is anything that follows.
///
/// ```
/// use countersign_credential::krb5_conf::duration;
///
/// assert_eq!(duration("1d 12h"), Some(129_600));
/// assert_eq!(duration("10 hours"), duration("10:00"));
/// assert_eq!(duration("-5m"), None);
/// ```
#[must_use]
pub fn duration(text: &str) -> Option<u32> {
    let text = text.trim_matches(is_blank);
    let seconds = clock(text)
        .or_else(|| with_units(text))
        .or_else(|| with_words(text))?;
    i32::try_from(seconds)
        .ok()
        .and_then(|seconds| u32::try_from(seconds).ok())
}

/// `s`, `h:m`, `h:m:s` and `d-h:m:s`. After the first number the others have two digits at most.
fn clock(text: &str) -> Option<u32> {
    let (days, rest) = match text.split_once('-') {
        Some((days, rest)) => (Some(number(days)?), rest),
        None => (None, text),
    };
    let mut parts = rest.split(':');
    let first = parts.next()?;
    let (second, third) = (parts.next(), parts.next());
    if parts.next().is_some() {
        return None;
    }
    let short = |part: &str| (part.len() <= 2).then(|| number(part)).flatten();
    match (days, second, third) {
        (None, None, None) => number(first),
        (None, Some(minutes), None) => sum(0, number(first)?, short(minutes)?, 0),
        (None, Some(minutes), Some(seconds)) => {
            sum(0, number(first)?, short(minutes)?, short(seconds)?)
        }
        (Some(days), Some(minutes), Some(seconds)) => {
            sum(days, short(first)?, short(minutes)?, short(seconds)?)
        }
        _ => None,
    }
}

fn sum(days: u32, hours: u32, minutes: u32, seconds: u32) -> Option<u32> {
    let [days, hours, minutes] = [
        days.checked_mul(86_400)?,
        hours.checked_mul(3_600)?,
        minutes.checked_mul(60)?,
    ];
    days.checked_add(hours)?
        .checked_add(minutes)?
        .checked_add(seconds)
}

/// `1d2h3m4s`, blanks between the pairs; each unit once and in this order.
fn with_units(text: &str) -> Option<u32> {
    let mut units = UNITS.iter();
    pairs(text, |rest| {
        let mut rest_of_units = rest.chars();
        let letter = rest_of_units.next()?;
        let (_, factor) = units.find(|(name, _)| *name == letter)?;
        Some((*factor, rest_of_units.as_str()))
    })
}

/// `1 day 2 hours`.
fn with_words(text: &str) -> Option<u32> {
    pairs(text, |rest| {
        let rest = rest.trim_start_matches(is_blank);
        WORDS
            .iter()
            .find_map(|(word, factor)| Some((*factor, rest.strip_prefix(word)?)))
    })
}

fn pairs<'a>(
    text: &'a str,
    mut unit: impl FnMut(&'a str) -> Option<(u32, &'a str)>,
) -> Option<u32> {
    let (mut rest, mut total) = (text, 0u32);
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        let (count, after) = rest.split_at_checked(end)?;
        let (factor, after) = unit(after)?;
        total = total.checked_add(number(count)?.checked_mul(factor)?)?;
        rest = after.trim_start_matches(is_blank);
    }
    (!text.is_empty()).then_some(total)
}

fn number(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_form_is_read() {
        for (text, seconds) in [
            ("0", 0),
            ("36000", 36_000),
            ("2147483647", 2_147_483_647),
            ("10:30", 37_800),
            ("100:05:06", 360_306),
            ("7-00:00:00", 604_800),
            ("1-2:3:4", 93_784),
            ("1d", 86_400),
            ("1d 12h", 129_600),
            ("1d12h30m15s", 131_415),
            ("2h 5s", 7_205),
            ("90m", 5_400),
            (" 5s ", 5),
            ("10 hours", 36_000),
            ("1 day 2 hours 3 minutes 4 seconds", 93_784),
            ("1 week", 604_800),
        ] {
            assert_eq!(duration(text), Some(seconds), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        assert!(duration("1h 2m").is_some());
        for text in [
            "",
            " ",
            "-5",
            "-5m",
            "5x",
            "h",
            "1h 2d",
            "1m 1m",
            "1:2:3:4",
            "1:200",
            "1-2:3",
            "1-2",
            "2147483648",
            "99999999999",
            "24856d",
            "1 fortnight",
            "5m junk",
            "+5",
            "5 -",
            "1.5h",
        ] {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}
