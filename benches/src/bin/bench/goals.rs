//! What this library is to reach.

use crate::contest::LIMIT;
use crate::lab::NATIVE;
use crate::rounds::Outcome;

/// A goal and what was found.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) what: String,
    pub(crate) goal: String,
    pub(crate) found: String,
    /// What the ciphers and hashes of it alone reach in the same run.
    pub(crate) alone: Option<String>,
    pub(crate) is_met: bool,
}

enum Goal {
    /// Runs a second, at least.
    Rate(f64),
    /// Nanoseconds, at most.
    Time(f64),
    /// Megabytes a second, at least.
    Speed(f64),
    /// Megabytes a second, at least, of what was compiled for this processor.
    Native(f64),
    /// Allocations of a run, at most.
    Allocations(u64),
    /// As many times as long as this one, at most.
    Growth(&'static str, f64),
}

const GOALS: &[(&str, Goal)] = &[
    ("kerberos/accept/aes256-sha1", Goal::Rate(200_000.0)),
    ("kerberos/accept/aes256-sha1", Goal::Allocations(8)),
    ("kerberos/handshake/aes256-sha1", Goal::Rate(100_000.0)),
    ("ntlm/handshake", Goal::Rate(120_000.0)),
    ("tokens/decode-ap-req", Goal::Time(150.0)),
    ("tokens/decode-ap-req", Goal::Allocations(0)),
    ("tokens/decode-neg-token-init", Goal::Time(100.0)),
    ("tokens/decode-neg-token-init", Goal::Allocations(0)),
    ("messages/wrap/sealed/aes256-sha1/64", Goal::Time(350.0)),
    ("messages/unwrap/sealed/aes256-sha1/64", Goal::Time(350.0)),
    ("messages/wrap/sealed/aes256-sha1/64", Goal::Allocations(0)),
    (
        "messages/unwrap/sealed/aes256-sha1/64",
        Goal::Allocations(0),
    ),
    ("messages/wrap/sealed/aes256-sha1/4k", Goal::Speed(550.0)),
    (
        "messages/unwrap/sealed/aes256-sha1/4k",
        Goal::Speed(1_100.0),
    ),
    ("messages/wrap/sealed/aes256-sha1/64k", Goal::Speed(700.0)),
    (
        "messages/unwrap/sealed/aes256-sha1/64k",
        Goal::Speed(1_500.0),
    ),
    ("messages/wrap/sealed/aes256-sha2/64", Goal::Time(700.0)),
    ("messages/unwrap/sealed/aes256-sha2/64", Goal::Time(700.0)),
    ("messages/wrap/sealed/aes256-sha2/4k", Goal::Speed(370.0)),
    ("messages/unwrap/sealed/aes256-sha2/4k", Goal::Speed(680.0)),
    ("messages/wrap/sealed/aes256-sha2/64k", Goal::Speed(400.0)),
    ("messages/unwrap/sealed/aes256-sha2/64k", Goal::Speed(740.0)),
    (
        "messages/wrap/sealed/aes256-sha1/64k",
        Goal::Native(1_000.0),
    ),
    (
        "messages/unwrap/sealed/aes256-sha1/64k",
        Goal::Native(1_600.0),
    ),
    ("messages/wrap/sealed/aes256-sha2/64k", Goal::Native(480.0)),
    ("messages/wrap/sealed/ntlm/64", Goal::Time(500.0)),
    ("messages/unwrap/sealed/ntlm/64", Goal::Time(500.0)),
    ("messages/wrap/sealed/ntlm/64", Goal::Allocations(0)),
    ("messages/wrap/sealed/ntlm/4k", Goal::Speed(320.0)),
    ("messages/unwrap/sealed/ntlm/4k", Goal::Speed(320.0)),
    ("messages/wrap/sealed/ntlm/64k", Goal::Speed(340.0)),
    ("messages/unwrap/sealed/ntlm/64k", Goal::Speed(340.0)),
    (
        "growth/keytab-entries/10000",
        Goal::Growth("growth/keytab-entries/1", 1.25),
    ),
    (
        "growth/replay-entries/1000000",
        Goal::Growth("growth/replay-entries/0", 1.25),
    ),
    ("growth/threads/2", Goal::Growth("growth/threads/1", 1.3)),
];

/// The goals of what was measured.
pub(crate) fn judge(outcomes: &[Outcome]) -> Vec<Verdict> {
    GOALS
        .iter()
        .filter_map(|(name, goal)| verdict(outcomes, name, goal))
        .collect()
}

/// `None` where it, or what it is compared with, was not measured.
fn verdict(outcomes: &[Outcome], name: &str, goal: &Goal) -> Option<Verdict> {
    let ours = |name: &str| {
        let outcome = outcomes.iter().find(|outcome| outcome.name == name)?;
        Some((outcome, outcome.ours()?))
    };
    let (outcome, figures) = ours(name)?;
    let whole =
        |goal: f64, unit: &str, found: f64| (format!("{goal:.0} {unit}"), format!("{found:.0}"));
    let ((demanded, found), is_met) = match *goal {
        Goal::Rate(goal) => {
            let found = 1e9 / figures.median;
            (whole(goal, "/s", found), found >= goal)
        }
        Goal::Time(goal) => (whole(goal, "ns", figures.median), figures.median <= goal),
        Goal::Speed(goal) => {
            let found = outcome.speed(figures)?;
            (whole(goal, "MB/s", found), found >= goal)
        }
        Goal::Native(goal) => {
            let mut all = outcome.figures.iter();
            let found = outcome.speed(all.find(|figures| figures.contender == NATIVE)?)?;
            (whole(goal, "MB/s", found), found >= goal)
        }
        Goal::Allocations(goal) => {
            let found = figures.counted?.allocations;
            let said = (format!("{goal} allocs"), found.to_string());
            (said, found <= goal)
        }
        Goal::Growth(least, goal) => {
            let found = figures.median / ours(least)?.1.median;
            let least = least.rsplit('/').next().unwrap_or(least);
            let said = (format!("{goal} x of {least}"), format!("{found:.2}"));
            (said, found <= goal)
        }
    };
    let alone = outcome.figures.iter().find(|one| one.contender == LIMIT);
    let alone = alone.and_then(|alone| match goal {
        Goal::Rate(_) => Some(1e9 / alone.median),
        Goal::Time(_) => Some(alone.median),
        Goal::Speed(_) => outcome.speed(alone),
        Goal::Native(_) | Goal::Allocations(_) | Goal::Growth(..) => None,
    });
    Some(Verdict {
        alone: alone.map(|alone| format!("{alone:.0}")),
        what: match goal {
            Goal::Native(_) => format!("{name}, native"),
            _ => name.to_owned(),
        },
        goal: demanded,
        found,
        is_met,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rounds::Figures;

    fn outcome(name: &str, median: f64) -> Outcome {
        let ours = Figures {
            contender: "ours",
            median,
            fast: median,
            slow: median,
            counted: None,
        };
        Outcome {
            name: name.to_owned(),
            bytes: 0,
            figures: vec![ours],
        }
    }

    #[test]
    fn growth_is_judged_by_the_least_of_the_same_run() {
        const MOST: &str = "growth/keytab-entries/10000";
        for (median, is_met) in [(125.0, true), (126.0, false)] {
            let verdicts = judge(&[
                outcome("growth/keytab-entries/1", 100.0),
                outcome(MOST, median),
            ]);
            let said: Vec<_> = verdicts
                .iter()
                .map(|v| (v.what.as_str(), v.is_met))
                .collect();
            assert_eq!(said, [(MOST, is_met)]);
        }
        assert!(judge(&[outcome(MOST, 100.0)]).is_empty());
    }
}
