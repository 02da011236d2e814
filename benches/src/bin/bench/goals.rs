//! What this library is to reach.

use std::fmt;

use crate::contest::{CIPHER, HASH, LIMIT, NATIVE_CIPHER, NATIVE_HASH};
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
    /// What the ciphers and hashes of it alone reach in the same run, one after the other.
    pub(crate) alone: Option<String>,
    /// What the slower of its cipher and its hash reaches by itself in the same run.
    pub(crate) floor: Option<String>,
    pub(crate) standing: Standing,
}

/// What takes this much longer is slower, whatever the machine did meanwhile: ours is then faster than one pass after the other, which is
/// no reason for anything.
const SLOWER: f64 = 1.05;

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
    /// The slower of its cipher and hash alone misses it too.
    Floor,
    /// The ciphers and hashes of it alone, one after the other, miss it too, and are not [`SLOWER`].
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
                    Cause::Floor => "; so does the slower pass",
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
    let (judged, limit, passes) = match goal {
        Goal::Native(_) => (of(NATIVE)?, None, [NATIVE_CIPHER, NATIVE_HASH]),
        _ => (figures, of(LIMIT), [CIPHER, HASH]),
    };
    let slower = match passes.map(of) {
        [Some(cipher), Some(hash)] => Some(cipher.median.max(hash.median)),
        _ => None,
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
    let floor = slower.and_then(reached);
    let misses = |reached: f64| !goal.is_met(reached);
    let is_no_slower = limit.is_some_and(|limit| limit.median <= judged.median * SLOWER);
    let standing = if goal.is_met(found) {
        Standing::Met
    } else if best.is_some_and(|best| goal.is_met(best)) {
        Standing::missed(goal.gap(found), Cause::Busy)
    } else if floor.is_some_and(misses) {
        Standing::missed(goal.gap(found), Cause::Floor)
    } else if is_no_slower && alone.is_some_and(misses) {
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
        floor: floor.map(|floor| goal.said(floor)),
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
    use countersign_benches::answer::Totals;

    use super::*;
    use crate::contest::OURS;
    use crate::rounds::Figures;

    /// Of contenders with their medians; the fastest tenth of each takes nine tenths of it.
    fn outcome(name: &str, bytes: u64, all: &[(&'static str, f64)]) -> Outcome {
        let figures = all.iter().map(|&(contender, median)| Figures {
            contender,
            median,
            fast: median * 0.9,
            slow: median,
            counted: Some(Totals {
                allocations: 2,
                ..Totals::default()
            }),
        });
        Outcome {
            name: name.to_owned(),
            bytes,
            figures: figures.collect(),
        }
    }

    fn said(goal: &Goal, bytes: u64, all: &[(&'static str, f64)]) -> String {
        let verdict = verdict(&[outcome("x", bytes, all)], "x", goal).unwrap();
        format!(
            "{} of {}: {}",
            verdict.found, verdict.goal, verdict.standing
        )
    }

    /// A goal, the contenders' medians, and what is said of it.
    type Row = (Goal, &'static [(&'static str, f64)], &'static str);

    #[test]
    fn goals_are_met_or_missed_by_so_much_and_for_a_reason() {
        use Goal::{Allocations, Native, Rate, Speed, Time};
        // 1,000 bytes in a microsecond are 1,000 MB/s.
        let rows: &[Row] = &[
            (Rate(1e6), &[(OURS, 1e3)], "1000000 of 1000000 /s: met"),
            (
                Rate(1e6),
                &[(OURS, 1_050.0)],
                "952381 of 1000000 /s: missed by 5 %; the fastest tenth meets it",
            ),
            (
                Rate(1e6),
                &[(OURS, 2e3), (LIMIT, 1_500.0)],
                "500000 of 1000000 /s: missed by 50 %; so do ciphers and hashes alone",
            ),
            (
                Rate(1e6),
                &[(OURS, 2e3), (LIMIT, 900.0)],
                "500000 of 1000000 /s: missed by 50 %",
            ),
            (Time(150.0), &[(OURS, 150.0)], "150 of 150 ns: met"),
            (
                Time(100.0),
                &[(OURS, 150.0)],
                "150 of 100 ns: missed by 50 %",
            ),
            (Speed(900.0), &[(OURS, 1e3)], "1000 of 900 MB/s: met"),
            (
                Speed(2_000.0),
                &[(OURS, 1e3), (LIMIT, 800.0), (CIPHER, 100.0), (HASH, 700.0)],
                "1000 of 2000 MB/s: missed by 50 %; so does the slower pass",
            ),
            (
                Speed(2_000.0),
                &[(OURS, 1e3), (LIMIT, 1_040.0)],
                "1000 of 2000 MB/s: missed by 50 %; so do ciphers and hashes alone",
            ),
            // Faster than the two passes, which are no reason then.
            (
                Speed(2_000.0),
                &[
                    (OURS, 1e3),
                    (LIMIT, 1_100.0),
                    (CIPHER, 400.0),
                    (HASH, 450.0),
                ],
                "1000 of 2000 MB/s: missed by 50 %",
            ),
            (
                Native(1_000.0),
                &[
                    (OURS, 500.0),
                    (NATIVE, 2e3),
                    (LIMIT, 5e3),
                    (CIPHER, 5e3),
                    (HASH, 5e3),
                ],
                "500 of 1000 MB/s: missed by 50 %",
            ),
            (
                Native(1_000.0),
                &[
                    (OURS, 500.0),
                    (NATIVE, 2e3),
                    (NATIVE_CIPHER, 1.5e3),
                    (NATIVE_HASH, 9.0),
                ],
                "500 of 1000 MB/s: missed by 50 %; so does the slower pass",
            ),
            (Allocations(2), &[(OURS, 1.0)], "2 of 2 allocs: met"),
            (
                Allocations(1),
                &[(OURS, 1.0)],
                "2 of 1 allocs: missed by 100 %",
            ),
        ];
        for (goal, figures, expected) in rows {
            assert_eq!(said(goal, 1_000, figures), *expected);
        }
    }

    #[test]
    fn growth_is_judged_by_the_least_of_the_same_run() {
        const MOST: &str = "growth/keytab-entries/10000";
        let of = |name: &str, median| outcome(name, 0, &[(OURS, median)]);
        for (median, is_met) in [(125.0, true), (126.0, false)] {
            let verdicts = judge(&[of("growth/keytab-entries/1", 100.0), of(MOST, median)]);
            let said: Vec<_> = verdicts
                .iter()
                .map(|v| (v.what.as_str(), v.standing == Standing::Met))
                .collect();
            assert_eq!(said, [(MOST, is_met)]);
        }
        assert!(judge(&[of(MOST, 100.0)]).is_empty());
    }
}
