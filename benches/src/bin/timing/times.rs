//! Takes the times.

use std::time::Instant;

use countersign_benches::Result;
use countersign_testkit::SeededRandom;

use crate::cases::{Case, Promise};
use crate::welch::Difference;
use crate::{LIMIT, welch};

/// Calls before the first that counts.
const WARM: usize = 1_000;

/// What was found of a case.
pub(crate) struct Times {
    /// Nanoseconds of the middle call.
    pub(crate) median: f64,
    /// What was found last.
    pub(crate) difference: Difference,
    /// What the first measurement had found was not taken for granted.
    pub(crate) again: bool,
}

/// Measures. What seems to differ is measured anew with twice the calls, which decides: chance does
/// not come twice, and what differs does so more clearly.
pub(crate) fn judge(case: &Case, samples: usize) -> Result<Times> {
    let first = measure(case, samples, 1)?;
    if first.difference.t.abs() < LIMIT || case.promise == Promise::Unlike {
        return Ok(first);
    }
    Ok(Times {
        again: true,
        ..measure(case, samples * 2, 2)?
    })
}

fn measure(case: &Case, samples: usize, seed: u64) -> Result<Times> {
    let mut subject = case.subject()?;
    let mut random = SeededRandom::new(seed);
    let mut classes = [(); 2].map(|()| Vec::with_capacity(samples));
    for call in 0..samples + WARM {
        let class = random.below(2);
        subject.prepare(class);
        let start = Instant::now();
        subject.run();
        let taken = start.elapsed();
        if call >= WARM {
            classes[class].push(u64::try_from(taken.as_nanos())?);
        }
    }
    let mut all = classes.concat();
    all.sort_unstable();
    Ok(Times {
        median: welch::as_f64(all.get(all.len() / 2).copied().unwrap_or(0)),
        difference: welch::largest(&classes),
        again: false,
    })
}
