//! Developer commands; `cargo xtask --help` lists them.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

mod answers;
mod api;
mod bench;
mod command;
mod features;
mod fuzz;
mod minimal;
mod options;
mod report;
mod soak;
mod specs;
mod steps;
#[cfg(test)]
mod threats;

use options::{Invocation, Options};
use report::Report;

fn main() -> ExitCode {
    match options::parse(std::env::args().skip(1)) {
        Ok(Invocation::Help) => {
            print!("{}", options::help());
            ExitCode::SUCCESS
        }
        Ok(Invocation::Test(options)) => test(&options),
        Ok(Invocation::Fuzz(plan)) => long_fuzz(&plan),
        Ok(Invocation::Specs) => specs(),
        Ok(Invocation::Api) => write_api(),
        Ok(Invocation::Soak(arguments)) => soak::long(&root(), &arguments),
        Ok(Invocation::Timing(arguments)) => timing(&arguments),
        Ok(Invocation::Bench(arguments)) => bench::run(&root(), &arguments),
        Err(problem) => {
            eprintln!("xtask: {problem}");
            ExitCode::from(2)
        }
    }
}

fn test(options: &Options) -> ExitCode {
    let root = root();
    let logs = root.join("target").join("xtask");
    if let Err(problem) = std::fs::create_dir_all(&logs) {
        eprintln!("xtask: {}: {problem}", logs.display());
        return ExitCode::FAILURE;
    }
    let steps: Vec<_> = steps::STEPS
        .iter()
        .filter(|step| options.selects(step.name))
        .collect();
    let mut report = Report::new(options.json, steps.len());
    for step in steps {
        report.begin(step.name, step.about);
        let outcome = (step.run)(&steps::Environment {
            root: &root,
            logs: &logs,
            options,
        });
        report.end(outcome);
    }
    if report.finish() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Runs fuzz targets for as long as they are given.
fn long_fuzz(plan: &fuzz::Plan) -> ExitCode {
    let root = root();
    let logs = root.join("target").join("xtask");
    let made = std::fs::create_dir_all(&logs);
    let mut report = Report::new(false, 1);
    report.begin("fuzz", &format!("{} s of each target", plan.seconds));
    report.end(match made {
        Ok(()) => fuzz::fuzz(&root, &logs.join("fuzz.log"), plan),
        Err(problem) => report::Outcome::failed(format!("{}: {problem}", logs.display())),
    });
    if report.finish() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Builds as for users, as it is their time that is measured.
fn timing(arguments: &[String]) -> ExitCode {
    let mut run = command::cargo(&root());
    run.args(["run", "--release", "--locked", "-p", "countersign-benches"]);
    run.args(["--features", "timing", "--bin", "timing", "--"]);
    match run.args(arguments).status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("xtask: {}: {problem}", command::describe(&run));
            ExitCode::FAILURE
        }
    }
}

/// Writes the page of citations anew.
fn specs() -> ExitCode {
    let root = root();
    match specs::page(&root).and_then(|page| std::fs::write(root.join(specs::PAGE), page)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("xtask: {}: {problem}", specs::PAGE);
            ExitCode::FAILURE
        }
    }
}

/// Writes the listings of public interfaces anew.
fn write_api() -> ExitCode {
    match api::write(&root()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("xtask: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// The workspace's folder: two above this package's.
fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.ancestors().nth(2).unwrap_or(package).to_owned()
}
