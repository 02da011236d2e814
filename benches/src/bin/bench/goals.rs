//! What this library is to reach.

use std::fmt;

use crate::contest::{LIMIT, NATIVE_LIMIT};
use crate::lab::NATIVE;
use crate::rounds::Outcome;

/// A goal and what was found.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) what: String,
    pub(crate) goal: String,
    /// By the median of the turns.
    pub(crate) found: String,
    /// In the fastest tenth of them.
    pub(crate) best: Option<String>,
    /// What the ciphers and hashes of it alone reach in the same run.
    pub(crate) alone: Option<String>,
    pub(crate) standing: Standing,
}

/// How it stands with a goal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Met,
    /// By so many per cent of the goal.
    Missed(u32, Cause),
}

/// Why a goal was missed, as far as the figures of the same run tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The fastest tenth of the turns met it.
    Busy,
    /// The ciphers and hashes of it alone miss it too.
    Ciphers,
    Untold,
}

impl Standing {
    /// By a part of the goal above nothing.
    pub(crate) fn missed(by: f64, cause: Cause) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "per cent for people"
        )]
        Self::Missed((by * 100.0).ceil() as u32, cause)
    }
}

/// `met`, or `missed by 12 %; the fastest tenth meets it`.
impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Met => f.write_str("met"),
            Self::Missed(by, cause) => write!(
                f,
                "missed by {by} %{}",
                match cause {
                    Cause::Busy => "; the fastest tenth meets it",
                    Cause::Ciphers => "; so do ciphers and hashes alone",
                    Cause::Untold => "",
                }
            ),
        }
    }
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
    Allocations(u32),
    /// As many times as long as this one, at most.
    Growth(&'static str, f64),
}

impl Goal {
    fn number(&self) -> f64 {
        match *self {
            Self::Rate(goal) | Self::Time(goal) | Self::Speed(goal) | Self::Native(goal) => goal,
            Self::Allocations(goal) => goal.into(),
            Self::Growth(_, goal) => goal,
        }
    }

    fn demanded(&self) -> String {
        let number = self.number();
        match *self {
            Self::Rate(_) => format!("{number:.0} /s"),
            Self::Time(_) => format!("{number:.0} ns"),
            Self::Speed(_) | Self::Native(_) => format!("{number:.0} MB/s"),
            Self::Allocations(_) => format!("{number:.0} allocs"),
            Self::Growth(least, _) => {
                let least = least.rsplit('/').next().unwrap_or(least);
                format!("{number} x of {least}")
            }
        }
    }

    fn said(&self, found: f64) -> String {
        match self {
            Self::Growth(..) => format!("{found:.2}"),
            _ => format!("{found:.0}"),
        }
    }

    /// How far this is from it, as a part of the goal; not above zero where it is met.
    fn gap(&self, found: f64) -> f64 {
        let ratio = found / self.number();
        match self {
            Self::Rate(_) | Self::Speed(_) | Self::Native(_) => 1.0 - ratio,
            Self::Allocations(goal) => (found - self.number()) / f64::from(*goal).max(1.0),
            Self::Time(_) | Self::Growth(..) => ratio - 1.0,
        }
    }

    fn is_met(&self, found: f64) -> bool {
        self.gap(found) <= 0.0
    }
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
    let of = |contender: &str| {
        let mut all = outcome.figures.iter();
        all.find(|figures| figures.contender == contender)
    };
    let (judged, limit) = match goal {
        Goal::Native(_) => (of(NATIVE)?, of(NATIVE_LIMIT)),
        _ => (figures, of(LIMIT)),
    };
    // What a run that takes so many nanoseconds reaches.
    let reached = |time: f64| match goal {
        Goal::Rate(_) => Some(1e9 / time),
        Goal::Time(_) => Some(time),
        Goal::Speed(_) | Goal::Native(_) => outcome.speed(time),
        Goal::Allocations(_) => None,
        Goal::Growth(least, _) => Some(time / ours(least)?.1.median),
    };
    let found = match goal {
        Goal::Allocations(_) => crate::rounds::as_f64(judged.counted?.allocations),
        _ => reached(judged.median)?,
    };
    let best = match goal {
        Goal::Growth(..) => None,
        _ => reached(judged.fast),
    };
    let alone = limit.and_then(|limit| reached(limit.median));
    let standing = if goal.is_met(found) {
        Standing::Met
    } else if best.is_some_and(|best| goal.is_met(best)) {
        Standing::missed(goal.gap(found), Cause::Busy)
    } else if alone.is_some_and(|alone| !goal.is_met(alone)) {
        Standing::missed(goal.gap(found), Cause::Ciphers)
    } else {
        Standing::missed(goal.gap(found), Cause::Untold)
    };
    Some(Verdict {
        what: match goal {
            Goal::Native(_) => format!("{name}, native"),
            _ => name.to_owned(),
        },
        goal: goal.demanded(),
        found: goal.said(found),
        best: best.map(|best| goal.said(best)),
        alone: alone.map(|alone| goal.said(alone)),
        standing,
    })
}

/// Whether one is set for what was compiled for this processor.
pub(crate) fn is_native(name: &str) -> bool {
    GOALS
        .iter()
        .any(|(of, goal)| *of == name && matches!(goal, Goal::Native(_)))
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
                .map(|v| (v.what.as_str(), v.standing == Standing::Met))
                .collect();
            assert_eq!(said, [(MOST, is_met)]);
        }
        assert!(judge(&[outcome(MOST, 100.0)]).is_empty());
    }
}
