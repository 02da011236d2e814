//! The lowest versions that the manifests allow: what a user may have whose lock file is older than ours.

use std::path::Path;
use std::process::Command;

use crate::command::{Show, cargo, describe, run};
use crate::report::Outcome;

/// Where the other lock file and what is built by it are.
const FOLDER: &str = "target/minimal";

/// Resolves each dependency of ours to the lowest version allowed, and checks the libraries and the program.
pub(crate) fn check(root: &Path, log: &Path) -> Outcome {
    let folder = root.join(FOLDER);
    let lock = folder.join("Cargo.lock");
    let copied = std::fs::create_dir_all(&folder)
        .and_then(|()| std::fs::copy(root.join("Cargo.lock"), &lock).map(|_| ()));
    if let Err(problem) = copied {
        return Outcome::failed(format!("{FOLDER}: {problem}"));
    }
    let mut update = with_lock(root, &lock);
    update.args(["update", "-Z", "lockfile-path"]);
    update.args(["-Z", "direct-minimal-versions"]);
    let mut check = with_lock(root, &lock);
    check.args(["check", "-Z", "lockfile-path", "--locked", "--all-features"]);
    check.args(["-p", "countersign", "-p", "countersign-cli"]);
    check.args(["--target-dir", FOLDER]);
    for mut command in [update, check] {
        match run(&mut command, log, Show::Nothing) {
            Ok(ended) if ended.succeeded => {}
            // They are unstable: another release may not have them any more.
            Ok(ended)
                if ended
                    .lines
                    .iter()
                    .any(|line| line.contains("unknown `-Z` flag")) =>
            {
                return Outcome::skipped("this cargo has no -Z lockfile-path");
            }
            Ok(ended) => {
                return Outcome::failed(format!("{}\n{}", describe(&command), ended.tail()));
            }
            Err(problem) => return Outcome::failed(problem),
        }
    }
    Outcome::passed()
}

/// Both options are unstable; the stable `cargo` has them when it is told so.
fn with_lock(root: &Path, lock: &Path) -> Command {
    let mut command = cargo(root);
    command
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_RESOLVER_LOCKFILE_PATH", lock);
    command
}
