//! The interoperability matrices: real peers against our programs and our library.
//!
//! Starts the peers of `tests/peers/` (installing what is missing, on Debian as root), runs every row
//! of peer x role x enctype x protection and every row of KDC x question, and prints a table of each. `cargo xtask test --only interop` builds
//! what this needs and runs it.

use std::path::PathBuf;
use std::process::ExitCode;

mod apache;
mod base64;
mod exchange;
mod frames;
mod gss_peer;
mod http;
mod kdc;
mod lab;
mod matrix;
mod negotiate;
mod ntlm;
mod ours;
mod process;
mod programs;
mod proxy;
mod recording;
mod report;
mod row;
mod sample;
mod scenario;
mod script;
mod side;

use lab::Lab;
use recording::Recording;
use report::Report;
use row::{Outcome, Row, Title};

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
    /// For ourselves, within the network of a KDC: where its script wrote.
    worker: Option<PathBuf>,
}

impl Options {
    fn selects(&self, title: &Title) -> bool {
        let text = title.words(" ");
        self.only.iter().all(|only| text.contains(only))
    }
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
            "--worker" => {
                options.worker = Some(arguments.next().ok_or("--worker needs a FOLDER")?.into());
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
    if let Some(folder) = &options.worker {
        return kdc::work(folder);
    }
    let mut rows = matrix::rows();
    let mut ntlm = ntlm::rows();
    let mut negotiate = negotiate::rows();
    let mut questions = kdc::rows();
    rows.retain(|row| options.selects(&row.title()));
    ntlm.retain(|row| options.selects(&row.title()));
    negotiate.retain(|row| options.selects(&row.title()));
    questions.retain(|row| options.selects(&row.title()));
    if rows.is_empty() && ntlm.is_empty() && negotiate.is_empty() && questions.is_empty() {
        eprintln!("interop: no row contains {}", options.only.join(" and "));
        return ExitCode::from(2);
    }
    if options.list {
        let titles = rows.iter().map(Row::title);
        let titles = titles.chain(ntlm.iter().map(ntlm::Row::title));
        let titles = titles.chain(negotiate.iter().map(negotiate::Row::title));
        for title in titles.chain(questions.iter().map(kdc::Row::title)) {
            println!("{}", title.words("\t"));
        }
        return ExitCode::SUCCESS;
    }
    if run(&rows, &ntlm, &negotiate, &questions, &options) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn run(
    rows: &[Row],
    ntlm: &[ntlm::Row],
    negotiate: &[negotiate::Row],
    questions: &[kdc::Row],
    options: &Options,
) -> bool {
    let count = rows.len() + ntlm.len() + negotiate.len() + questions.len();
    eprintln!("interop: {count} rows; starting the peers");
    let unavailable = |reason: String| {
        if options.require_peers {
            Outcome::Failed(reason)
        } else {
            Outcome::Skipped(reason)
        }
    };
    // The KDCs start while the rows before theirs run.
    let kdcs = kdc::Labs::start(questions, unavailable);
    let mut report = Report::new(options.json);
    let recording = Recording::new(options.record.clone());
    if !rows.is_empty() || !negotiate.is_empty() {
        let lab = match script::install("mit") {
            Ok(()) => Lab::start(recording.clone()).map_err(Outcome::Failed),
            Err(reason) => Err(unavailable(reason)),
        };
        for row in rows {
            let outcome = match (&lab, row.skip) {
                (Ok(_), Some(reason)) => Outcome::Skipped(reason.to_owned()),
                (Ok(lab), None) => match (row.run)(lab) {
                    Ok(()) => Outcome::Passed,
                    Err(reason) => Outcome::Failed(reason),
                },
                (Err(outcome), _) => outcome.clone(),
            };
            report.add(&row.title(), outcome);
        }
        let realm = lab.as_ref().map_err(Clone::clone);
        negotiate::run(negotiate, realm, unavailable, |title, outcome| {
            report.add(title, outcome);
        });
    }
    if !ntlm.is_empty() {
        ntlm::run(ntlm, &recording, unavailable, |title, outcome| {
            report.add(title, outcome);
        });
    }
    kdcs.run(questions, |title, outcome| report.add(title, outcome));
    report.end()
}
