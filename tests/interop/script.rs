//! A script of `tests/peers/` that runs peers for as long as we hold its standard input open.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use crate::Result;

/// A script that was started; it stops what it runs when this is dropped.
pub(crate) struct Script {
    name: &'static str,
    folder: PathBuf,
    child: Child,
    /// The script stops when this is closed.
    lifeline: Option<ChildStdin>,
}

impl Script {
    /// Starts a script, which is to write under the folder only. Whether it succeeds is known when it
    /// is [`ready`](Self::ready).
    pub(crate) fn start(name: &'static str, folder: PathBuf) -> Result<Self> {
        Self::start_with(name, folder, None)
    }

    /// The same with one more argument, the folder of another script.
    pub(crate) fn start_with(
        name: &'static str,
        folder: PathBuf,
        other: Option<&Path>,
    ) -> Result<Self> {
        let mut child = Command::new(path(name))
            .arg(&folder)
            .args(other)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| format!("tests/peers/{name}: {e}"))?;
        let lifeline = child.stdin.take();
        Ok(Self {
            name,
            folder,
            child,
            lifeline,
        })
    }

    /// Waits until everything runs: what the script says of it in its file `env`.
    pub(crate) fn ready(&mut self) -> Result<BTreeMap<String, String>> {
        let mut first = String::new();
        if let Some(stdout) = self.child.stdout.take() {
            let _ = BufReader::new(stdout).read_line(&mut first);
        }
        if first.trim() != "ready" {
            return Err(format!(
                "tests/peers/{} could not start its peer",
                self.name
            ));
        }
        read_environment(&self.folder)
    }

    /// Where everything of it is.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        drop(self.lifeline.take());
        for _ in 0..500 {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The variables in the file `env` of a script's folder.
pub(crate) fn read_environment(folder: &Path) -> Result<BTreeMap<String, String>> {
    let path = folder.join("env");
    let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    Ok(pairs
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect())
}

/// Installs what is missing for a peer, when it can. The error says what is missing and why.
pub(crate) fn install(peer: &str) -> Result<()> {
    if !cfg!(target_os = "linux") {
        return Err("the scripts in tests/peers/ know Debian only".into());
    }
    let output = Command::new(path("install.sh"))
        .arg(peer)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|e| format!("tests/peers/install.sh: {e}"))?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let reason = text.trim().lines().last();
    Err(reason.unwrap_or("tests/peers/install.sh failed").to_owned())
}

/// A file of `tests/peers/`.
pub(crate) fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("peers")
        .join(name)
}
