//! Faults, load and floods: the short form as a step, the long one as a command.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::command::{self, Show, cargo, run};
use crate::report::Outcome;

/// What builds the programs of the tests, with what the step `test` built.
pub(crate) const BUILD: [&str; 8] = [
    "build",
    "--locked",
    "--workspace",
    "--exclude",
    "xtask",
    "--bins",
    "--examples",
    "--all-features",
];

/// A program of ours: beside this one.
pub(crate) fn program(name: &str) -> Result<PathBuf, String> {
    let xtask = std::env::current_exe().map_err(|problem| problem.to_string())?;
    Ok(xtask.with_file_name(format!("{name}{}", std::env::consts::EXE_SUFFIX)))
}

/// The short form, built already.
pub(crate) fn short(log: &Path, show: Show) -> Outcome {
    let program = match program("soak") {
        Ok(program) => program,
        Err(problem) => return Outcome::failed(problem),
    };
    let ended = match run(Command::new(program).arg("--short"), log, show) {
        Ok(ended) => ended,
        Err(problem) => return Outcome::failed(problem),
    };
    let Some((passed, failed)) = ended.lines.iter().find_map(|line| counts(line)) else {
        return Outcome::failed(ended.tail());
    };
    Outcome {
        passed,
        failed: if ended.succeeded {
            failed
        } else {
            failed.max(1)
        },
        ..Outcome::default()
    }
}

/// `soak: 12 passed, 3 failed; …`
fn counts(line: &str) -> Option<(usize, usize)> {
    let counts = line.strip_prefix("soak: ")?;
    let (passed, rest) = counts.split_once(" passed, ")?;
    let (failed, _) = rest.split_once(" failed")?;
    Some((passed.parse().ok()?, failed.parse().ok()?))
}

/// The long form: its arguments are the program's.
pub(crate) fn long(root: &Path, arguments: &[String]) -> ExitCode {
    let mut build = cargo(root);
    let built = build.args(BUILD).status();
    if !built.is_ok_and(|status| status.success()) {
        eprintln!("xtask: {} failed", command::describe(&build));
        return ExitCode::FAILURE;
    }
    let ended = program("soak").and_then(|program| {
        let mut soak = Command::new(program);
        let ended = soak.args(arguments).status();
        ended.map_err(|problem| problem.to_string())
    });
    match ended {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("xtask: {problem}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_is_understood_and_no_other() {
        let line = "soak: 66 passed, 1 failed; 1,400,000 cases of faults";
        assert_eq!(counts(line), Some((66, 1)));
        for line in ["soak: no row contains x", "interop: 1 passed, 0 failed", ""] {
            assert_eq!(counts(line), None);
        }
    }
}
