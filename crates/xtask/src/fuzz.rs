//! A smoke of every fuzz target: 10 seconds each, two at a time.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use crate::command::{Show, cargo, run};
use crate::report::Outcome;

/// What one target gets.
const SECONDS: u32 = 10;
const AT_A_TIME: usize = 2;

/// Builds and runs the targets of `fuzz/Cargo.toml`.
pub(crate) fn smoke(root: &Path, log: &Path) -> Outcome {
    let manifest = match std::fs::read_to_string(root.join("fuzz").join("Cargo.toml")) {
        Ok(manifest) => manifest,
        Err(problem) => return Outcome::failed(format!("fuzz/Cargo.toml: {problem}")),
    };
    let targets = targets(&manifest);
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
    match run(fuzz(root).args(["fuzz", "build"]), log, Show::Nothing) {
        Ok(ended) if ended.succeeded => {}
        Ok(ended) => return Outcome::failed(format!("cargo fuzz build\n{}", ended.tail())),
        Err(problem) => return Outcome::failed(problem),
    }
    let scratch = std::env::temp_dir().join(format!("countersign-fuzz-{}", std::process::id()));
    let outcome = Mutex::new(Outcome::default());
    let queue = Mutex::new(VecDeque::from(targets));
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                while let Some(target) = queue.lock().ok().and_then(|mut queue| queue.pop_front()) {
                    let result = run_target(root, log, &scratch.join(&target), &target);
                    if let Ok(mut outcome) = outcome.lock() {
                        outcome.add(result);
                    }
                }
            });
        }
    });
    let _ = std::fs::remove_dir_all(&scratch);
    outcome
        .into_inner()
        .unwrap_or_else(|_| Outcome::failed("a fuzzing thread failed"))
}

fn run_target(root: &Path, log: &Path, found: &Path, target: &str) -> Outcome {
    if let Err(problem) = std::fs::create_dir_all(found) {
        return Outcome::failed(format!("{}: {problem}", found.display()));
    }
    let mut command = fuzz(root);
    // What is new goes to the first folder: a smoke leaves the committed corpus as it is.
    command.args(["fuzz", "run", target]).arg(found);
    let corpus = root.join("fuzz").join("corpus").join(target);
    if corpus.is_dir() {
        command.arg(corpus);
    }
    command.args(["--", &format!("-max_total_time={SECONDS}"), "-timeout=10"]);
    if let Some(dictionary) = dictionary(&root.join("fuzz"), target) {
        command.arg(format!("-dict={}", dictionary.display()));
    }
    let log = log.with_file_name(format!("fuzz-{target}.log"));
    let _ = std::fs::remove_file(&log);
    match run(&mut command, &log, Show::Nothing) {
        Ok(ended) if ended.succeeded => Outcome::passed(),
        Ok(ended) => Outcome::failed(format!("cargo fuzz run {target}\n{}", ended.tail())),
        Err(problem) => Outcome::failed(problem),
    }
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
fn fuzz(root: &Path) -> Command {
    let mut command = cargo(root);
    command.env("RUSTC_BOOTSTRAP", "1");
    command
}

fn install(root: &Path, log: &Path) -> Result<(), String> {
    let present = || {
        let mut command = fuzz(root);
        command.args(["fuzz", "--version"]);
        let silent = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        silent.status().is_ok_and(|status| status.success())
    };
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
    fn targets_are_the_names_of_the_binaries() {
        let manifest = "[package]\nname = \"fuzz\"\n\n[[bin]]\nname = \"der\"\npath = \"x\"\n\n\
                        [[bin]]\npath = \"y\"\nname = \"keytab\"\n[profile.release]\nname = \"no\"\n";
        assert_eq!(targets(manifest), ["der", "keytab"]);
    }
}
