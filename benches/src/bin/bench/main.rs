//! Times this library and others in one run, interleaved, and writes down what it found.
//!
//! `cargo xtask bench` builds this program and the peers, and runs it.

mod contest;
mod document;
mod footprint;
mod goals;
mod instructions;
mod lab;
mod load;
mod memory;
mod once;
mod options;
mod peer;
mod plot;
mod rounds;
mod table;

use std::process::ExitCode;

use clap::Parser as _;
use countersign_benches::answer::{Totals, answer};
use countersign_benches::{Result, operations};

use options::Options;

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("bench: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// Whether nothing got worse.
fn run() -> Result<bool> {
    let options = Options::parse();
    if let Some(count) = options.clients {
        let address = options.names.first().ok_or("no address")?;
        load::clients(count, address.parse()?)?;
        return Ok(true);
    }
    if options.serve {
        load::serve()?;
        return Ok(true);
    }
    if let Some(kind) = &options.hold {
        footprint::hold(kind)?;
        return Ok(true);
    }
    if options.answer {
        answer(|operation, times| {
            let took = operation.time(times).as_nanos();
            Totals {
                nanoseconds: u64::try_from(took).unwrap_or(u64::MAX),
                ..Totals::default()
            }
        })?;
        return Ok(true);
    }
    if options.inside {
        instructions::inside(&options)?;
        return Ok(true);
    }
    if options.check || options.record {
        return instructions::compare(&options);
    }
    if options.footprint {
        footprint::run(&options)?;
        return Ok(true);
    }
    let mut lab = lab::Lab::new(&options)?;
    if options.once {
        return once::run(&options, &mut lab);
    }
    let contests = contest::all(operations(), &options);
    options.require_any(!contests.is_empty() || options.wants(table::SERVER))?;
    let mut results = Vec::new();
    let mut group = String::new();
    for mut contest in contests {
        if !options.json && contest.group() != group {
            group = contest.group().to_owned();
            table::heading(&group);
        }
        let result = rounds::run(&mut contest, &mut lab, options.rounds)?;
        if !options.json {
            table::row(&result);
        }
        results.push(result);
    }
    let mut loads = Vec::new();
    if options.wants(table::SERVER) {
        if !options.json {
            table::heading_of_loads();
        }
        let problem;
        (loads, problem) = load::run(|load| {
            if !options.json {
                table::load(load);
            }
        });
        lab.problems.extend(problem.map(|problem| {
            eprintln!("bench: {}: {problem}", table::SERVER);
            format!("{}: {problem}", table::SERVER)
        }));
    }
    let met = goals::judge(&results);
    if options.json {
        println!("{}", table::json(&results, &loads, &met));
    } else {
        table::goals(&met);
    }
    if options.write.is_some() && options.rounds.get() < document::LEAST_ROUNDS {
        let least = document::LEAST_ROUNDS;
        eprintln!("bench: fewer than {least} turns have no fastest tenth: nothing is written");
    } else if let Some(folder) = &options.write {
        document::write(folder, &results, &loads, &met, &lab)?;
    }
    Ok(true)
}
