//! Progress, the final table and the line that ends everything.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

/// What a step came to.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Checks (tests, rows, targets) that passed.
    pub(crate) passed: usize,
    /// Checks that failed.
    pub(crate) failed: usize,
    /// Checks that were not made.
    pub(crate) skipped: usize,
    /// Why something failed or was skipped; for a failure, the program's own last words.
    pub(crate) reasons: Vec<String>,
    /// What is shown whether or not something failed.
    pub(crate) notes: Vec<String>,
}

impl Outcome {
    /// One check that passed.
    pub(crate) fn passed() -> Self {
        Self {
            passed: 1,
            ..Self::default()
        }
    }

    /// One check that failed.
    pub(crate) fn failed(reason: impl Into<String>) -> Self {
        Self {
            failed: 1,
            reasons: vec![reason.into()],
            ..Self::default()
        }
    }

    /// One check that was not made.
    pub(crate) fn skipped(reason: impl Into<String>) -> Self {
        Self {
            skipped: 1,
            reasons: vec![reason.into()],
            ..Self::default()
        }
    }

    /// Adds the checks of `other`.
    pub(crate) fn add(&mut self, other: Self) {
        self.passed = self.passed.saturating_add(other.passed);
        self.failed = self.failed.saturating_add(other.failed);
        self.skipped = self.skipped.saturating_add(other.skipped);
        self.reasons.extend(other.reasons);
        self.notes.extend(other.notes);
    }

    fn word(&self) -> &'static str {
        match (self.failed, self.passed) {
            (1.., _) => "FAIL",
            (0, 1..) => "pass",
            (0, 0) => "skipped",
        }
    }
}

struct Done {
    name: &'static str,
    outcome: Outcome,
    took: Duration,
}

/// Prints as steps begin and end.
pub(crate) struct Report {
    json: bool,
    total: usize,
    running: Option<(&'static str, Instant)>,
    done: Vec<Done>,
}

impl Report {
    pub(crate) const fn new(json: bool, total: usize) -> Self {
        Self {
            json,
            total,
            running: None,
            done: Vec::new(),
        }
    }

    fn say(&self, line: &str) {
        if self.json {
            eprintln!("{line}");
        } else {
            println!("{line}");
        }
    }

    pub(crate) fn begin(&mut self, name: &'static str, about: &str) {
        let number = self.done.len().saturating_add(1);
        self.say(&format!("[{number}/{}] {name}: {about}", self.total));
        self.running = Some((name, Instant::now()));
    }

    pub(crate) fn end(&mut self, outcome: Outcome) {
        let Some((name, started)) = self.running.take() else {
            return;
        };
        let took = started.elapsed();
        for text in outcome.notes.iter().chain(&outcome.reasons) {
            for line in text.lines() {
                self.say(&format!("      {line}"));
            }
        }
        self.say(&format!("      {} in {} s", outcome.word(), took.as_secs()));
        self.done.push(Done {
            name,
            outcome,
            took,
        });
    }

    /// Prints the table; whether nothing failed.
    pub(crate) fn finish(&self) -> bool {
        let sum = |pick: fn(&Outcome) -> usize| -> usize {
            self.done.iter().map(|done| pick(&done.outcome)).sum()
        };
        let (passed, failed, skipped) = (sum(|o| o.passed), sum(|o| o.failed), sum(|o| o.skipped));
        if self.json {
            println!("{}", self.to_json(passed, failed, skipped));
        } else {
            println!(
                "\n{:<10} {:<8} {:>7} {:>7} {:>8} {:>6}",
                "step", "result", "passed", "failed", "skipped", "time"
            );
            println!("{}", "-".repeat(51));
            for Done {
                name,
                outcome,
                took,
            } in &self.done
            {
                println!(
                    "{name:<10} {:<8} {:>7} {:>7} {:>8} {:>4} s",
                    outcome.word(),
                    outcome.passed,
                    outcome.failed,
                    outcome.skipped,
                    took.as_secs()
                );
            }
            let skipped = if skipped == 0 {
                String::new()
            } else {
                format!(", {skipped} skipped")
            };
            println!("\n{passed} passed, {failed} failed{skipped}");
        }
        failed == 0
    }

    fn to_json(&self, passed: usize, failed: usize, skipped: usize) -> String {
        let mut steps = String::new();
        for Done {
            name,
            outcome,
            took,
        } in &self.done
        {
            let reasons: Vec<String> = outcome.reasons.iter().map(|r| quote(r)).collect();
            let _ = write!(
                steps,
                "{}\n{{\"step\":{},\"result\":{},\"passed\":{},\"failed\":{},\"skipped\":{},\"seconds\":{},\"reasons\":[{}]}}",
                if steps.is_empty() { "" } else { "," },
                quote(name),
                quote(&outcome.word().to_lowercase()),
                outcome.passed,
                outcome.failed,
                outcome.skipped,
                took.as_secs(),
                reasons.join(",")
            );
        }
        format!(
            "{{\"passed\":{passed},\"failed\":{failed},\"skipped\":{skipped},\"steps\":[{steps}\n]}}"
        )
    }
}

/// A JSON string (RFC 8259 7).
fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if u32::from(c) < 0x20 => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failure_among_passes_is_a_failure() {
        let mut outcome = Outcome::passed();
        outcome.add(Outcome::passed());
        assert_eq!((outcome.word(), outcome.passed), ("pass", 2));
        outcome.add(Outcome::failed("why"));
        assert_eq!(outcome.word(), "FAIL");
        assert_eq!(Outcome::skipped("why").word(), "skipped");
    }

    #[test]
    fn json_strings_are_escaped() {
        assert_eq!(quote("a\"b\\c\nd\u{1}"), r#""a\"b\\c\nd\u0001""#);
    }
}
