//! The interoperability matrix: real peers against our programs and our library.
//!
//! Starts the peers of `tests/peers/` (installing what is missing, on Debian as root), runs every row
//! of peer x role x enctype x protection and prints a table. `cargo xtask test --only interop` builds
//! what this needs and runs it.

use std::path::PathBuf;
use std::process::ExitCode;

mod exchange;
mod gss_peer;
mod lab;
mod matrix;
mod ours;
mod process;
mod proxy;
mod recording;
mod report;
mod row;
mod sample;
mod scenario;
mod side;

use lab::Lab;
use recording::Recording;
use report::Report;
use row::{Outcome, Row};

/// Errors are for the one who reads the table.
type Result<T, E = String> = std::result::Result<T, E>;

const HELP: &str = "\
Runs the interoperability matrix against real peers.

Usage: interop [OPTIONS]

      --require-peers   A missing peer is a failure, not a skipped row
      --json            Print one JSON object instead of the table
      --only TEXT       Run only the rows whose line contains TEXT (repeatable, all must match)
      --record FOLDER   Keep the tokens, keytabs and caches of the peers: seeds to fuzz with
      --list            Print the rows and run nothing
  -h, --help            Print this
";

#[derive(Default)]
struct Options {
    require_peers: bool,
    json: bool,
    list: bool,
    only: Vec<String>,
    record: Option<PathBuf>,
}

fn options() -> Result<Option<Options>> {
    let mut options = Options::default();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--require-peers" => options.require_peers = true,
            "--json" => options.json = true,
            "--list" => options.list = true,
            "--only" => options
                .only
                .push(arguments.next().ok_or("--only needs a TEXT")?),
            "--record" => {
                options.record = Some(arguments.next().ok_or("--record needs a FOLDER")?.into());
            }
            "-h" | "--help" => return Ok(None),
            other => return Err(format!("unknown argument {other}; try --help")),
        }
    }
    Ok(Some(options))
}

fn main() -> ExitCode {
    let options = match options() {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(problem) => {
            eprintln!("interop: {problem}");
            return ExitCode::from(2);
        }
    };
    let mut rows = matrix::rows();
    rows.retain(|row| {
        let text = format!(
            "{} {} {} {}",
            row.peer,
            row.role.name(),
            row.enctype,
            row.protection
        );
        options.only.iter().all(|only| text.contains(only))
    });
    if rows.is_empty() {
        eprintln!("interop: no row contains {}", options.only.join(" and "));
        return ExitCode::from(2);
    }
    if options.list {
        for row in rows {
            println!(
                "{}\t{}\t{}\t{}",
                row.peer,
                row.role.name(),
                row.enctype,
                row.protection
            );
        }
        return ExitCode::SUCCESS;
    }
    if run(&rows, &options) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn run(rows: &[Row], options: &Options) -> bool {
    eprintln!("interop: {} rows; starting the peers", rows.len());
    let lab = match Lab::install() {
        Ok(()) => Lab::start(Recording::new(options.record.clone())).map_err(Outcome::Failed),
        Err(reason) if options.require_peers => Err(Outcome::Failed(reason)),
        Err(reason) => Err(Outcome::Skipped(reason)),
    };
    let mut report = Report::new(options.json);
    for row in rows {
        let outcome = match (&lab, row.skip) {
            (Ok(_), Some(reason)) => Outcome::Skipped(reason.to_owned()),
            (Ok(lab), None) => match (row.run)(lab) {
                Ok(()) => Outcome::Passed,
                Err(reason) => Outcome::Failed(reason),
            },
            (Err(outcome), _) => outcome.clone(),
        };
        report.add(row, outcome);
    }
    drop(lab);
    report.end()
}
