//! Turns: every contender runs some milliseconds, then the next, and all again.

use countersign_benches::Result;

use crate::contest::{Contest, Ready, Totals};
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
    pub(crate) allocations: f64,
    pub(crate) allocated: f64,
}

impl Outcome {
    /// Ours.
    pub(crate) fn ours(&self) -> Option<&Figures> {
        self.figures.first()
    }

    /// Megabytes a second, where it has bytes.
    pub(crate) fn speed(&self, figures: &Figures) -> Option<f64> {
        (self.bytes > 0).then(|| as_f64(self.bytes) * 1e3 / figures.median)
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
    runs: u64,
    totals: Totals,
}

/// Runs one contest; who cannot take part is left out.
pub(crate) fn run(contest: &mut Contest, lab: &mut Lab, rounds: usize) -> Result<Outcome> {
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
                runs: 0,
                totals: Totals::default(),
            });
        }
    }
    for round in 0..rounds.max(1) {
        for place in 0..all.len() {
            // Nobody always comes after the same other.
            let index = (place + round) % all.len();
            let turns = &mut all[index];
            if let Some(totals) = turns.ready.run(turns.times, lab)? {
                turns
                    .found
                    .push(as_f64(totals.nanoseconds) / f64::from(turns.times));
                turns.runs += u64::from(turns.times);
                turns.totals.allocations += totals.allocations;
                turns.totals.bytes += totals.bytes;
            }
        }
    }
    Ok(Outcome {
        name: contest.name.clone(),
        bytes,
        figures: all.into_iter().filter_map(figures).collect(),
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

fn figures(mut turns: Turns) -> Option<Figures> {
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
    // In this process one run is counted apart, so that counting costs the timed ones nothing.
    let (counted, runs) = match turns.ready.allocations() {
        Some(once) => (once, 1),
        None => (turns.totals, turns.runs),
    };
    Some(Figures {
        contender: turns.contender,
        median: at(5)?,
        fast: at(1)?,
        slow: at(9)?,
        allocations: as_f64(counted.allocations) / as_f64(runs),
        allocated: as_f64(counted.bytes) / as_f64(runs),
    })
}
