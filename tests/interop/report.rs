//! Prints the matrices: a line a peer and role while they run, then the tables, the reasons and the
//! counts; or JSON.

use std::fmt::Write as _;
use std::time::Instant;

use countersign_tests::quote;

use crate::row::{Outcome, Title};

mod table;

pub(crate) use table::Table;

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
        let (peer, role) = &group;
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

    /// Those that ended as they should: also those of which it is known that they cannot do better.
    fn passed(&self) -> usize {
        self.count("pass") + self.count("note")
    }

    /// Prints what is left to say; whether nothing failed.
    pub(crate) fn end(&mut self) -> bool {
        self.end_group();
        if self.json {
            println!("{}", self.to_json());
        } else {
            print!("{}", self.tables());
            self.print_reasons();
            println!(
                "\ninterop: {} passed, {} failed, {} skipped",
                self.passed(),
                self.count("FAIL"),
                self.count("skip")
            );
        }
        self.count("FAIL") == 0
    }

    /// The tables, each with a line of cells for what its rows ask.
    fn tables(&self) -> String {
        let mut text = String::new();
        for table in Table::ALL {
            let rows = || self.rows.iter().filter(|row| row.title.table == table);
            let mut lines: Vec<(String, String)> = Vec::new();
            for row in rows() {
                let line = (table.section(&row.title), table.line(&row.title));
                if !lines.contains(&line) {
                    lines.push(line);
                }
            }
            let mut last = None;
            for line in lines {
                if last.as_ref() != Some(&line.0) {
                    text.push_str(&table.heading(&line.0));
                }
                let (width, cell_width) = table.widths();
                let _ = write!(text, "{:<width$}", line.1);
                for column in table.columns() {
                    let row = rows().find(|row| {
                        let title = &row.title;
                        table.column(title) == column.name
                            && (table.section(title), table.line(title)) == line
                    });
                    let cell = row.map_or("", |row| row.outcome.name());
                    let _ = write!(text, "{cell:>cell_width$}");
                }
                text.truncate(text.trim_end_matches(' ').len());
                text.push('\n');
                last = Some(line.0);
            }
        }
        text
    }

    fn print_reasons(&self) {
        let mut reasons: Vec<(&str, &str)> = Vec::new();
        for row in &self.rows {
            match &row.outcome {
                Outcome::Failed(reason) => {
                    println!("\nFAIL {}:", row.title);
                    for text in reason.lines().take(12) {
                        println!("    {text}");
                    }
                }
                Outcome::Passed => {}
                Outcome::Noted(reason) if !reasons.contains(&("note", reason)) => {
                    reasons.push(("note", reason));
                }
                Outcome::Skipped(reason) if !reasons.contains(&("skipped", reason)) => {
                    reasons.push(("skipped", reason));
                }
                Outcome::Noted(_) | Outcome::Skipped(_) => {}
            }
        }
        for (kind, reason) in reasons {
            println!("\n{kind}: {reason}");
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
                quote(&row.title.peer),
                quote(row.title.role),
                quote(row.title.enctype),
                quote(&row.title.scenario),
                quote(match row.outcome {
                    Outcome::Passed => "pass",
                    Outcome::Noted(_) => "note",
                    Outcome::Failed(_) => "fail",
                    Outcome::Skipped(_) => "skipped",
                }),
                quote(row.outcome.reason()),
            );
        }
        format!(
            "{{\"passed\":{},\"failed\":{},\"skipped\":{},\"rows\":[{rows}\n]}}",
            self.passed(),
            self.count("FAIL"),
            self.count("skip")
        )
    }
}

const OUTCOMES: [(&str, &str); 4] = [
    ("pass", "passed"),
    ("note", "noted"),
    ("FAIL", "failed"),
    ("skip", "skipped"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{kdc, negotiate, ntlm};

    fn report_of_every_row() -> Report {
        let mut report = Report::new(true);
        let titles = crate::matrix::rows().into_iter().map(|row| row.title());
        let kdcs = kdc::rows().into_iter().map(|row| row.title());
        let ntlm = ntlm::rows().into_iter().map(|row| row.title());
        let negotiate = negotiate::rows().into_iter().map(|row| row.title());
        for title in titles.chain(ntlm).chain(negotiate).chain(kdcs) {
            report.add(&title, Outcome::Skipped("why".into()));
        }
        report
    }

    #[test]
    fn the_tables_fit_in_80_columns_and_show_every_row() {
        let report = report_of_every_row();
        let table = report.tables();
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
    fn a_note_is_no_failure_and_has_its_reason_in_every_form() {
        let mut report = Report::new(true);
        let rows = crate::matrix::rows();
        let row = rows.first().expect("there are rows");
        report.add(&row.title(), Outcome::Noted("because".into()));
        assert!(report.end());
        assert!(report.tables().contains(" note"));
        assert!(report.to_json().starts_with("{\"passed\":1,"));
        assert!(report.to_json().contains("\"note\",\"reason\":\"because\""));
    }

    #[test]
    fn json_strings_are_escaped() {
        assert_eq!(quote("a\"b\\c\nd\u{1}"), r#""a\"b\\c\nd\u0001""#);
    }
}
