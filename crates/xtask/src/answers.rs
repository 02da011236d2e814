//! The step `bench`: whether the programs that `cargo xtask bench` measures beside ours still answer it.
//!
//! The crate `sspi` and ours for this processor are not among them: they take minutes to compile, and
//! `cargo xtask bench` does that.

use std::path::Path;
use std::process::Command;

use crate::command::{Ended, run};
use crate::report::Outcome;
use crate::soak;
use crate::steps::{Environment, check, number_before};

/// The C libraries, and what they need installed.
const LIBRARIES: [(&str, &[&str]); 2] = [("mit", &["mit", "ntlm"]), ("heimdal", &["heimdal"])];

pub(crate) fn ask(environment: &Environment<'_>) -> Outcome {
    let log = environment.log("bench");
    let built = check(&mut environment.cargo(&soak::BUILD), &log);
    if built.failed > 0 {
        return built;
    }
    let folder = environment.root.join("target/peers/answers");
    let _ = std::fs::remove_dir_all(&folder);
    if let Err(problem) = std::fs::create_dir_all(&folder) {
        return Outcome::failed(format!("{}: {problem}", folder.display()));
    }
    let mut outcome = Outcome::default();
    for (library, needs) in LIBRARIES {
        if let Some(missing) = missing(environment, &log, needs) {
            outcome.add(if environment.options.require_peers {
                Outcome::failed(missing)
            } else {
                Outcome::skipped(missing)
            });
            continue;
        }
        let mut build = script(environment.root, "benches/peers/build.sh");
        let output = folder.join(format!("gss_bench-{library}"));
        let built = check(build.arg(output).arg(library), &log);
        if built.failed > 0 {
            outcome.add(built);
        }
    }
    let is_there = |entries: std::fs::ReadDir| entries.count() > 0;
    if std::fs::read_dir(&folder).is_ok_and(is_there) {
        outcome.add(answers(environment, &log, &folder));
    }
    outcome
}

fn script(root: &Path, path: &str) -> Command {
    let mut command = Command::new("sh");
    command.arg(root.join(path));
    command
}

/// What cannot be had here.
fn missing(environment: &Environment<'_>, log: &Path, needs: &[&str]) -> Option<String> {
    let mut install = script(environment.root, "tests/peers/install.sh");
    match run(install.args(needs), log, environment.show()) {
        Ok(ended) if ended.succeeded => None,
        Ok(ended) => Some(ended.tail()),
        Err(problem) => Some(problem),
    }
}

/// Every operation once.
fn answers(environment: &Environment<'_>, log: &Path, folder: &Path) -> Outcome {
    let program = match soak::program("bench") {
        Ok(program) => program,
        Err(problem) => return Outcome::failed(problem),
    };
    let mut command = Command::new(program);
    command.arg("--once").arg("--peers").arg(folder);
    match run(&mut command, log, environment.show()) {
        Ok(ended) => counted(&ended),
        Err(problem) => Outcome::failed(problem),
    }
}

/// `bench: 307 passed, 0 failed, 2 skipped`, and a line for each that failed.
fn counted(ended: &Ended) -> Outcome {
    let counts = ended.lines.iter().find_map(|line| {
        let counts = line.strip_prefix("bench: ")?;
        counts.contains(" passed, ").then_some(counts)
    });
    let Some(counts) = counts else {
        return Outcome::failed(ended.tail());
    };
    let failed = number_before(counts, "failed");
    let mut outcome = Outcome {
        passed: number_before(counts, "passed"),
        failed: if ended.succeeded {
            failed
        } else {
            failed.max(1)
        },
        ..Outcome::default()
    };
    if outcome.failed > 0 {
        outcome.reasons.push(ended.tail());
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(succeeded: bool, lines: &[&str]) -> (usize, usize, usize) {
        let lines = lines.iter().map(|line| (*line).to_owned()).collect();
        let outcome = counted(&Ended { succeeded, lines });
        (outcome.passed, outcome.failed, outcome.reasons.len())
    }

    #[test]
    fn a_program_that_fails_is_a_failure_whatever_it_counted() {
        let line = "bench: 307 passed, 0 failed, 2 skipped";
        let left_out = "skipped: sspi_bench is not built";
        assert_eq!(outcome(true, &[left_out, line]), (307, 0, 0));
        assert_eq!(outcome(false, &[line]), (307, 1, 1));
        let line = "bench: 305 passed, 2 failed, 2 skipped";
        assert_eq!(outcome(false, &[line]), (305, 2, 1));
        assert_eq!(outcome(true, &["bench: no folder"]), (0, 1, 1));
    }
}
