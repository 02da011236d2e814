//! Asks cargo, the shell and the loader.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use countersign_benches::Result;

/// A package, and where it is built.
pub(super) struct Build {
    root: PathBuf,
    manifest: PathBuf,
    package: &'static str,
    target: PathBuf,
}

/// The crates that a package needs to run.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Tree {
    pub(super) crates: usize,
    /// Of the workspace itself.
    pub(super) local: usize,
    /// Those with a version that is no release (Semantic Versioning §9).
    pub(super) early: Vec<String>,
}

impl Build {
    pub(super) fn new(root: &Path, target: PathBuf, manifest: &str, package: &'static str) -> Self {
        Self {
            root: root.to_owned(),
            manifest: root.join(manifest),
            package,
            target,
        }
    }

    fn cargo(&self, what: &str) -> Command {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.args([what, "--locked", "--manifest-path"]);
        command.arg(&self.manifest).current_dir(&self.root);
        command
    }

    pub(super) fn tree(&self) -> Result<Tree> {
        let mut command = self.cargo("tree");
        command.args(["--package", self.package]);
        command.args(["--edges", "normal", "--prefix", "none"]);
        Ok(tree(&run(&mut command)?, &self.root.display().to_string()))
    }

    /// Seconds of processors that a release build takes whose sources are there and nothing else.
    pub(super) fn clean(&self) -> Result<f64> {
        eprintln!("{}: fetching", self.package);
        run(&mut self.cargo("fetch"))?;
        self.remove();
        eprintln!("{}: compiling all of it (a minute or two)", self.package);
        let mut build = self.cargo("build");
        build.args(["--release", "--quiet", "--package", self.package]);
        build.arg("--target-dir").arg(&self.target);
        // The shell's second line is what all that it waited for has used.
        let mut timed = Command::new("sh");
        timed.args(["-c", "\"$@\" && times", "sh"]);
        timed.arg(build.get_program()).args(build.get_args());
        timed.current_dir(&self.root);
        for variable in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "RUSTC_WRAPPER"] {
            timed.env_remove(variable);
        }
        seconds(&run(&mut timed)?).ok_or_else(|| "the shell's `times` says something else".into())
    }

    /// The release build of a program.
    pub(super) fn program(&self, name: &str) -> Result<PathBuf> {
        eprintln!("{name}: compiling");
        let mut build = self.cargo("build");
        build.args(["--release", "--quiet", "--package", self.package]);
        build
            .args(["--bin", name, "--target-dir"])
            .arg(&self.target);
        run(&mut build)?;
        Ok(self.target.join("release").join(name))
    }

    pub(super) fn remove(&self) {
        let _ = std::fs::remove_dir_all(&self.target);
    }
}

/// What it printed; that it failed is an error, whose reasons it said itself.
pub(super) fn run(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|problem| format!("{}: {problem}", command.get_program().display()))?;
    if !output.status.success() {
        return Err(format!("{} failed", command.get_program().display()).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Lines are `NAME vVERSION`, and something in brackets: where it is, or that it came before.
fn tree(said: &str, root: &str) -> Tree {
    let mut all = BTreeSet::new();
    let mut local = BTreeSet::new();
    for line in said.lines().filter(|line| !line.is_empty()) {
        let (name, rest) = line.split_once(" (").unwrap_or((line, ""));
        all.insert(name);
        if rest.starts_with(root) {
            local.insert(name);
        }
    }
    let is_early = |name: &&&str| {
        let version = name.rsplit_once(" v").map_or("", |(_, version)| version);
        let release = version.split('+').next().unwrap_or_default();
        release.contains('-')
    };
    Tree {
        crates: all.len(),
        local: local.len(),
        early: all
            .iter()
            .filter(is_early)
            .map(|s| (*s).to_owned())
            .collect(),
    }
}

/// The sum of user's and system's time in the last line of `times`, `1m2.345s 0m6.7s`.
fn seconds(said: &str) -> Option<f64> {
    let part = |text: &str| {
        let (minutes, seconds) = text.strip_suffix('s')?.split_once('m')?;
        Some(minutes.parse::<f64>().ok()? * 60.0 + seconds.parse::<f64>().ok()?)
    };
    let (user, system) = said.lines().last()?.split_once(' ')?;
    Some(part(user)? + part(system)?)
}

/// The size of a copy without symbols.
pub(super) fn stripped(program: &Path) -> Result<u64> {
    let copy = program.with_extension("stripped");
    run(Command::new("strip").arg("-o").arg(&copy).arg(program))?;
    Ok(std::fs::metadata(copy)?.len())
}

/// What is the C library's: everybody has it.
const C: [&str; 4] = ["libc.so", "libm.so", "libresolv.so", "libpthread.so"];

/// The shared libraries that a program loads, and their sizes.
pub(super) fn libraries(program: &Path) -> Result<Vec<(String, u64)>> {
    let said = run(Command::new("ldd").arg(program))?;
    loaded(&said)
        .map(|(name, path)| Ok((name.to_owned(), std::fs::metadata(path)?.len())))
        .collect()
}

/// Lines are `NAME => PATH (ADDRESS)`, but the loader's and the kernel's.
fn loaded(said: &str) -> impl Iterator<Item = (&str, &str)> {
    said.lines()
        .filter_map(|line| {
            let (name, rest) = line.trim().split_once(" => ")?;
            Some((name, rest.split_once(" (")?.0))
        })
        .filter(|(name, _)| !C.iter().any(|c| name.starts_with(c)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tree_counts_each_crate_once_and_knows_what_is_no_release() {
        let said = "ours v0.1.0 (/here/crates/ours)\nrsa v0.10.0-rc.18\nrsa v0.10.0-rc.18 (*)\n\
                    wasi v0.11.0+wasi-snapshot-1\nours v0.1.0 (/here/crates/ours) (*)\n";
        let found = tree(said, "/here");
        assert_eq!((found.crates, found.local), (3, 1));
        assert_eq!(found.early, ["rsa v0.10.0-rc.18"]);
        assert_eq!(tree(said, "/elsewhere").local, 0);
    }

    #[test]
    fn time_is_that_of_whom_the_shell_waited_for() {
        let said = "0m0.010000s 0m0.000000s\n1m2.500000s 0m3.25s\n";
        assert_eq!(seconds(said), Some(65.75));
        assert_eq!(seconds("real 3"), None);
    }

    #[test]
    fn libraries_are_those_with_a_path_but_the_c_library() {
        let said = "\tlinux-vdso.so.1 (0x1)\n\tlibkrb5.so.3 => /lib/libkrb5.so.3 (0x2)\n\
                    \tlibc.so.6 => /lib/libc.so.6 (0x3)\n\t/lib64/ld-linux-x86-64.so.2 (0x4)\n";
        let found: Vec<_> = loaded(said).collect();
        assert_eq!(found, [("libkrb5.so.3", "/lib/libkrb5.so.3")]);
    }
}
