//! Prints the matrix: a line a row as it ends, then the reasons and the counts; or JSON.

use std::fmt::Write as _;

use crate::row::{Outcome, Row};

/// Collects the outcomes and prints them.
pub(crate) struct Report {
    json: bool,
    rows: Vec<Done>,
}

struct Done {
    peer: &'static str,
    role: &'static str,
    enctype: &'static str,
    protection: &'static str,
    outcome: Outcome,
}

impl Report {
    /// Prints the table's head, unless the result is to be JSON.
    pub(crate) fn begin(json: bool) -> Self {
        if !json {
            println!(
                "{}",
                line("peer", "our role", "enctype", "protection", "result")
            );
            println!("{}", "-".repeat(77));
        }
        Self {
            json,
            rows: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, row: &Row, outcome: Outcome) {
        let (peer, role, enctype) = (row.peer, row.role.name(), row.enctype);
        if !self.json {
            println!(
                "{}",
                line(peer, role, enctype, row.protection, outcome.name())
            );
        }
        self.rows.push(Done {
            peer,
            role,
            enctype,
            protection: row.protection,
            outcome,
        });
    }

    fn count(&self, name: &str) -> usize {
        self.rows
            .iter()
            .filter(|row| row.outcome.name() == name)
            .count()
    }

    /// Prints what is left to say; whether nothing failed.
    pub(crate) fn end(&self) -> bool {
        if self.json {
            println!("{}", self.to_json());
        } else {
            self.print_reasons();
            println!(
                "\ninterop: {} passed, {} failed, {} skipped",
                self.count("pass"),
                self.count("FAIL"),
                self.count("skipped")
            );
        }
        self.count("FAIL") == 0
    }

    fn print_reasons(&self) {
        let mut reasons: Vec<&str> = Vec::new();
        for row in &self.rows {
            match &row.outcome {
                Outcome::Failed(reason) => {
                    let (peer, role, enctype) = (row.peer, row.role, row.enctype);
                    println!("\nFAIL {peer}, {role}, {enctype}, {}:", row.protection);
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
                quote(row.peer),
                quote(row.role),
                quote(row.enctype),
                quote(row.protection),
                quote(&row.outcome.name().to_lowercase()),
                quote(row.outcome.reason()),
            );
        }
        format!(
            "{{\"passed\":{},\"failed\":{},\"skipped\":{},\"rows\":[{rows}\n]}}",
            self.count("pass"),
            self.count("FAIL"),
            self.count("skipped")
        )
    }
}

fn line(peer: &str, role: &str, enctype: &str, protection: &str, result: &str) -> String {
    format!("{peer:<16} {role:<9} {enctype:<11} {protection:<28} {result}")
}

/// A JSON string (RFC 8259 §7).
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
    fn the_widest_row_fits_in_80_columns() {
        let protection = "3 connections, 5 messages ea";
        assert_eq!(protection.len(), 28);
        assert!(
            line(
                "gss-client/serve",
                "acceptor",
                "camellia256",
                protection,
                "skipped"
            )
            .len()
                <= 80
        );
        assert!(
            crate::scenario::SCENARIOS
                .iter()
                .all(|s| s.name.len() <= 28)
        );
    }

    #[test]
    fn json_strings_are_escaped() {
        assert_eq!(quote("a\"b\\c\nd\u{1}"), r#""a\"b\\c\nd\u0001""#);
    }
}
