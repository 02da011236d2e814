//! Prints what is found, as it is found.

use std::fmt::Write as _;

use countersign_tests::quote;

/// Collects the rows, and prints them.
pub(crate) struct Report {
    json: bool,
    rows: Vec<Row>,
    /// Cases of faults, over all rows.
    pub(crate) cases: u64,
}

struct Row {
    part: &'static str,
    title: String,
    figures: String,
    problem: Option<String>,
}

impl Row {
    fn text(&self) -> String {
        let word = match self.problem {
            None => "ok",
            Some(_) => "FAIL",
        };
        let mut text = format!("{word:<4} {:<6} {}\n", self.part, self.title);
        for line in self.figures.lines() {
            let _ = writeln!(text, "       {line}");
        }
        for line in self.problem.iter().flat_map(|problem| problem.lines()) {
            let _ = writeln!(text, "       {line}");
        }
        text
    }
}

impl Report {
    pub(crate) const fn new(json: bool) -> Self {
        Self {
            json,
            rows: Vec::new(),
            cases: 0,
        }
    }

    /// A line for whoever waits.
    pub(crate) fn progress(&self, line: &str) {
        eprintln!("       ... {line}");
    }

    /// A check that was made, with what it measured and what is wrong; whether nothing is.
    pub(crate) fn add(
        &mut self,
        part: &'static str,
        title: &str,
        figures: &str,
        problem: Option<String>,
    ) -> bool {
        let passed = problem.is_none();
        let row = Row {
            part,
            title: title.to_owned(),
            figures: figures.to_owned(),
            problem,
        };
        if self.json {
            eprint!("{}", row.text());
        } else {
            print!("{}", row.text());
        }
        self.rows.push(row);
        passed
    }

    fn failed(&self) -> usize {
        self.rows.iter().filter(|row| row.problem.is_some()).count()
    }

    /// Prints the counts; whether nothing failed.
    pub(crate) fn end(&self) -> bool {
        let failed = self.failed();
        let passed = self.rows.len() - failed;
        if self.json {
            println!("{}", self.to_json(passed, failed));
        } else {
            let cases = grouped(self.cases);
            println!("\nsoak: {passed} passed, {failed} failed; {cases} cases of faults");
        }
        failed == 0
    }

    fn to_json(&self, passed: usize, failed: usize) -> String {
        let mut rows = String::new();
        for row in &self.rows {
            let _ = write!(
                rows,
                "{}\n{{\"part\":{},\"title\":{},\"figures\":{},\"problem\":{}}}",
                if rows.is_empty() { "" } else { "," },
                quote(row.part),
                quote(&row.title),
                quote(&row.figures),
                row.problem.as_deref().map_or("null".into(), quote),
            );
        }
        let cases = self.cases;
        format!("{{\"passed\":{passed},\"failed\":{failed},\"cases\":{cases},\"rows\":[{rows}\n]}}")
    }
}

/// 1,234,567.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_counted_and_ends_without_success() {
        let mut report = Report::new(true);
        assert!(report.add("load", "one", "", None));
        assert!(report.end());
        assert!(!report.add("load", "two", "3 of \"4\"", Some("why".into())));
        assert!(!report.end());
        let json = report.to_json(1, 1);
        assert!(json.contains("\"problem\":null") && json.contains("\"problem\":\"why\""));
        assert!(json.contains(r#"3 of \"4\""#));
    }

    #[test]
    fn numbers_are_grouped_by_three() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(grouped(number), text);
        }
    }
}
