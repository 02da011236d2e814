//! Turns: every contender runs some milliseconds, then the next, and all again.

use std::num::NonZeroUsize;

use countersign_benches::Result;
use countersign_benches::answer::Totals;

use crate::contest::{Contest, Ready};
use crate::lab::Lab;

/// How long a turn is to take, in nanoseconds.
const TURN: u64 = 4_000_000;

/// What was found of one contest.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) name: String,
    /// The bytes of an operation's message, or zero.
    pub(crate) bytes: u64,
    pub(crate) figures: Vec<Figures>,
}

/// What was found of one contender. Times are nanoseconds of one run.
#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) contender: &'static str,
    pub(crate) median: f64,
    /// A tenth of the turns were faster.
    pub(crate) fast: f64,
    /// A tenth were slower.
    pub(crate) slow: f64,
    /// Of one run, where somebody counted.
    pub(crate) counted: Option<Totals>,
}

impl Outcome {
    /// Ours.
    pub(crate) fn ours(&self) -> Option<&Figures> {
        self.figures.first()
    }

    /// Megabytes a second of a run that takes so many nanoseconds, where it has bytes.
    pub(crate) fn speed(&self, time: f64) -> Option<f64> {
        (self.bytes > 0).then(|| as_f64(self.bytes) * 1e3 / time)
    }
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
pub(crate) fn as_f64(number: u64) -> f64 {
    number as f64
}

struct Turns {
    contender: &'static str,
    ready: Ready,
    times: u32,
    /// Nanoseconds of one run, a turn each.
    found: Vec<f64>,
}

/// Runs one contest; who cannot take part is left out.
pub(crate) fn run(contest: &mut Contest, lab: &mut Lab, rounds: NonZeroUsize) -> Result<Outcome> {
    let rounds = rounds.get();
    let mut all = Vec::new();
    let mut bytes = 0;
    for contender in &contest.contenders {
        let mut ready = contender.source.ready()?;
        if let (Ready::Here(operation), 0) = (&ready, bytes) {
            bytes = operation.bytes.unwrap_or(0);
        }
        if let Some(times) = calibrate(&mut ready, lab)? {
            all.push(Turns {
                contender: contender.name,
                ready,
                times,
                found: Vec::with_capacity(rounds),
            });
        }
    }
    for round in 0..rounds {
        for place in 0..all.len() {
            // Nobody always comes after the same other.
            let index = (place + round) % all.len();
            let turns = &mut all[index];
            if let Some(totals) = turns.ready.run(turns.times, lab)? {
                turns
                    .found
                    .push(as_f64(totals.nanoseconds) / f64::from(turns.times));
            }
        }
    }
    let mut found = Vec::new();
    for turns in all {
        let counted = turns.ready.count(lab)?;
        found.extend(figures(turns, counted));
    }
    Ok(Outcome {
        name: contest.name.clone(),
        bytes,
        figures: found,
    })
}

/// How many runs fill a turn. `None` where it cannot do it at all.
fn calibrate(ready: &mut Ready, lab: &mut Lab) -> Result<Option<u32>> {
    let mut times = 1;
    loop {
        let Some(totals) = ready.run(times, lab)? else {
            return Ok(None);
        };
        if totals.nanoseconds >= TURN / 4 {
            let fits = u64::from(times) * TURN / totals.nanoseconds;
            return Ok(Some(u32::try_from(fits.max(1))?));
        }
        times *= 4;
    }
}

/// `None` where it took no turn.
fn figures(mut turns: Turns, counted: Option<Totals>) -> Option<Figures> {
    turns.found.sort_by(f64::total_cmp);
    let at = |part: usize| {
        turns
            .found
            .get((turns.found.len() - 1) * part / 10)
            .copied()
    };
    if turns.found.is_empty() {
        return None;
    }
    Some(Figures {
        contender: turns.contender,
        median: at(5)?,
        fast: at(1)?,
        slow: at(9)?,
        counted,
    })
}
