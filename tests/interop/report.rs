//! Prints the matrices: a line a peer and role while they run, then the tables, the reasons and the
//! counts; or JSON.

use std::fmt::Write as _;
use std::time::Instant;

use crate::kdc::{self, Kdc};
use crate::lab::ENCTYPES;
use crate::row::{Outcome, Title};

/// Collects the outcomes and prints them.
pub(crate) struct Report {
    json: bool,
    rows: Vec<Done>,
    group_began: Instant,
}

struct Done {
    title: Title,
    outcome: Outcome,
}

impl Report {
    pub(crate) fn new(json: bool) -> Self {
        Self {
            json,
            rows: Vec::new(),
            group_began: Instant::now(),
        }
    }

    /// Progress: failures at once, whatever else at the end of a peer's role.
    pub(crate) fn add(&mut self, title: &Title, outcome: Outcome) {
        let group = title.group();
        if self
            .rows
            .last()
            .is_some_and(|last| last.title.group() != group)
        {
            self.end_group();
        }
        if matches!(outcome, Outcome::Failed(_)) {
            self.say(&format!("FAIL {title}"));
        }
        self.rows.push(Done {
            title: title.clone(),
            outcome,
        });
    }

    fn end_group(&mut self) {
        let Some(group) = self.rows.last().map(|row| row.title.group()) else {
            return;
        };
        let rows = self.rows.iter().filter(|row| row.title.group() == group);
        let (peer, role) = group;
        let mut line = format!("{peer:<14} {role:<9}");
        for (name, word) in OUTCOMES {
            let count = rows
                .clone()
                .filter(|row| row.outcome.name() == name)
                .count();
            if count > 0 {
                let _ = write!(line, " {count:>4} {word}");
            }
        }
        let _ = write!(line, "  in {} s", self.group_began.elapsed().as_secs());
        self.say(&line);
        self.group_began = Instant::now();
    }

    fn say(&self, line: &str) {
        if self.json {
            eprintln!("{line}");
        } else {
            println!("{line}");
        }
    }

    fn count(&self, name: &str) -> usize {
        self.rows
            .iter()
            .filter(|row| row.outcome.name() == name)
            .count()
    }

    /// Prints what is left to say; whether nothing failed.
    pub(crate) fn end(&mut self) -> bool {
        self.end_group();
        if self.json {
            println!("{}", self.to_json());
        } else {
            print!("{}{}", self.table(), self.kdc_table());
            self.print_reasons();
            println!(
                "\ninterop: {} passed, {} failed, {} skipped",
                self.count("pass"),
                self.count("FAIL"),
                self.count("skip")
            );
        }
        self.count("FAIL") == 0
    }

    /// A line for each exchange with each peer, a column for each enctype.
    fn table(&self) -> String {
        let mut table = String::new();
        let rows = || {
            let titles = self.rows.iter().map(|row| &row.title);
            titles.filter(|title| title.role != kdc::ROLE)
        };
        let mut lines: Vec<(&str, &str, &str)> = Vec::new();
        for title in rows() {
            let line = (title.peer, title.role, title.scenario.as_str());
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        let mut group = ("", "");
        for (peer, role, scenario) in lines {
            if group != (peer, role) {
                group = (peer, role);
                let ours = if role == "control" {
                    "none, control"
                } else {
                    role
                };
                let _ = write!(table, "\npeer {peer}, our role: {ours}\n{}", heading());
            }
            let _ = write!(table, "{scenario:<28}");
            for enctype in ENCTYPES {
                let cell = self.cell(peer, role, enctype, scenario);
                let _ = write!(table, "{cell:>7}");
            }
            table.push('\n');
        }
        table
    }

    /// A line for each thing asked of KDCs, a column for each of them.
    fn kdc_table(&self) -> String {
        let mut scenarios: Vec<&str> = Vec::new();
        for row in &self.rows {
            let scenario = row.title.scenario.as_str();
            if row.title.role == kdc::ROLE && !scenarios.contains(&scenario) {
                scenarios.push(scenario);
            }
        }
        let mut table = String::new();
        if !scenarios.is_empty() {
            let _ = write!(table, "\n{:<53}", "asked of the KDC of");
            for kdc in Kdc::ALL {
                let _ = write!(table, "{:>9}", kdc.name());
            }
            table.push('\n');
        }
        for scenario in scenarios {
            let _ = write!(table, "{scenario:<53}");
            for kdc in Kdc::ALL {
                let cell = self.cell(kdc.name(), kdc::ROLE, "", scenario);
                let _ = write!(table, "{cell:>9}");
            }
            table.push('\n');
        }
        table
    }

    /// How a row ended; nothing where there is none.
    fn cell(&self, peer: &str, role: &str, enctype: &str, scenario: &str) -> &'static str {
        let row = self.rows.iter().find(|row| {
            let title = &row.title;
            (title.peer, title.role, title.enctype) == (peer, role, enctype)
                && title.scenario == scenario
        });
        row.map_or("", |row| row.outcome.name())
    }

