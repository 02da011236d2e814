//! A program that does as it is told: a line in, a line out (`benches/peers/gss_bench.c`).

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use countersign_benches::Result;
use countersign_benches::answer::Totals;

pub(crate) struct Peer {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Peer {
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let name = command.get_program().to_owned();
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|problem| format!("{}: {problem}", name.display()))?;
        let (Some(input), Some(output)) = (process.stdin.take(), process.stdout.take()) else {
            return Err("no pipe".into());
        };
        Ok(Self {
            process,
            input,
            output: BufReader::new(output),
        })
    }

    /// Whether the program is no more.
    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.process.try_wait(), Ok(None))
    }

    /// `None` where it does not have the operation.
    pub(crate) fn ask(&mut self, told: &str) -> Result<Option<Totals>> {
        self.input.write_all(format!("{told}\n").as_bytes())?;
        let mut answer = String::new();
        if self.output.read_line(&mut answer)? == 0 {
            let _ = self.process.wait();
            return Err("the program ended".into());
        }
        answered(answer.trim())
    }
}

/// `NANOSECONDS ALLOCATIONS BYTES PEAK`, `cannot`, or `error WHAT`.
fn answered(answer: &str) -> Result<Option<Totals>> {
    if answer == "cannot" {
        return Ok(None);
    }
    let numbers: Vec<u64> = answer.split(' ').map_while(|n| n.parse().ok()).collect();
    let [nanoseconds, allocations, bytes, peak] = numbers[..] else {
        return Err(answer.into());
    };
    Ok(Some(Totals {
        nanoseconds,
        allocations,
        bytes,
        peak,
    }))
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::answered;

    #[test]
    fn answers_are_numbers_or_say_what_is_wrong() {
        let totals = answered("1200 3 96 64").unwrap().unwrap();
        assert_eq!((totals.nanoseconds, totals.allocations), (1200, 3));
        assert_eq!((totals.bytes, totals.peak), (96, 64));
        assert_eq!(totals.to_string(), "1200 3 96 64");
        assert!(answered("cannot").unwrap().is_none());
        let problem = answered("error no such operation").unwrap_err();
        assert_eq!(problem.to_string(), "error no such operation");
        assert!(answered("1 2 3").is_err());
    }
}
