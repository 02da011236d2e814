//! Operations of this package for another process: a line in, a line out.
//!
//! ```text
//! NAME TIMES                              an operation, and how often to do it
//!
//! NANOSECONDS ALLOCATIONS BYTES PEAK      what that took altogether
//! error WHAT
//! ```

use std::fmt;
use std::io::{BufRead as _, Write as _};

use crate::{Operation, Prepared, Result, operations};

/// What is totalled over some runs.
#[derive(Debug, Clone, Copy, Default)]
pub struct Totals {
    /// How long they took.
    pub nanoseconds: u64,
    /// How often memory was allocated.
    pub allocations: u64,
    /// How many bytes were allocated.
    pub bytes: u64,
    /// The most bytes that were held at once above what was held before.
    pub peak: u64,
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            nanoseconds,
            allocations,
            bytes,
            peak,
        } = self;
        write!(f, "{nanoseconds} {allocations} {bytes} {peak}")
    }
}

/// Answers lines until there are no more. `measure` does an operation so often.
///
/// # Errors
/// The streams do not work.
pub fn answer(measure: impl Fn(&mut Operation, u32) -> Totals) -> Result<()> {
    let known = operations();
    // The next line mostly asks for the same one.
    let mut last: Option<Operation> = None;
    let mut output = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        match asked(&known, &mut last, &line?) {
            Ok((operation, times)) => writeln!(output, "{}", measure(operation, times))?,
            Err(problem) => {
                writeln!(output, "error {}", problem.to_string().replace('\n', " "))?;
            }
        }
        output.flush()?;
    }
    Ok(())
}

/// The operation of a line, kept in `last`.
fn asked<'a>(
    known: &[Prepared],
    last: &'a mut Option<Operation>,
    line: &str,
) -> Result<(&'a mut Operation, u32)> {
    let (name, times) = line.rsplit_once(' ').ok_or("a line is NAME TIMES")?;
    let times = times.parse()?;
    let operation = match last.take().filter(|operation| operation.name == name) {
        Some(operation) => operation,
        None => {
            let prepared = known.iter().find(|prepared| prepared.name == name);
            prepared.ok_or("no such operation")?.operation()?
        }
    };
    Ok((last.insert(operation), times))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operation_is_found_by_its_name_and_made_once() {
        let known = operations();
        let mut last = None;
        let (operation, times) = asked(&known, &mut last, "tokens/decode-ap-req 12").unwrap();
        assert_eq!(
            (operation.name.as_str(), times),
            ("tokens/decode-ap-req", 12)
        );
        assert!(asked(&[], &mut last, "tokens/decode-ap-req 1").is_ok());
        assert!(asked(&known, &mut last, "tokens/decode-ap-req").is_err());
        assert!(asked(&known, &mut last, "tokens/of-nobody 1").is_err());
        assert!(asked(&known, &mut last, "tokens/decode-ap-req many").is_err());
    }
}
