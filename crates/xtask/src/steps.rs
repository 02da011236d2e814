//! The steps of `cargo xtask test`, cheapest first.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::{Ended, Show, cargo, describe, run, succeeds};
use crate::options::Options;
use crate::report::Outcome;
use crate::{answers, api, features, fuzz, minimal, soak};

/// A peer with dependencies of its own, in no workspace of ours.
const SSPI_PEER: &str = "tests/peers/sspi_peer/Cargo.toml";

/// Where and how the steps run.
pub(crate) struct Environment<'a> {
    pub(crate) root: &'a Path,
    /// The folder of the logs.
    pub(crate) logs: &'a Path,
    pub(crate) options: &'a Options,
}

/// One step.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) run: fn(&Environment<'_>) -> Outcome,
}

/// Every step, in the order in which they run.
pub(crate) const STEPS: &[Step] = &[
    Step {
        name: "format",
        about: "rustfmt has nothing to change",
        run: format,
    },
    Step {
        name: "clippy",
        about: "no warning from the compiler or clippy",
        run: clippy,
    },
    Step {
        name: "test",
        about: "all tests and doctests, all features",
        run: test,
    },
    Step {
        name: "features",
        about: "each crate with none, one, two and all features",
        run: features,
    },
    Step {
        name: "minimal",
        about: "the lowest versions of dependencies allowed",
        run: minimal,
    },
    Step {
        name: "api",
        about: "public interfaces are those of docs/api/",
        run: api,
    },
    Step {
        name: "docs",
        about: "rustdoc without a warning",
        run: docs,
    },
    Step {
        name: "deny",
        about: "licences, bans and sources of dependencies",
        run: deny,
    },
    Step {
        name: "demo",
        about: "the demo proves mutual authentication",
        run: demo,
    },
    Step {
        name: "fuzz",
        about: "10 s of each fuzz target",
        run: fuzz,
    },
    Step {
        name: "faults",
        about: "a million faults, load and a flood: soak, in short",
        run: faults,
    },
    Step {
        name: "interop",
        about: "real peers, in both roles",
        run: interop,
    },
    Step {
        name: "bench",
        about: "C peers of the benchmarks answer each operation",
        run: answers::ask,
    },
];

impl Environment<'_> {
    /// The step's log, emptied.
    pub(crate) fn log(&self, step: &str) -> PathBuf {
        let log = self.logs.join(format!("{step}.log"));
        let _ = std::fs::remove_file(&log);
        log
    }

    /// For programs whose own lines say what they do.
    pub(crate) const fn show(&self) -> Show {
        if self.options.json {
            Show::LinesOnStandardError
        } else {
            Show::Lines
        }
    }

    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = cargo(self.root);
        command.args(arguments);
        command
    }
}

/// One command, one check.
pub(crate) fn check(command: &mut Command, log: &Path) -> Outcome {
    judge(run(command, log, Show::Nothing), command)
}

fn judge(ended: Result<Ended, String>, command: &Command) -> Outcome {
    match ended {
        Ok(ended) if ended.succeeded => Outcome::passed(),
        Ok(ended) => Outcome::failed(format!("{}\n{}", describe(command), ended.tail())),
        Err(problem) => Outcome::failed(problem),
    }
}

fn format(environment: &Environment<'_>) -> Outcome {
    let log = environment.log("format");
    let mut outcome = check(&mut environment.cargo(&["fmt", "--all", "--check"]), &log);
    for manifest in [
        "fuzz/Cargo.toml",
        SSPI_PEER,
        "benches/peers/sspi/Cargo.toml",
        "benches/peers/sspi_acceptor/Cargo.toml",
    ] {
        if environment.root.join(manifest).exists() {
            let arguments = ["fmt", "--manifest-path", manifest, "--check"];
            outcome.add(check(&mut environment.cargo(&arguments), &log));
        }
    }
    outcome
}

