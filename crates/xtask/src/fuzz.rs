//! Every fuzz target for a while, two at a time: 10 seconds each as a smoke.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use crate::command::{Show, cargo, run, succeeds};
use crate::report::Outcome;

/// What one target gets in a smoke.
const SMOKE_SECONDS: u32 = 10;
const AT_A_TIME: usize = 2;

/// What is to be run, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// What each target gets.
    pub(crate) seconds: u32,
    /// The targets; all when empty.
    pub(crate) only: Vec<String>,
    /// Without `AddressSanitizer`, in a build of its own: several times as many executions. The crates have no `unsafe`
    /// code, so that only their dependencies have something for it to find.
    pub(crate) bare: bool,
    /// Afterwards the committed corpus is the fewest files that reach all that it and the new ones reach.
    pub(crate) keep: bool,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            seconds: SMOKE_SECONDS,
            only: Vec::new(),
            bare: false,
            keep: false,
        }
    }
}

impl Plan {
    /// For `cargo fuzz`.
    const fn flags(&self) -> &'static [&'static str] {
        if self.bare {
            &["--sanitizer", "none", "--target-dir", "fuzz/target/bare"]
        } else {
            &[]
        }
    }
}

/// Builds and runs the targets of `fuzz/Cargo.toml`. What was executed is in the notes.
pub(crate) fn fuzz(root: &Path, log: &Path, plan: &Plan) -> Outcome {
    let manifest = match std::fs::read_to_string(root.join("fuzz").join("Cargo.toml")) {
        Ok(manifest) => manifest,
        Err(problem) => return Outcome::failed(format!("fuzz/Cargo.toml: {problem}")),
    };
    let mut targets = targets(&manifest);
    if let Some(unknown) = plan.only.iter().find(|only| !targets.contains(only)) {
        return Outcome::failed(format!("fuzz/Cargo.toml names no target {unknown}"));
    }
    targets.retain(|target| plan.only.is_empty() || plan.only.contains(target));
    if targets.is_empty() {
        return Outcome::failed("fuzz/Cargo.toml names no target");
    }
    if let Err(reason) = install(root, log) {
        return Outcome {
            skipped: targets.len(),
            reasons: vec![format!("cargo-fuzz: {reason}")],
            ..Outcome::default()
        };
    }
    let mut build = instrumented(root);
    build.args(["fuzz", "build"]).args(plan.flags());
    match run(&mut build, log, Show::Nothing) {
        Ok(ended) if ended.succeeded => {}
        Ok(ended) => return Outcome::failed(format!("cargo fuzz build\n{}", ended.tail())),
        Err(problem) => return Outcome::failed(problem),
    }
    let scratch = std::env::temp_dir().join(format!("countersign-fuzz-{}", std::process::id()));
    let outcome = Mutex::new((Outcome::default(), 0_u64));
    let queue = Mutex::new(VecDeque::from(targets));
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                while let Some(target) = queue.lock().ok().and_then(|mut queue| queue.pop_front()) {
                    let found = scratch.join(&target);
                    let (result, executions) = run_target(root, log, &found, &target, plan);
                    if let Ok(mut outcome) = outcome.lock() {
                        outcome.0.add(result);
                        outcome.1 = outcome.1.saturating_add(executions);
                    }
                }
            });
        }
    });
    let _ = std::fs::remove_dir_all(&scratch);
    let Ok((mut outcome, executions)) = outcome.into_inner() else {
        return Outcome::failed("a fuzzing thread failed");
    };
    outcome.notes.sort();
    outcome
        .notes
        .push(format!("{} executions in all", grouped(executions)));
    outcome
}

/// What came of it, and how often the target was executed.
fn run_target(root: &Path, log: &Path, found: &Path, target: &str, plan: &Plan) -> (Outcome, u64) {
    if let Err(problem) = std::fs::create_dir_all(found) {
        let problem = format!("{}: {problem}", found.display());
        return (Outcome::failed(problem), 0);
    }
    if let Err(reason) = install_peer(root, target) {
        return (Outcome::skipped(format!("{target}: {reason}")), 0);
    }
    // What is new goes to the first folder: a smoke leaves the committed corpus as it is.
    let corpus = root.join("fuzz").join("corpus").join(target);
    let mut command = libfuzzer(root, plan, target, [found, &corpus]);
    command.args([&format!("-max_total_time={}", plan.seconds), "-timeout=10"]);
    command.args(["-print_final_stats=1", "-rss_limit_mb=4096"]);
    if let Some(dictionary) = dictionary(&root.join("fuzz"), target) {
        command.arg(format!("-dict={}", dictionary.display()));
    }
    let log = log.with_file_name(format!("fuzz-{target}.log"));
    let _ = std::fs::remove_file(&log);
    let ended = match run(&mut command, &log, Show::Nothing) {
        Ok(ended) => ended,
        Err(problem) => return (Outcome::failed(problem), 0),
    };
    let executions = executions(&ended.lines);
    let mut outcome = if ended.succeeded {
        Outcome::passed()
    } else {
        Outcome::failed(format!("cargo fuzz run {target}\n{}", ended.tail()))
    };
    if ended.succeeded
        && plan.keep
        && let Err(problem) = keep(root, &log, plan, target, found)
    {
        outcome = Outcome::failed(format!("{target}: {problem}"));
    }
    outcome.notes.push(format!(
        "{target:<20} {:>13} executions",
        grouped(executions)
    ));
    (outcome, executions)
}

