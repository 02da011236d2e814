//! Handshakes that fail or are given up, and what they leave: nothing.

use allocation_counter::measure;
use countersign_testkit::SeededRandom;

use super::memory::{mib, resident};
use crate::faults::scenario::{Scenario, once};
use crate::faults::{Honest, Labs, SESSION};
use crate::report::{Report, grouped};
use crate::{Options, Result};

/// What the process may have grown by: the allocator's own business.
const SLACK: u64 = 4 << 20;

struct Kind {
    scenario: Scenario,
    sent: Vec<Vec<u8>>,
}

pub(super) fn run(options: &Options, report: &mut Report) {
    let count: u64 = if options.short { 20_000 } else { 1_000_000 };
    let title = format!("{} failed and abandoned handshakes", grouped(count));
    let result = fail(count, report);
    let problem = result.as_ref().err().cloned();
    report.add("load", &title, &result.unwrap_or_default(), problem);
}

fn fail(count: u64, report: &Report) -> Result<String> {
    let mut scenarios = once();
    // The KDC of the tests remembers what it was asked.
    scenarios.retain(|scenario| scenario.name != "IAKERB with a KDC");
    let labs = Labs::of(&scenarios);
    let mut kinds = Vec::new();
    for scenario in scenarios {
        let sent = Honest::of(&scenario, labs.get(scenario.enctype), SESSION)?.sent;
        kinds.push(Kind { scenario, sent });
    }
    let mut random = SeededRandom::new(11);
    let mut failures = 0;
    let mut some = |count: u64| -> Result<()> {
        for _ in 0..count {
            failures += u64::from(one(&kinds, &labs, &mut random)?);
        }
        Ok(())
    };
    // What is filled once and stays.
    some(count / 10)?;
    let before = resident();
    for tenth in 1..10 {
        some(count / 10)?;
        if count > 100_000 {
            report.progress(&format!("{} handshakes", grouped((tenth + 1) * count / 10)));
        }
    }
    let after = resident();
    let mut result = Ok(());
    let info = measure(|| result = some(1_000));
    result?;
    let figures = format!(
        "{} failed, the rest abandoned; resident memory {} before, {} after;\n\
         the last 1,000 left {} bytes in {} allocations",
        grouped(failures),
        mib(before),
        mib(after),
        info.bytes_current,
        info.count_current
    );
    let grown = after
        .zip(before)
        .map(|(after, before)| after.saturating_sub(before));
    if info.count_current != 0 || grown.is_some_and(|grown| grown > SLACK) {
        return Err(format!("memory is kept: {figures}"));
    }
    Ok(figures)
}

/// A side that waits somewhere, and is left there or told nonsense; whether it failed.
fn one(kinds: &[Kind], labs: &Labs, random: &mut SeededRandom) -> Result<bool> {
    let Kind { scenario, sent } = &kinds[random.below(kinds.len())];
    let number = random.below(sent.len());
    let lab = labs.get(scenario.enctype);
    let mut side = scenario.waiting(lab, SESSION, sent, number)?;
    let mut token = sent[number].clone();
    match random.below(4) {
        0 => return Ok(false),
        1 => token.truncate(random.below(token.len())),
        2 => {
            let at = token.len() - 1 - random.below(token.len().min(40));
            token[at] ^= 1 << random.below(8);
        }
        _ => token.iter_mut().for_each(|octet| *octet ^= 0x55),
    }
    side.receive(Some(&token))?;
    Ok(side.failed())
}
