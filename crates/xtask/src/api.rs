//! The public interfaces of the libraries, as committed in `docs/api/`.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::command::{cargo, describe, succeeds};
use crate::report::Outcome;

/// Where the listings are, a file each.
pub(crate) const FOLDER: &str = "docs/api";
const CRATES: [&str; 6] = [
    "countersign",
    "countersign-context",
    "countersign-credential",
    "countersign-crypto",
    "countersign-handshake",
    "countersign-token",
];

/// Compares what is there with what was committed: a change of the interface is made on purpose, and seen in review.
pub(crate) fn check(root: &Path) -> Outcome {
    if !installed(root) {
        return Outcome::skipped("cargo-public-api is not installed");
    }
    let mut outcome = Outcome::default();
    for package in CRATES {
        let committed = std::fs::read_to_string(file(root, package)).unwrap_or_default();
        outcome.add(match listing(root, package) {
            Ok(found) if found == committed => Outcome::passed(),
            Ok(found) => Outcome::failed(format!(
                "{}\ncargo xtask api writes {FOLDER}/{package}.txt anew",
                first_difference(&committed, &found)
            )),
            Err(problem) => Outcome::failed(problem),
        });
    }
    outcome
}

/// Writes the listings anew.
pub(crate) fn write(root: &Path) -> Result<(), String> {
    if !installed(root) {
        return Err("cargo-public-api is not installed; cargo install --locked it".to_owned());
    }
    std::fs::create_dir_all(root.join(FOLDER)).map_err(|e| format!("{FOLDER}: {e}"))?;
    for package in CRATES {
        let path = file(root, package);
        std::fs::write(&path, listing(root, package)?)
            .map_err(|e| format!("{}: {e}", path.display()))?;
    }
    Ok(())
}

fn file(root: &Path, package: &str) -> std::path::PathBuf {
    root.join(FOLDER).join(format!("{package}.txt"))
}

fn installed(root: &Path) -> bool {
    succeeds(cargo(root).args(["public-api", "--version"]))
}

/// Without what every type has: blanket implementations and those of auto traits.
fn listing(root: &Path, package: &str) -> Result<String, String> {
    let mut command = public_api(root, package);
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|e| format!("cannot run {}: {e}", describe(&command)))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        Err(format!("{}\n{said}", describe(&command)))
    }
}

/// It reads rustdoc's JSON, which the stable compiler writes when it is told so.
fn public_api(root: &Path, package: &str) -> Command {
    let mut command = cargo(root);
    command
        .env("RUSTC_BOOTSTRAP", "1")
        .args(["public-api", "-p", package, "--all-features", "-ss"])
        .args(["--color", "never", "--target-dir", "target/api"]);
    command
}

/// The first line that only one of them has in its place.
fn first_difference(committed: &str, found: &str) -> String {
    let (mut before, mut after) = (committed.lines(), found.lines());
    loop {
        match (before.next(), after.next()) {
            (Some(before), Some(after)) if before == after => {}
            (None, None) => return "the line ends differ".to_owned(),
            (before, after) => {
                let or_end = |line: Option<&str>| line.unwrap_or("(the end)").to_owned();
                return format!("- {}\n+ {}", or_end(before), or_end(after));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_differs_is_shown_from_both_sides() {
        assert_eq!(first_difference("a\nb\nc", "a\nx\nc"), "- b\n+ x");
        assert_eq!(first_difference("a", "a\nb"), "- (the end)\n+ b");
    }

    #[test]
    fn every_library_has_its_listing() {
        for package in CRATES {
            let path = file(&crate::root(), package);
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            let module = format!("pub mod {}", package.replace('-', "_"));
            assert!(text.starts_with(&module), "{}", path.display());
        }
    }
}
