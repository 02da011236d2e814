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
    let is_alone = ["--check", "--record", "--peers", "--help", "-h"]
        .into_iter()
        .any(has);
    if !is_alone {
        eprintln!("what counts allocations: compiling");
        attempt(
            program(root, "count")
                .args(["--target-dir"])
                .arg(target(root)),
        );
        run.arg("--peers").arg(peers(root));
        // A part of the figures is no document.
        if is_whole(arguments) {
            run.arg("--write").arg(root.join("docs"));
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

/// The folder with the other libraries' programs. Each that cannot be built is named, and left out.
fn peers(root: &Path) -> PathBuf {
    let folder = root.join("target").join("peers").join("bench");
    if let Err(problem) = std::fs::create_dir_all(&folder) {
        eprintln!("xtask: {}: {problem}", folder.display());
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
        let program = target.join("release").join("sspi_bench");
        if let Err(problem) = std::fs::copy(program, folder.join("sspi_bench")) {
            eprintln!("xtask: sspi_bench: {problem}");
        }
    }
    folder
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
