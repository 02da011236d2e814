//! Runs a program, its output kept in the step's log.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// After how long a silent step says that it is still there.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// What a program left behind.
pub(crate) struct Ended {
    pub(crate) succeeded: bool,
    pub(crate) lines: Vec<String>,
}

impl Ended {
    /// The last lines, which are where compilers and tests say what went wrong.
    pub(crate) fn tail(&self) -> String {
        let from = self.lines.len().saturating_sub(60);
        self.lines.get(from..).unwrap_or_default().join("\n")
    }
}

/// Whether lines are shown as they come, and where.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Show {
    /// In the log only, with a sign of life now and then.
    Nothing,
    /// On standard output too.
    Lines,
    /// On standard error too: standard output is for JSON.
    LinesOnStandardError,
}

/// The `cargo` that runs us.
pub(crate) fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    if std::env::var_os("CI").is_some() {
        // Nobody builds there again, and nobody debugs.
        command
            .env("CARGO_INCREMENTAL", "0")
            .env("CARGO_PROFILE_DEV_DEBUG", "line-tables-only");
    }
    command
}

/// Runs to the end with no input. The error is that it could not be started.
pub(crate) fn run(command: &mut Command, log: &Path, show: Show) -> Result<Ended, String> {
    let started = Instant::now();
    let described = describe(command);
    let mut log = File::options()
        .create(true)
        .append(true)
        .open(log)
        .map_err(|e| format!("{}: {e}", log.display()))?;
    let _ = writeln!(log, "$ {described}");
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| format!("cannot run {described}: {e}"))?;
    let (sender, receiver) = channel();
    for pipe in [
        child
            .stdout
            .take()
            .map(|p| Box::new(p) as Box<dyn std::io::Read + Send>),
        child
            .stderr
            .take()
            .map(|p| Box::new(p) as Box<dyn std::io::Read + Send>),
    ]
    .into_iter()
    .flatten()
    {
        let sender = sender.clone();
        std::thread::spawn(move || {
            let mut reader = BufReader::new(pipe);
            let mut bytes = Vec::new();
            while let Ok(1..) = reader.read_until(b'\n', &mut bytes) {
                let line = String::from_utf8_lossy(&bytes).trim_end().to_owned();
                bytes.clear();
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
    }
    drop(sender);
    let mut lines = Vec::new();
    loop {
        match receiver.recv_timeout(HEARTBEAT) {
            Ok(line) => {
                let _ = writeln!(log, "{line}");
                match show {
                    Show::Nothing => {}
                    Show::Lines => println!("{line}"),
                    Show::LinesOnStandardError => eprintln!("{line}"),
                }
                lines.push(line);
            }
            Err(RecvTimeoutError::Timeout) => {
                eprintln!("      ... {} s: {described}", started.elapsed().as_secs());
            }
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    let status = child.wait().map_err(|e| format!("{described}: {e}"))?;
    Ok(Ended {
        succeeded: status.success(),
        lines,
    })
}

/// Whether it runs and succeeds, unseen: how one asks whether a tool is there.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    let silent = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    silent.status().is_ok_and(|status| status.success())
}

/// The command as one would type it.
pub(crate) fn describe(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program
        .file_name()
        .unwrap_or(program.as_os_str())
        .to_string_lossy();
    let arguments = command
        .get_args()
        .map(|argument| argument.to_string_lossy());
    std::iter::once(name)
        .chain(arguments)
        .collect::<Vec<_>>()
        .join(" ")
}
