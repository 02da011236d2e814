//! This program within a network of a KDC's own: it reads names of scenarios, a line each, and prints
//! how each of them ended.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, ExitCode};

use crate::kdc::lab::Lab;
use crate::kdc::{Kdc, rows};
use crate::row::Outcome;

/// Between the lines of a reason.
const LINE: char = '\u{1e}';

/// Runs the scenarios on standard input against the domain controller of that folder.
pub(crate) fn work(folder: &Path) -> ExitCode {
    let lab = match Lab::open(Kdc::Samba, folder) {
        Ok(lab) => lab,
        Err(problem) => {
            eprintln!("interop: {problem}");
            return ExitCode::FAILURE;
        }
    };
    let rows = rows();
    for scenario in std::io::stdin().lock().lines().map_while(Result::ok) {
        let row = rows
            .iter()
            .find(|row| row.kdc == lab.kdc && row.scenario == scenario);
        let outcome = row.map_or_else(
            || Outcome::Failed("no such row".into()),
            |row| row.outcome(&lab),
        );
        let reason = outcome.reason().replace('\n', &LINE.to_string());
        let mut output = std::io::stdout().lock();
        if writeln!(output, "{}\t{scenario}\t{reason}", outcome.name())
            .and_then(|()| output.flush())
            .is_err()
        {
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// What the worker prints, in the order in which it was asked. The worker ends with this.
pub(crate) struct Answers {
    child: Child,
    lines: Option<std::io::Lines<BufReader<ChildStdout>>>,
}

impl Answers {
    pub(crate) fn new(mut child: Child) -> Self {
        let lines = child.stdout.take();
        Self {
            child,
            lines: lines.map(|stdout| BufReader::new(stdout).lines()),
        }
    }

    /// How the scenario ended, which is the next.
    pub(crate) fn next(&mut self, scenario: &str) -> Outcome {
        let line = self.lines.as_mut().and_then(Iterator::next);
        let Some(Ok(line)) = line else {
            return Outcome::Failed("the program within the KDC's network ended early".into());
        };
        let mut fields = line.splitn(3, '\t');
        let (name, asked) = (fields.next(), fields.next());
        let reason = fields.next().unwrap_or_default();
        let reason = reason.replace(LINE, "\n");
        match name {
            Some("pass") if asked == Some(scenario) => Outcome::Passed,
            Some("skip") if asked == Some(scenario) => Outcome::Skipped(reason),
            Some("FAIL") if asked == Some(scenario) => Outcome::Failed(reason),
            _ => Outcome::Failed(format!("unexpected: {line}")),
        }
    }
}

impl Drop for Answers {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
