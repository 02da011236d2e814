//! Counts what operations allocate: a program of its own, so that counting costs `bench` nothing.
//!
//! Lines of standard input are answered as `countersign_benches::answer` says; their time is none. What other
//! threads allocate is not counted.

use std::time::{Duration, Instant};

use allocation_counter::{AllocationInfo, measure};
use countersign_benches::answer::{Totals, answer};
use countersign_benches::{Operation, Result};

/// Runs before those that are counted, by which each part of a replay cache has most likely had its first entry.
const WARM: u32 = 256;

/// Long operations do not get so many: nothing of theirs is made bit by bit.
const ENOUGH: Duration = Duration::from_millis(50);

/// How many runs are counted, of which the least counts: in one of them a table may grow.
const ROUNDS: usize = 8;

fn main() -> Result<()> {
    answer(count)
}

fn count(operation: &mut Operation, times: u32) -> Totals {
    let began = Instant::now();
    for _ in 0..WARM {
        operation.prepare();
        operation.run();
        if began.elapsed() > ENOUGH {
            break;
        }
    }
    let mut totals = Totals::default();
    for _ in 0..times {
        let counted = least(operation);
        totals.allocations += counted.count_total;
        totals.bytes += counted.bytes_total;
        totals.peak = totals.peak.max(counted.bytes_max);
    }
    totals
}

fn least(operation: &mut Operation) -> AllocationInfo {
    let rounds = (0..ROUNDS).map(|_| {
        operation.prepare();
        measure(|| operation.run())
    });
    rounds
        .min_by_key(|counted| (counted.count_total, counted.bytes_total))
        .unwrap_or_default()
}
