//! Instructions of our operations, counted by valgrind's callgrind and compared with those of an
//! earlier day.
//!
//! valgrind has no SHA extensions and no VAES, so that hashes run there in their portable form: the counts
//! compare versions of this library, not its speed.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::process::Command;

use countersign_benches::{Operation, Result, callgrind, operations};
use serde_json::{Value, json};

use crate::contest::{self, Source};
use crate::options::Options;

/// How often each operation is counted, of which the least counts: an allocator may have to look for a piece
/// of the size.
const ROUNDS: usize = 8;

/// What a count may be more than it was, in per cent.
const LIMIT: u64 = 3;

/// Messages of these sizes take valgrind minutes and say what shorter ones say; so does what grows, and
/// streams wait for sockets.
const LEFT_OUT: [&str; 3] = ["/1k", "/64k", "/1m"];

/// What callgrind knows the function by.
const COUNTED: &str = "bench::instructions::counted";

fn ours(options: &Options) -> Result<Vec<Operation>> {
    contest::all(operations(), options)
        .into_iter()
        .filter(|contest| !["growth", "stream"].contains(&contest.group()))
        .filter(|contest| !LEFT_OUT.iter().any(|end| contest.name.ends_with(end)))
        .filter_map(
            |mut contest| match contest.contenders.swap_remove(0).source {
                Source::Here(prepared) => Some(prepared.operation()),
                Source::Peer(..) => None,
            },
        )
        .collect()
}

/// What valgrind looks at.
pub(crate) fn inside(options: &Options) -> Result<()> {
    for mut operation in ours(options)? {
        // The first run may fill what stays.
        operation.prepare();
        operation.run();
        for _ in 0..ROUNDS {
            operation.prepare();
            black_box(counted(&mut operation));
        }
    }
    Ok(())
}

/// Its last deed is its own: of a jump into the operation valgrind would see no end.
#[inline(never)]
fn counted(operation: &mut Operation) -> u64 {
    operation.run();
    black_box(1)
}

fn count(options: &Options, names: &[String]) -> Result<BTreeMap<String, u64>> {
    let wanted = options.names.iter().map(String::as_str);
    let sums = callgrind::sums(COUNTED, std::iter::once("--inside").chain(wanted))?;
    if sums.len() != names.len() * ROUNDS {
        return Err("valgrind counted another number of rounds".into());
    }
    let least = sums.chunks(ROUNDS).filter_map(|rounds| rounds.iter().min());
    Ok(names.iter().cloned().zip(least.copied()).collect())
}

/// Counts depend on the compiler as well.
fn compiler() -> Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output()?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

const RECORD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/instructions.json");

/// Counts, and records or compares. Whether nothing is over the limit.
pub(crate) fn compare(options: &Options) -> Result<bool> {
    let names: Vec<String> = ours(options)?.into_iter().map(|op| op.name).collect();
    options.require_any(!names.is_empty())?;
    eprintln!("counting instructions of {} operations", names.len());
    let counts = count(options, &names)?;
    let compiler = compiler()?;
    let recorded: Value = match std::fs::read(RECORD) {
        Ok(bytes) => serde_json::from_slice(&bytes)?,
        Err(_) => json!({}),
    };
    if options.record {
        let mut all: BTreeMap<String, u64> = serde_json::from_value(
            recorded
                .get("operations")
                .cloned()
                .unwrap_or_else(|| json!({})),
        )?;
        if options.names.is_empty() {
            all.clear();
        }
        all.extend(counts);
        let record = json!({ "compiler": compiler, "operations": all });
        std::fs::write(RECORD, format!("{record:#}\n"))?;
        println!("recorded in benches/instructions.json");
        return Ok(true);
    }
    let before = recorded.get("compiler").and_then(Value::as_str);
    if before != Some(compiler.as_str()) {
        println!(
            "recorded by {}, this is {compiler}: differences are shown, and fail nothing",
            before.unwrap_or("nobody")
        );
    }
    let mut worse = 0;
    for (name, count) in &counts {
        let was = recorded
            .get("operations")
            .and_then(|all| all.get(name)?.as_u64());
        let note = match was {
            None => "new",
            Some(was) if is_worse(*count, was) => {
                worse += 1;
                "WORSE"
            }
            Some(_) => "",
        };
        let was = was.map_or_else(|| "-".to_owned(), |was| was.to_string());
        println!("{name:<44} {was:>10} {count:>10}  {note}");
    }
    let recorded = recorded.get("operations").and_then(Value::as_object);
    let gone = recorded.into_iter().flat_map(|all| all.keys());
    for name in gone.filter(|name| options.wants(name) && !counts.contains_key(*name)) {
        println!("{name:<44} is recorded, and is no operation any more");
    }
    println!(
        "\n{} operations, {worse} of them more than {LIMIT} % over what was recorded",
        counts.len()
    );
    Ok(worse == 0 || before != Some(compiler.as_str()))
}

fn is_worse(count: u64, was: u64) -> bool {
    count.saturating_mul(100) > was.saturating_mul(100 + LIMIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_three_per_cent_is_worse() {
        assert!(is_worse(1031, 1000));
        assert!(!is_worse(1030, 1000));
        assert!(!is_worse(10, 1000));
    }
}
