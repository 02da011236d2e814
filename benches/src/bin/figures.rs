//! Time, instructions and allocations of each operation, as a table or as JSON.
//!
//! ```text
//! cargo run --release -p countersign-benches --bin figures -- [--json] [--no-instructions] [NAME]
//! ```
//!
//! `NAME` is a part of the names that are wanted. Instructions are counted by valgrind's callgrind
//! in a process of its own that does the operation a few times and then more times: the difference
//! is the operation. What valgrind does not emulate (SHA extensions, VAES) runs there in its
//! portable form, so instructions tell one version of this library from another, not its speed.

use std::process::Command;
use std::time::{Duration, Instant};

use countersign_benches::{Operation, Result, operations};

/// How often the operation runs in the two processes.
const FEW: u32 = 4;
const MORE: u32 = 36;

struct Figures {
    name: String,
    nanoseconds: f64,
    megabytes_per_second: Option<f64>,
    instructions: Option<u64>,
    allocations: u64,
    allocated_bytes: u64,
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if let ["--run", name, times] = arguments[..] {
        return run(name, times.parse()?);
    }
    let flag = |name: &str| arguments.contains(&name);
    let wanted = arguments
        .iter()
        .find(|argument| !argument.starts_with("--"))
        .unwrap_or(&"");
    let mut all = Vec::new();
    for prepared in operations() {
        if prepared.name.contains(wanted) {
            let mut operation = prepared.operation()?;
            let figures = measure(&mut operation, !flag("--no-instructions"));
            if !flag("--json") {
                print(&figures, all.is_empty());
            }
            all.push(figures);
        }
    }
    if flag("--json") {
        println!("{:#}", all.iter().map(json).collect::<serde_json::Value>());
    }
    Ok(())
}

fn run(name: &str, times: u32) -> Result<()> {
    let all = operations();
    let prepared = all
        .iter()
        .find(|prepared| prepared.name == name)
        .ok_or("no such operation")?;
    let mut operation = prepared.operation()?;
    (0..times).for_each(|_| (operation.run)());
    Ok(())
}

fn measure(operation: &mut Operation, instructions: bool) -> Figures {
    // The first run may fill what stays: a replay cache, lazily made tables.
    (operation.run)();
    let allocated = allocation_counter::measure(|| (operation.run)());
    let nanoseconds = nanoseconds(operation);
    Figures {
        nanoseconds,
        megabytes_per_second: operation
            .bytes
            .map(|bytes| as_f64(bytes) * 1e3 / nanoseconds),
        instructions: instructions
            .then(|| instructions_of(&operation.name))
            .flatten(),
        allocations: allocated.count_total,
        allocated_bytes: allocated.bytes_total,
        name: operation.name.clone(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn as_f64(number: u64) -> f64 {
    number as f64
}

/// The best of rounds of about a millisecond: what the machine's other work takes is left out.
fn nanoseconds(operation: &mut Operation) -> f64 {
    let round = |operation: &mut Operation, times: u32| {
        let start = Instant::now();
        (0..times).for_each(|_| (operation.run)());
        start.elapsed()
    };
    let mut times = 1;
    while round(operation, times) < Duration::from_millis(1) {
        times *= 2;
    }
    (0..100)
        .map(|_| round(operation, times).as_secs_f64() * 1e9 / f64::from(times))
        .fold(f64::INFINITY, f64::min)
}

/// Instructions of one run, if valgrind is there.
fn instructions_of(name: &str) -> Option<u64> {
    let count = |times: u32| {
        let output = Command::new("valgrind")
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(std::env::current_exe().ok()?)
            .args(["--run", name, &times.to_string()])
            .output()
            .ok()?;
        let report = String::from_utf8_lossy(&output.stderr).into_owned();
        let collected = report
            .lines()
            .find_map(|line| line.split_once("Collected : "))?;
        collected.1.trim().parse::<u64>().ok()
    };
    let difference = count(MORE)?.checked_sub(count(FEW)?)?;
    Some(difference / u64::from(MORE - FEW))
}

fn print(figures: &Figures, first: bool) {
    if first {
        println!(
            "{:<52} {:>10} {:>8} {:>12} {:>7} {:>7}",
            "operation", "ns", "MB/s", "instructions", "allocs", "bytes"
        );
    }
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".into());
    println!(
        "{:<52} {:>10.1} {:>8} {:>12} {:>7} {:>7}",
        figures.name,
        figures.nanoseconds,
        or_dash(
            figures
                .megabytes_per_second
                .map(|speed| format!("{speed:.0}"))
        ),
        or_dash(figures.instructions.map(|count| count.to_string())),
        figures.allocations,
        figures.allocated_bytes,
    );
}

fn json(figures: &Figures) -> serde_json::Value {
    serde_json::json!({
        "operation": figures.name,
        "nanoseconds": figures.nanoseconds,
        "megabytes_per_second": figures.megabytes_per_second,
        "instructions": figures.instructions,
        "allocations": figures.allocations,
        "allocated_bytes": figures.allocated_bytes,
    })
}