    fn print_reasons(&self) {
        let mut reasons: Vec<&str> = Vec::new();
        for row in &self.rows {
            match &row.outcome {
                Outcome::Failed(reason) => {
                    println!("\nFAIL {}:", row.title);
                    for text in reason.lines().take(12) {
                        println!("    {text}");
                    }
                }
                Outcome::Skipped(reason) if !reasons.contains(&reason.as_str()) => {
                    reasons.push(reason);
                }
                _ => {}
            }
        }
        for reason in reasons {
            println!("\nskipped: {reason}");
        }
    }

    fn to_json(&self) -> String {
        let mut rows = String::new();
        for row in &self.rows {
            let _ = write!(
                rows,
                "{}\n{{\"peer\":{},\"role\":{},\"enctype\":{},\"protection\":{},\"result\":{},\
                 \"reason\":{}}}",
                if rows.is_empty() { "" } else { "," },
                quote(row.title.peer),
                quote(row.title.role),
                quote(row.title.enctype),
                quote(&row.title.scenario),
                quote(match row.outcome {
                    Outcome::Passed => "pass",
                    Outcome::Failed(_) => "fail",
                    Outcome::Skipped(_) => "skipped",
                }),
                quote(row.outcome.reason()),
            );
        }
        format!(
            "{{\"passed\":{},\"failed\":{},\"skipped\":{},\"rows\":[{rows}\n]}}",
            self.count("pass"),
            self.count("FAIL"),
            self.count("skip")
        )
    }
}

const OUTCOMES: [(&str, &str); 3] = [("pass", "passed"), ("FAIL", "failed"), ("skip", "skipped")];

/// The enctypes, each over two lines of its column.
fn heading() -> String {
    let halves = ENCTYPES.map(
        |name| match (name.split_once('-'), name.strip_prefix("camellia")) {
            (Some(halves), _) => halves,
            (None, Some(bits)) => ("camel.", bits),
            (None, None) => ("", name),
        },
    );
    let line = |pick: fn((&'static str, &'static str)) -> &'static str| {
        let cells: String = halves
            .iter()
            .map(|half| format!("{:>7}", pick(*half)))
            .collect();
        format!("{:28}{}\n", "", cells.trim_end())
    };
    line(|half| half.0) + &line(|half| half.1)
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

    fn report_of_every_row() -> Report {
        let mut report = Report::new(true);
        let titles = crate::matrix::rows().into_iter().map(|row| row.title());
        for title in titles.chain(kdc::rows().iter().map(kdc::Row::title)) {
            report.add(&title, Outcome::Skipped("why".into()));
        }
        report
    }

    #[test]
    fn the_tables_fit_in_80_columns_and_show_every_row() {
        let report = report_of_every_row();
        let table = report.table() + &report.kdc_table();
        assert!(
            table.lines().all(|line| line.chars().count() <= 80),
            "{table}"
        );
        assert_eq!(table.matches(" skip").count(), report.rows.len());
    }

    #[test]
    fn a_failure_is_counted_and_ends_without_success() {
        let mut report = report_of_every_row();
        assert!(report.end());
        let rows = crate::matrix::rows();
        let row = rows.first().expect("there are rows");
        report.add(&row.title(), Outcome::Failed("why".into()));
        assert!(!report.end());
    }

    #[test]
    fn json_strings_are_escaped() {
        assert_eq!(quote("a\"b\\c\nd\u{1}"), r#""a\"b\\c\nd\u0001""#);
    }
}