fn clippy(environment: &Environment<'_>) -> Outcome {
    let arguments = [
        "clippy",
        "--locked",
        "--workspace",
        "--all-targets",
        "--all-features",
        "--",
        "-D",
        "warnings",
    ];
    check(
        &mut environment.cargo(&arguments),
        &environment.log("clippy"),
    )
}

/// Counts the tests themselves, as each test program reports them.
fn test(environment: &Environment<'_>) -> Outcome {
    let arguments = [
        "test",
        "--locked",
        "--workspace",
        "--all-features",
        "--no-fail-fast",
    ];
    let mut command = environment.cargo(&arguments);
    let ended = match run(&mut command, &environment.log("test"), Show::Nothing) {
        Ok(ended) => ended,
        Err(problem) => return Outcome::failed(problem),
    };
    let mut outcome = Outcome::default();
    for line in &ended.lines {
        // What tests of whole matrices print past the harness.
        if let Some(row) = line.strip_prefix("matrix: ") {
            outcome.notes.push(row.to_owned());
        }
        if let Some(counts) = line.strip_prefix("test result: ") {
            outcome.passed = outcome
                .passed
                .saturating_add(number_before(counts, "passed"));
            outcome.failed = outcome
                .failed
                .saturating_add(number_before(counts, "failed"));
            outcome.skipped = outcome
                .skipped
                .saturating_add(number_before(counts, "ignored"));
        }
    }
    if !ended.succeeded {
        outcome.failed = outcome.failed.max(1);
        let said = what_failed(&ended.lines);
        outcome.reasons.push(if said.is_empty() {
            ended.tail()
        } else {
            said.join("\n")
        });
    } else if outcome.passed == 0 {
        return Outcome::failed("cargo test ran no test");
    }
    outcome
}

/// What each test that failed said, and its name: at the end, where one looks first.
fn what_failed(lines: &[String]) -> Vec<&str> {
    let mut said = Vec::new();
    let mut inside = false;
    for line in lines.iter().map(String::as_str) {
        if line.starts_with("---- ") && line.ends_with(" ----") {
            inside = true;
        } else if line == "failures:" {
            inside = false;
        }
        if inside && !line.is_empty() {
            said.push(line);
        }
    }
    said.extend(
        lines
            .iter()
            .map(String::as_str)
            .filter(|line| line.starts_with("test ") && line.ends_with("FAILED")),
    );
    said
}

/// The number in front of `word`: 12 in `ok. 12 passed; 0 failed`.
pub(crate) fn number_before(text: &str, word: &str) -> usize {
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c == ';' || c == ',')
        .collect();
    words
        .windows(2)
        .find_map(|pair| match pair {
            [number, found] if *found == word => number.parse().ok(),
            _ => None,
        })
        .unwrap_or(0)
}

fn features(environment: &Environment<'_>) -> Outcome {
    features::check(environment.root, &environment.log("features"))
}

fn minimal(environment: &Environment<'_>) -> Outcome {
    minimal::check(environment.root, &environment.log("minimal"))
}

fn api(environment: &Environment<'_>) -> Outcome {
    api::check(environment.root)
}

fn docs(environment: &Environment<'_>) -> Outcome {
    let arguments = [
        "doc",
        "--locked",
        "--workspace",
        "--no-deps",
        "--all-features",
    ];
    let mut command = environment.cargo(&arguments);
    command.env("RUSTDOCFLAGS", "-D warnings");
    check(&mut command, &environment.log("docs"))
}

fn deny(environment: &Environment<'_>) -> Outcome {
    if !succeeds(&mut environment.cargo(&["deny", "--version"])) {
        return Outcome::skipped("cargo-deny is not installed");
    }
    // The advisory database is on a network that a test machine may not reach.
    let arguments = [
        "deny",
        "--offline",
        "--all-features",
        "check",
        "bans",
        "licenses",
        "sources",
    ];
    check(&mut environment.cargo(&arguments), &environment.log("deny"))
}

