//! Counts what operations allocate: a program of its own, so that counting costs `bench` nothing.
//!
//! Lines of standard input are answered as `countersign_benches::answer` says; their time is none. What other
//! threads allocate is not counted.

use allocation_counter::measure;
use countersign_benches::answer::{Totals, answer};
use countersign_benches::{Operation, Result};

fn main() -> Result<()> {
    answer(count)
}

/// The first run, which is not counted, has what is made once.
fn count(operation: &mut Operation, times: u32) -> Totals {
    operation.prepare();
    operation.run();
    let mut totals = Totals::default();
    for _ in 0..times {
        operation.prepare();
        let counted = measure(|| operation.run());
        totals.allocations += counted.count_total;
        totals.bytes += counted.bytes_total;
        totals.peak = totals.peak.max(counted.bytes_max);
    }
    totals
}
