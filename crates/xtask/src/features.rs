//! What a user of one crate may pick of its features: none, each, every two, all.

use std::path::Path;

use crate::command::{Show, cargo, describe, run};
use crate::report::Outcome;

/// They hand their features on to `handshake`, where two of them meet.
const HAND_ON: [&str; 2] = ["countersign", "countersign-cli"];

/// Checks each crate with no more than two of its features, and with all.
///
/// Of three features these are all sets; of more, what goes wrong goes wrong between two of them.
pub(crate) fn check(root: &Path, log: &Path) -> Outcome {
    let mut outcome = Outcome::default();
    let packages = match packages(&root.join("crates")) {
        Ok(packages) => packages,
        Err(problem) => return Outcome::failed(problem),
    };
    for (package, features) in packages {
        let pairs = !HAND_ON.contains(&package.as_str());
        for picked in picks(&features, pairs) {
            let mut command = cargo(root);
            command.args([
                "clippy",
                "--locked",
                "-p",
                &package,
                "--no-default-features",
            ]);
            if !picked.is_empty() {
                command.args(["--features", &picked.join(",")]);
            }
            // What a feature leaves unused is a defect of that feature.
            command.args(["--", "-D", "warnings"]);
            outcome.add(match run(&mut command, log, Show::Nothing) {
                Ok(ended) if ended.succeeded => Outcome::passed(),
                Ok(ended) => Outcome::failed(format!("{}\n{}", describe(&command), ended.tail())),
                Err(problem) => Outcome::failed(problem),
            });
        }
    }
    outcome
}

/// Every set of at most two, or of one, and the whole.
fn picks(features: &[String], pairs: bool) -> Vec<Vec<&str>> {
    let mut picks = vec![Vec::new()];
    for (place, first) in features.iter().enumerate() {
        picks.push(vec![first.as_str()]);
        let others = features.iter().skip(place.saturating_add(1));
        let others = others.filter(|_| pairs);
        picks.extend(others.map(|second| vec![first.as_str(), second.as_str()]));
    }
    if features.len() > if pairs { 2 } else { 1 } {
        picks.push(features.iter().map(String::as_str).collect());
    }
    picks
}

/// The packages below the folder by name, with their features (`default` is not one to pick).
fn packages(folder: &Path) -> Result<Vec<(String, Vec<String>)>, String> {
    let entries = std::fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut packages = Vec::new();
    for entry in entries.flatten() {
        let manifest = entry.path().join("Cargo.toml");
        let Ok(text) = std::fs::read_to_string(&manifest) else {
            continue;
        };
        let name = section(&text, "package")
            .find_map(|(key, value)| (key == "name").then(|| value.trim_matches('"').to_owned()))
            .ok_or_else(|| format!("{}: no package name", manifest.display()))?;
        let features = section(&text, "features")
            .map(|(key, _)| key.trim_matches('"').to_owned())
            .filter(|key| key != "default")
            .collect();
        packages.push((name, features));
    }
    packages.sort();
    Ok(packages)
}

/// The `key = value` lines of a manifest's section. Not TOML, but what our manifests look like.
fn section<'a>(text: &'a str, name: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let head = format!("[{name}]");
    text.lines()
        .skip_while(move |line| line.trim() != head)
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter(|line| !line.starts_with(|c: char| c.is_whitespace() || c == '#' || c == ']'))
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.trim(), value.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "\
[package]
name = \"a\"
version.workspace = true

[features]
default = [\"x\"]
# a comment = not a feature
x = [
    \"dep:b\",
]
y = []

[dependencies]
z = \"1\"
";

    #[test]
    fn none_one_two_and_all_are_picked_once_each() {
        let features = ["a", "b", "c"].map(str::to_owned);
        let joined = |pairs| -> Vec<_> {
            let picked = picks(&features, pairs);
            picked.iter().map(|picked| picked.join("")).collect()
        };
        assert_eq!(joined(true), ["", "a", "ab", "ac", "b", "bc", "c", "abc"]);
        assert_eq!(joined(false), ["", "a", "b", "c", "abc"]);
        assert_eq!(picks(&[], true), [[""; 0]]);
        assert_eq!(picks(&features[..1], false).len(), 2);
    }

    #[test]
    fn features_are_read_from_their_section_only() {
        let keys: Vec<_> = section(MANIFEST, "features").map(|(key, _)| key).collect();
        assert_eq!(keys, ["default", "x", "y"]);
        assert_eq!(section(MANIFEST, "package").next(), Some(("name", "\"a\"")));
    }
}