fn demo(environment: &Environment<'_>) -> Outcome {
    let arguments = ["run", "--locked", "-p", "countersign-cli", "--", "demo"];
    check(&mut environment.cargo(&arguments), &environment.log("demo"))
}

fn fuzz(environment: &Environment<'_>) -> Outcome {
    let log = environment.log("fuzz");
    fuzz::fuzz(environment.root, &log, &fuzz::Plan::default())
}

/// Builds what the step `interop` does.
fn faults(environment: &Environment<'_>) -> Outcome {
    let log = environment.log("faults");
    let built = check(&mut environment.cargo(&soak::BUILD), &log);
    if built.failed > 0 {
        return built;
    }
    soak::short(&log, environment.show())
}

/// Builds like the step `test`, whose dependencies it therefore shares.
fn interop(environment: &Environment<'_>) -> Outcome {
    let log = environment.log("interop");
    let built = check(&mut environment.cargo(&soak::BUILD), &log);
    if built.failed > 0 {
        return built;
    }
    build_sspi_peer(environment, &log);
    let program = match soak::program("interop") {
        Ok(program) => program,
        Err(problem) => return Outcome::failed(problem),
    };
    let mut command = Command::new(program);
    if environment.options.require_peers {
        command.arg("--require-peers");
    }
    let ended = match run(&mut command, &log, environment.show()) {
        Ok(ended) => ended,
        Err(problem) => return Outcome::failed(problem),
    };
    let Some(counts) = ended.lines.iter().find_map(|line| {
        line.strip_prefix("interop: ")?
            .contains(" passed")
            .then_some(line)
    }) else {
        return Outcome::failed(ended.tail());
    };
    let mut outcome = Outcome {
        passed: number_before(counts, "passed"),
        failed: number_before(counts, "failed"),
        skipped: number_before(counts, "skipped"),
        reasons: ended
            .lines
            .iter()
            .filter(|line| line.starts_with("skipped: "))
            .cloned()
            .collect(),
        notes: Vec::new(),
    };
    if !ended.succeeded {
        outcome.failed = outcome.failed.max(1);
    }
    outcome
}

/// Without it the rows that need it say so. What an earlier build left is no better than nothing.
fn build_sspi_peer(environment: &Environment<'_>, log: &Path) {
    let folder = "target/peers/sspi_peer";
    let arguments = [
        "build",
        "--locked",
        "--manifest-path",
        SSPI_PEER,
        "--target-dir",
        folder,
    ];
    let built = check(&mut environment.cargo(&arguments), log);
    if built.failed > 0 {
        for reason in &built.reasons {
            eprintln!("{reason}");
        }
        let program = format!("sspi_peer{}", std::env::consts::EXE_SUFFIX);
        let path = environment.root.join(folder).join("debug").join(program);
        let _ = std::fs::remove_file(path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_from_both_kinds_of_summary() {
        let line = "ok. 12 passed; 3 failed; 1 ignored; 0 measured; 0 filtered out";
        assert_eq!(number_before(line, "passed"), 12);
        assert_eq!(number_before(line, "failed"), 3);
        assert_eq!(number_before(line, "ignored"), 1);
        assert_eq!(
            number_before("interop: 7 passed, 2 failed, 9 skipped", "skipped"),
            9
        );
        assert_eq!(number_before("nothing", "passed"), 0);
    }

    #[test]
    fn failure_of_a_test_is_told_by_its_words_and_its_name() {
        let lines = [
            "test good ... ok",
            "test bad ... FAILED",
            "",
            "failures:",
            "",
            "---- bad stdout ----",
            "left: 1",
            "",
            "failures:",
            "    bad",
            "",
            "test result: FAILED. 1 passed; 1 failed",
            "   Doc-tests token",
        ];
        let lines = lines.map(str::to_owned);
        let said = what_failed(&lines);
        assert_eq!(
            said,
            ["---- bad stdout ----", "left: 1", "test bad ... FAILED"]
        );
        assert!(what_failed(&["error: it does not compile".to_owned()]).is_empty());
    }
}
