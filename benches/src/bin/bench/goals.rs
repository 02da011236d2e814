//! What this library is to reach.

use crate::rounds::Outcome;

/// A goal and what was found.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) what: String,
    pub(crate) goal: String,
    pub(crate) found: String,
    pub(crate) is_met: bool,
}

enum Goal {
    /// Runs a second, at least.
    Rate(f64),
    /// Nanoseconds, at most.
    Time(f64),
    /// Megabytes a second, at least.
    Speed(f64),
    /// Allocations of a run, at most.
    Allocations(f64),
}

const GOALS: &[(&str, Goal)] = &[
    ("kerberos/accept/aes256-sha1", Goal::Rate(200_000.0)),
    ("kerberos/accept/aes256-sha1", Goal::Allocations(8.0)),
    ("kerberos/handshake/aes256-sha1", Goal::Rate(100_000.0)),
    ("ntlm/handshake", Goal::Rate(120_000.0)),
    ("tokens/decode-ap-req", Goal::Time(150.0)),
    ("tokens/decode-ap-req", Goal::Allocations(0.0)),
    ("tokens/decode-neg-token-init", Goal::Time(100.0)),
    ("tokens/decode-neg-token-init", Goal::Allocations(0.0)),
    ("messages/wrap/sealed/aes256-sha1/64", Goal::Time(350.0)),
    ("messages/unwrap/sealed/aes256-sha1/64", Goal::Time(350.0)),
    (
        "messages/wrap/sealed/aes256-sha1/64",
        Goal::Allocations(0.0),
    ),
    (
        "messages/unwrap/sealed/aes256-sha1/64",
        Goal::Allocations(0.0),
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
    ("messages/wrap/sealed/ntlm/64", Goal::Time(500.0)),
    ("messages/unwrap/sealed/ntlm/64", Goal::Time(500.0)),
    ("messages/wrap/sealed/ntlm/64", Goal::Allocations(0.0)),
    ("messages/wrap/sealed/ntlm/4k", Goal::Speed(320.0)),
    ("messages/unwrap/sealed/ntlm/4k", Goal::Speed(320.0)),
    ("messages/wrap/sealed/ntlm/64k", Goal::Speed(340.0)),
    ("messages/unwrap/sealed/ntlm/64k", Goal::Speed(340.0)),
];

/// The goals of what was measured.
pub(crate) fn judge(outcomes: &[Outcome]) -> Vec<Verdict> {
    let verdict = |(name, goal): &(&str, Goal)| {
        let outcome = outcomes.iter().find(|outcome| outcome.name == *name)?;
        let ours = outcome.ours()?;
        let (unit, goal, found, is_met) = match *goal {
            Goal::Rate(goal) => {
                let found = 1e9 / ours.median;
                ("/s", goal, found, found >= goal)
            }
            Goal::Time(goal) => ("ns", goal, ours.median, ours.median <= goal),
            Goal::Speed(goal) => {
                let found = outcome.speed(ours)?;
                ("MB/s", goal, found, found >= goal)
            }
            Goal::Allocations(goal) => ("allocs", goal, ours.allocations, ours.allocations <= goal),
        };
        Some(Verdict {
            what: (*name).to_owned(),
            goal: format!("{goal:.0} {unit}"),
            found: format!("{found:.0}"),
            is_met,
        })
    };
    GOALS.iter().filter_map(verdict).collect()
}
