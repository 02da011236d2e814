//! The table of footprints: for the screen, for programs, for the document.

use std::fmt::Write as _;

use countersign_benches::Result;
use serde_json::{Value, json};

use super::Footprint;
use super::half_open::{COUNT, Held};
use crate::goals::Verdict;
use crate::table::mebibytes;

/// What a library's column says in each line.
type Cell = fn(&Footprint) -> Option<String>;

/// The lines, by what they are called.
const LINES: [(&str, Cell); 4] = [
    ("crates in the tree", |of| {
        let tree = of.tree.as_ref()?;
        Some(match tree.local {
            0 => tree.crates.to_string(),
            local => format!("{}, {local} of them here", tree.crates),
        })
    }),
    ("pre-releases among them", |of| {
        Some(of.tree.as_ref()?.early.len().to_string())
    }),
    ("a clean build, CPU time", |of| {
        Some(format!("{:.1} s", of.seconds?))
    }),
    ("an acceptor, stripped", |of| of.program.map(mebibytes)),
];

const LIBRARIES: &str = "libraries that it loads";

fn sum(of: &Footprint) -> u64 {
    of.libraries.iter().map(|(_, bytes)| bytes).sum()
}

pub(super) fn print(all: &[Footprint]) {
    println!("\nfootprint");
    print!("{:<23}", "");
    all.iter().for_each(|of| print!(" {:>18}", of.name));
    println!("\n{}", "-".repeat(80));
    for (what, cell) in LINES {
        print!("{what:<23}");
        for of in all {
            print!(" {:>18}", cell(of).unwrap_or_default());
        }
        println!();
    }
    print!("{LIBRARIES:<23}");
    all.iter()
        .for_each(|of| print!(" {:>18}", mebibytes(sum(of))));
    println!();
}

/// Half-open contexts, on the screen.
pub(super) fn print_held(all: &[Held]) {
    if all.is_empty() {
        return;
    }
    println!("\n{:<58} {:>6} {:>13}", "half-open contexts", "each", "all");
    println!("{}", "-".repeat(79));
    for held in all {
        let (each, bytes) = (held.each(), mebibytes(held.bytes));
        println!("{:<58} {each:>6} {bytes:>13}", held.kind);
    }
}

pub(super) fn text(all: &[Footprint], held: &[Held], verdicts: &[Verdict]) -> Result<String> {
    let mut out = "| |".to_owned();
    all.iter()
        .try_for_each(|of| write!(out, " {} |", of.name))?;
    writeln!(out, "\n|---|{}", "---|".repeat(all.len()))?;
    for (what, cell) in LINES {
        write!(out, "| {what} |")?;
        for of in all {
            write!(out, " {} |", cell(of).unwrap_or_default())?;
        }
        out.push('\n');
    }
    write!(out, "| {LIBRARIES} |")?;
    for of in all {
        let names: Vec<&str> = of.libraries.iter().map(|(name, _)| name.as_str()).collect();
        match of.program {
            Some(_) => write!(out, " {}: {} |", mebibytes(sum(of)), names.join(", "))?,
            None => out.push_str(" |"),
        }
    }
    out.push_str("\n\n");
    writeln!(
        out,
        "| half-open contexts | bytes of each | {COUNT} of them |"
    )?;
    out.push_str("|---|---|---|\n");
    for held in held {
        let (each, bytes) = (held.each(), mebibytes(held.bytes));
        writeln!(out, "| {} | {each} | {bytes} |", held.kind)?;
    }
    out.push('\n');
    out.push_str(&crate::document::goals(verdicts)?);
    for of in all {
        let early = of.tree.iter().flat_map(|tree| &tree.early);
        let early: Vec<&str> = early.map(String::as_str).collect();
        if !early.is_empty() {
            writeln!(out, "\nPre-releases of {}: {}.", of.name, early.join(", "))?;
        }
    }
    Ok(out)
}

pub(super) fn json(all: &[Footprint], held: &[Held], verdicts: &[Verdict]) -> Value {
    let libraries = |of: &Footprint| -> Vec<Value> {
        let library = |(name, bytes): &(String, u64)| json!({ "name": name, "bytes": bytes });
        of.libraries.iter().map(library).collect()
    };
    let footprint = |of: &Footprint| {
        json!({
            "library": of.name,
            "crates": of.tree.as_ref().map(|tree| tree.crates),
            "pre_releases": of.tree.as_ref().map(|tree| &tree.early),
            "clean_build_seconds": of.seconds,
            "acceptor_bytes": of.program,
            "shared_libraries": libraries(of),
        })
    };
    let held_of =
        |held: &Held| json!({ "kind": held.kind, "contexts": COUNT, "bytes": held.bytes });
    json!({
        "half_open": held.iter().map(held_of).collect::<Vec<_>>(),
        "footprint": all.iter().map(footprint).collect::<Vec<_>>(),
        "goals": crate::table::json_of_goals(verdicts),
    })
}
