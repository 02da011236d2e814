//! `cargo xtask bench`: builds the peers and the benchmarks, and runs them.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::command::{cargo, describe};

/// Builds as for users, as it is their time that is measured.
pub(crate) fn run(root: &Path, arguments: &[String]) -> ExitCode {
    let mut run = cargo(root);
    run.args(["run", "--release", "--locked", "-p", "countersign-benches"]);
    run.args(["--bin", "bench", "--"]).args(arguments);
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let docs = root.join("docs");
    if has("--footprint") {
        run.arg("--write").arg(&docs);
    }
    let is_alone = ["--check", "--footprint", "--record", "--help", "-h"]
        .into_iter()
        .any(has);
    if !is_alone {
        eprintln!("what counts allocations: compiling");
        attempt(&mut program(root, "count"));
    }
    if !is_alone && !has("--peers") {
        run.arg("--peers").arg(peers(root));
        // A part of the figures is no document.
        if is_whole(arguments) {
            run.arg("--write").arg(&docs);
        }
    }
    match run.status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("xtask: {}: {problem}", describe(&run));
            ExitCode::FAILURE
        }
    }
}

/// Whether no operation is named: flags and their numbers alone.
fn is_whole(arguments: &[String]) -> bool {
    arguments
        .iter()
        .all(|argument| argument.starts_with("--") || argument.parse::<u32>().is_ok())
}

/// The release build of one of our own.
fn program(root: &Path, name: &str) -> Command {
    let mut build = cargo(root);
    build.args(["build", "--release", "--locked", "--quiet"]);
    build.args(["--package", "countersign-benches", "--bin", name]);
    build
}

/// The folder with the other libraries' programs. Each that cannot be built is named, and left out.
fn peers(root: &Path) -> PathBuf {
    let folder = root.join("target").join("peers").join("bench");
    if let Err(problem) = std::fs::create_dir_all(&folder) {
        eprintln!("xtask: {}: {problem}", folder.display());
    }
    // What an earlier build left is no better than nothing.
    for name in [
        "gss_bench-mit",
        "gss_bench-heimdal",
        "sspi_bench",
        "bench-native",
    ] {
        let _ = std::fs::remove_file(folder.join(name));
    }
    let script = |path: &str| {
        let mut command = Command::new("sh");
        command.arg(root.join(path));
        command
    };
    for peer in ["mit", "heimdal", "ntlm"] {
        eprintln!("peer {peer}: installing what is missing");
        attempt(script("tests/peers/install.sh").arg(peer));
    }
    for library in ["mit", "heimdal"] {
        let output = folder.join(format!("gss_bench-{library}"));
        eprintln!("peer {library}: compiling");
        attempt(script("benches/peers/build.sh").arg(output).arg(library));
    }
    eprintln!("ours for this processor: compiling (minutes, the first time)");
    let target = root.join("target").join("peers").join("native");
    let mut native = program(root, "bench");
    native.arg("--target-dir").arg(&target);
    let flags = std::env::var("RUSTFLAGS").unwrap_or_default();
    native.env("RUSTFLAGS", format!("{flags} -C target-cpu=native"));
    if attempt(&mut native) {
        keep(&target, "bench", &folder.join("bench-native"));
    }
    eprintln!("peer sspi: compiling (minutes, the first time)");
    let target = root.join("target").join("peers").join("sspi_bench");
    let manifest = root.join("benches/peers/sspi/Cargo.toml");
    let built = attempt(
        cargo(root)
            .args(["build", "--release", "--locked", "--quiet"])
            .arg("--manifest-path")
            .arg(manifest)
            .arg("--target-dir")
            .arg(&target),
    );
    if built {
        keep(&target, "sspi_bench", &folder.join("sspi_bench"));
    }
    folder
}

/// Copies what was built to where it is looked for.
fn keep(target: &Path, name: &str, to: &Path) {
    if let Err(problem) = std::fs::copy(target.join("release").join(name), to) {
        eprintln!("xtask: {name}: {problem}");
    }
}

/// Whether it ran and succeeded; its own words say why not.
fn attempt(command: &mut Command) -> bool {
    // Standard output may be JSON.
    match command.stdout(std::io::stderr()).status() {
        Ok(status) if status.success() => true,
        Ok(_) => {
            eprintln!("xtask: failed: {}", describe(command));
            false
        }
        Err(problem) => {
            eprintln!("xtask: {}: {problem}", describe(command));
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_whole;

    #[test]
    fn a_run_of_named_operations_is_no_whole_one() {
        let arguments =
            |text: &str| -> Vec<String> { text.split_whitespace().map(str::to_owned).collect() };
        assert!(is_whole(&arguments("")));
        assert!(is_whole(&arguments("--rounds 5 --json")));
        assert!(!is_whole(&arguments("accept")));
        assert!(!is_whole(&arguments("--rounds 5 accept")));
    }
}