/// Replaces the corpus by the fewest of its files and of those found that reach what all of them reach.
fn keep(root: &Path, log: &Path, plan: &Plan, target: &str, found: &Path) -> Result<(), String> {
    let said = |problem: std::io::Error| problem.to_string();
    let corpus = root.join("fuzz").join("corpus").join(target);
    let fewest = found.with_extension("fewest");
    std::fs::create_dir_all(&fewest).map_err(said)?;
    let mut merge = libfuzzer(root, plan, target, [&fewest, &corpus, found]);
    // By which code is reached, not by how often: that would keep ten times as much.
    merge.args(["-merge=1", "-use_counters=0"]);
    let ended = run(&mut merge, log, Show::Nothing)?;
    let files: Vec<_> = std::fs::read_dir(&fewest).map_err(said)?.collect();
    if !ended.succeeded || files.is_empty() {
        return Err(ended.tail());
    }
    std::fs::remove_dir_all(&corpus).map_err(said)?;
    std::fs::create_dir_all(&corpus).map_err(said)?;
    for file in files {
        let file = file.map_err(said)?;
        std::fs::copy(file.path(), corpus.join(file.file_name())).map_err(said)?;
    }
    Ok(())
}

/// The target with these folders of inputs; what follows is libFuzzer's.
fn libfuzzer<const N: usize>(
    root: &Path,
    plan: &Plan,
    target: &str,
    folders: [&Path; N],
) -> Command {
    let mut command = instrumented(root);
    command.args(["fuzz", "run"]).args(plan.flags()).arg(target);
    command.args(folders.into_iter().filter(|folder| folder.is_dir()));
    command.arg("--");
    command
}

/// What libFuzzer says at the end.
fn executions(lines: &[String]) -> u64 {
    let said = lines
        .iter()
        .find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    said.and_then(|number| number.trim().parse().ok())
        .unwrap_or(0)
}

/// Digits in threes.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && digits.len().saturating_sub(place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Installs what one target has beside it: MIT krb5.
fn install_peer(root: &Path, target: &str) -> Result<(), String> {
    if target != "differential_gss" {
        return Ok(());
    }
    let script = root.join("tests").join("peers").join("install.sh");
    let output = Command::new(script)
        .arg("mit")
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|problem| format!("tests/peers/install.sh: {problem}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The target's own dictionary, or that of its name's first word, or the common one.
fn dictionary(folder: &Path, target: &str) -> Option<PathBuf> {
    let family = target.split('_').next().unwrap_or(target);
    [target, family, "kerberos"]
        .map(|name| folder.join(format!("{name}.dict")))
        .into_iter()
        .find(|dictionary| dictionary.is_file())
}

/// `cargo`, for a sanitizer on the stable compiler.
fn instrumented(root: &Path) -> Command {
    let mut command = cargo(root);
    command.env("RUSTC_BOOTSTRAP", "1");
    command
}

fn install(root: &Path, log: &Path) -> Result<(), String> {
    let present = || succeeds(instrumented(root).args(["fuzz", "--version"]));
    if present() {
        return Ok(());
    }
    let ended = run(
        cargo(root).args(["install", "--locked", "cargo-fuzz"]),
        log,
        Show::Nothing,
    )?;
    if ended.succeeded && present() {
        Ok(())
    } else {
        let last = ended.lines.last().map_or("", String::as_str);
        Err(format!(
            "not installed, and cargo install cargo-fuzz failed: {last}"
        ))
    }
}

/// The `name` of each `[[bin]]`.
fn targets(manifest: &str) -> Vec<String> {
    let mut in_bin = false;
    let mut targets = Vec::new();
    for line in manifest.lines().map(str::trim) {
        if line.starts_with('[') {
            in_bin = line == "[[bin]]";
        } else if in_bin
            && let Some((key, value)) = line.split_once('=')
            && key.trim() == "name"
        {
            targets.push(value.trim().trim_matches('"').to_owned());
        }
    }
    targets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_have_the_dictionary_of_their_name_or_of_its_first_word() {
        let folder = crate::root().join("fuzz");
        for (target, name) in [
            ("ntlm_messages", "ntlm_messages.dict"),
            ("ntlm_acceptor", "ntlm.dict"),
            ("acceptor", "kerberos.dict"),
        ] {
            assert_eq!(dictionary(&folder, target), Some(folder.join(name)));
        }
    }

    #[test]
    fn executions_are_what_libfuzzer_counts_and_grouped_in_threes() {
        let lines = [
            "#2 INITED".into(),
            "stat::number_of_executed_units: 1234567".into(),
        ];
        assert_eq!(executions(&lines), 1_234_567);
        assert_eq!(executions(&[]), 0);
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn targets_are_the_names_of_the_binaries() {
        let manifest = "[package]\nname = \"fuzz\"\n\n[[bin]]\nname = \"der\"\npath = \"x\"\n\n\
                        [[bin]]\npath = \"y\"\nname = \"keytab\"\n[profile.release]\nname = \"no\"\n";
        assert_eq!(targets(manifest), ["der", "keytab"]);
    }
}
