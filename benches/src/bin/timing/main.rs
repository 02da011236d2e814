//! Whether the time of a refusal tells how near the truth was: MACs wrong in their first and in
//! their last byte, and unknown users against wrong passwords.
//!
//! ```text
//! cargo xtask timing [--samples N] [--no-instructions | --no-times] [NAME]
//! ```
//!
//! `NAME` is a part of the names that are wanted. Two classes of input are drawn at random, call by
//! call, and their times are compared by Welch's t-test, as dudect does it (Reparaz, Balasch and
//! Verbauwhede, "Dude, is my code constant time?", 2017). Where valgrind is, the instructions of
//! either class are counted too, which no other work on the machine disturbs. Controls are compared
//! byte by byte: what does not notice them notices nothing.

mod cases;
mod instructions;
mod messages;
mod ntlm;
mod primitives;
mod times;
mod tokens;
mod welch;

use std::process::ExitCode;

use countersign_benches::Result;

use cases::{Case, Promise};
use times::Times;

/// What dudect calls a leak lies beyond it.
const LIMIT: f64 = 4.5;

/// Calls of a case, of both classes together.
const SAMPLES: usize = 200_000;

fn main() -> Result<ExitCode> {
    let mut samples = SAMPLES;
    let (mut counting, mut timing, mut inside) = (true, true, false);
    let mut wanted = String::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match &argument[..] {
            "--samples" => samples = arguments.next().ok_or("--samples needs N")?.parse()?,
            "--no-instructions" => counting = false,
            "--no-times" => timing = false,
            instructions::INSIDE => inside = true,
            option if option.starts_with('-') => return Err(format!("what is {option}?").into()),
            _ => wanted = argument,
        }
    }
    let mut cases = cases::all();
    cases.retain(|case| case.name.contains(&wanted));
    if cases.is_empty() {
        return Err(format!("no case has {wanted:?} in its name").into());
    }
    if inside {
        instructions::inside(&cases)?;
        return Ok(ExitCode::SUCCESS);
    }
    let counts = match counting.then(|| instructions::of(&cases, &wanted)) {
        None => None,
        Some(Ok(counts)) => Some(counts),
        Some(Err(problem)) => {
            println!("no instructions are counted: {problem}");
            None
        }
    };
    println!(
        "{:<36} {:>6} {:>6} {:>5} {:>6} {:>7}  verdict",
        "case", "instr.", "and", "ns", "apart", "t"
    );
    let (mut passed, mut failed) = (0, 0);
    for (number, case) in cases.iter().enumerate() {
        let counted = counts
            .as_ref()
            .and_then(|counts| counts.get(number).copied());
        let times = timing.then(|| times::judge(case, samples)).transpose()?;
        match report(case, counted, times.as_ref()) {
            Some(true) => passed += 1,
            Some(false) => failed += 1,
            None => {}
        }
    }
    let open = cases.len() - passed - failed;
    println!("timing: {passed} passed, {failed} failed, {open} not measured");
    Ok(if failed == 0 && passed > 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// A line of the table; whether the case is as it should be, if that was measured.
fn report(case: &Case, counted: Option<[u64; 2]>, times: Option<&Times>) -> Option<bool> {
    let counts = counted.map(|[first, last]| [first.to_string(), last.to_string()]);
    let [first, last] = counts.unwrap_or_else(|| ["-".into(), "-".into()]);
    let [median, apart, t] = match times {
        Some(Times {
            median, difference, ..
        }) => [
            format!("{median:.0}"),
            format!("{:+.1}", difference.means),
            format!("{:+.1}", difference.t),
        ],
        None => ["-", "-", "-"].map(str::to_owned),
    };
    let counts_differ = counted.map(|[first, last]| first != last);
    let times_differ = times.map(|times| {
        let significant = times.difference.t.abs() >= LIMIT;
        let small = times.difference.means.abs() < times.median / 20.0;
        significant && !(small && case.promise == Promise::AlikeButLookUp)
    });
    let again = if times.is_some_and(|times| times.again) {
        " (2nd)"
    } else {
        ""
    };
    let (passed, verdict) = verdict(case.promise, counts_differ, times_differ);
    println!(
        "{:<36} {first:>6} {last:>6} {median:>5} {apart:>6} {t:>7}  {verdict}{again}",
        short(&case.name)
    );
    passed
}

/// With names of enctypes that leave a line in 80 columns.
fn short(name: &str) -> String {
    [
        ("-cts-hmac-sha384-192", "-sha384"),
        ("-cts-hmac-sha256-128", "-sha256"),
        ("-cts-hmac-sha1-96", "-sha1"),
        ("-cts-cmac", "-cmac"),
    ]
    .iter()
    .fold(name.to_owned(), |name, (long, short)| {
        name.replace(long, short)
    })
}

/// Whether a case is as it should be, by the measures that were taken of it.
///
/// Where instructions are counted they decide: a machine that does something else beside tells some of what
/// takes the same instructions apart, by a nanosecond.
fn verdict(
    promise: Promise,
    counts: Option<bool>,
    times: Option<bool>,
) -> (Option<bool>, &'static str) {
    match promise {
        // A control is noticed by each measure.
        Promise::Unlike => match (counts, times) {
            (None, None) => (None, "not measured"),
            (Some(false), _) | (_, Some(false)) => (Some(false), "NOT NOTICED"),
            _ => (Some(true), "noticed"),
        },
        Promise::Alike => alike(counts.or(times), "alike"),
        // That instructions differ where they may says nothing.
        Promise::AlikeInTime => alike(times, "alike in time"),
        Promise::AlikeButLookUp => alike(times, "within 5 %"),
    }
}

fn alike(differs: Option<bool>, verdict: &'static str) -> (Option<bool>, &'static str) {
    match differs {
        None => (None, "not measured"),
        Some(true) => (Some(false), "DIFFERS"),
        Some(false) => (Some(true), verdict),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_decide_where_they_are_counted_and_controls_must_be_noticed() {
        let measured = |promise, counts, times| verdict(promise, counts, times).0;
        let passed = |promise, counts, times| measured(promise, counts, times) == Some(true);
        for promise in [Promise::Alike, Promise::AlikeInTime, Promise::Unlike] {
            assert_eq!(measured(promise, None, None), None);
        }
        assert_eq!(measured(Promise::AlikeInTime, Some(false), None), None);
        let (no, yes) = (Some(false), Some(true));
        assert!(passed(Promise::Alike, no, yes) && passed(Promise::Alike, None, no));
        assert!(!passed(Promise::Alike, yes, no) && !passed(Promise::Alike, None, yes));
        for promise in [Promise::AlikeInTime, Promise::AlikeButLookUp] {
            assert!(passed(promise, yes, no) && passed(promise, None, no));
            assert!(!passed(promise, no, yes) && !passed(promise, None, yes));
        }
        for measures in [(no, no), (yes, no), (no, yes), (None, no), (None, None)] {
            assert!(!passed(Promise::Unlike, measures.0, measures.1));
        }
        assert!(passed(Promise::Unlike, yes, yes) && passed(Promise::Unlike, yes, None));
    }
}
