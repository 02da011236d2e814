//! What a hostile network, load and floods do to contexts: faults of every kind, many contexts for a
//! long time, a server that strangers keep busy, and KDCs that misbehave.
//!
//! `cargo xtask test` runs the short form, `cargo xtask soak` the long one. `docs/RELIABILITY.md` has what
//! they measured.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends where it fails"
)]

use std::process::ExitCode;

mod faults;
mod flood;
mod kdc;
mod load;
mod report;

use report::Report;

/// Errors are for the one who reads the table.
type Result<T, E = String> = std::result::Result<T, E>;

const HELP: &str = "\
Interferes with handshakes, holds and fails many of them, floods a server, and
asks KDCs that misbehave.

Usage: soak [OPTIONS]

      --short       The form that cargo xtask test runs
      --cases N     Go on with random faults until there are N cases in all
                    [default: 100000000, with --short 1400000]
      --seed N      Of the random faults [default: 1]
      --from N      Begin with the random case N: as it is told of a defect
      --only TEXT   Run only the rows that contain TEXT (repeatable, all must
                    match)
      --json        Print one JSON object; progress goes to standard error
      --list        Print the rows and run nothing
  -h, --help        Print this
";

struct Options {
    short: bool,
    json: bool,
    list: bool,
    cases: Option<u64>,
    seed: u64,
    from: u64,
    only: Vec<String>,
}

impl Options {
    fn selects(&self, part: &str, title: &str) -> bool {
        let text = format!("{part} {title}");
        self.only.iter().all(|only| text.contains(only))
    }

    /// Cases of faults in all.
    fn cases(&self) -> u64 {
        self.cases.unwrap_or(match self.short {
            true => 1_400_000,
            false => 100_000_000,
        })
    }
}

fn options() -> Result<Option<Options>> {
    let mut options = Options {
        short: false,
        json: false,
        list: false,
        cases: None,
        seed: 1,
        from: 0,
        only: Vec::new(),
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = |name: &str| {
            let text = arguments.next().ok_or(format!("{name} needs an N"))?;
            text.parse().map_err(|_| format!("{text} is no number"))
        };
        match argument.as_str() {
            "--short" => options.short = true,
            "--json" => options.json = true,
            "--list" => options.list = true,
            "--cases" => options.cases = Some(number("--cases")?),
            "--seed" => options.seed = number("--seed")?,
            "--from" => options.from = number("--from")?,
            "--only" => options
                .only
                .push(arguments.next().ok_or("--only needs a TEXT")?),
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
            eprintln!("soak: {problem}");
            return ExitCode::from(2);
        }
    };
    let titles = faults::titles().into_iter().map(|title| ("faults", title));
    let titles = titles.chain(load::titles().into_iter().map(|title| ("load", title)));
    let titles: Vec<_> = titles
        .chain([("flood", flood::TITLE.to_owned())])
        .chain(kdc::TITLES.map(|title| ("kdc", title.to_owned())))
        .filter(|(part, title)| options.selects(part, title))
        .collect();
    if titles.is_empty() {
        eprintln!("soak: no row contains {}", options.only.join(" and "));
        return ExitCode::from(2);
    }
    if options.list {
        for (part, title) in titles {
            println!("{part} {title}");
        }
        return ExitCode::SUCCESS;
    }
    let mut report = Report::new(options.json);
    load::run(&options, &mut report);
    flood::run(&options, &mut report);
    kdc::run(&options, &mut report);
    faults::run(&options, &mut report);
    if report.end() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
