//! Counts instructions: valgrind's callgrind counts while [`counted`] runs, and writes down what it
//! counted whenever that ends.

use std::hint::black_box;
use std::path::Path;
use std::process::{Command, Stdio};

use countersign_benches::Result;

use crate::cases::{Case, Subject};

/// The argument of the process that valgrind runs.
pub(crate) const INSIDE: &str = "--inside";

/// How often each class is counted, of which the least counts: an allocator may have to look for
/// a piece of the size.
const ROUNDS: usize = 32;

/// Neither class always comes after the other.
fn order(round: usize) -> [usize; 2] {
    [round % 2, 1 - round % 2]
}

/// What callgrind knows the function by.
const COUNTED: &str = "timing::instructions::counted";

/// The instructions of either class, by case.
pub(crate) fn of(cases: &[Case], wanted: &str) -> Result<Vec<[u64; 2]>> {
    let folder = std::env::temp_dir().join(format!("countersign-timing-{}", std::process::id()));
    std::fs::create_dir(&folder)?;
    let counts = counts(cases.len(), wanted, &folder);
    std::fs::remove_dir_all(&folder)?;
    counts
}

fn counts(cases: usize, wanted: &str, folder: &Path) -> Result<Vec<[u64; 2]>> {
    let out = folder.join("out");
    let ended = Command::new("valgrind")
        .arg("--tool=callgrind")
        .arg(format!("--toggle-collect={COUNTED}"))
        .arg(format!("--dump-after={COUNTED}"))
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(std::env::current_exe()?)
        .args(
            [INSIDE, wanted]
                .into_iter()
                .filter(|argument| !argument.is_empty()),
        )
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .output()
        .map_err(|problem| format!("valgrind: {problem}"))?;
    if !ended.status.success() {
        return Err(String::from_utf8_lossy(&ended.stderr).into());
    }
    let mut dump = 0;
    let mut all = Vec::new();
    for _ in 0..cases {
        let mut least = [u64::MAX; 2];
        for class in (0..ROUNDS).flat_map(order) {
            dump += 1;
            let dumped = std::fs::read_to_string(folder.join(format!("out.{dump}")))?;
            let count = summary(&dumped).ok_or("no summary")?;
            least[class] = count.min(least[class]);
        }
        all.push(least);
    }
    if all.iter().flatten().any(|count| *count == 0) {
        return Err("valgrind did not find what to count".into());
    }
    Ok(all)
}

/// What a dump adds up to.
fn summary(dump: &str) -> Option<u64> {
    let total = |line: &str| line.strip_prefix("summary: ")?.trim().parse().ok();
    dump.lines().find_map(total)
}

/// What valgrind looks at.
pub(crate) fn inside(cases: &[Case]) -> Result<()> {
    for case in cases {
        let mut subject = case.subject()?;
        for class in (0..ROUNDS).flat_map(order) {
            subject.prepare(class);
            black_box(counted(&mut *subject));
        }
    }
    Ok(())
}

/// Its last deed is its own: of a jump into the subject valgrind would see no end.
#[inline(never)]
fn counted(subject: &mut dyn Subject) -> u64 {
    subject.run();
    black_box(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_of_a_dump_is_read() {
        let dump = "version: 1\nevents: Ir\nsummary: 1234\n\nfn=(1) counted\n5 1234\n";
        assert_eq!(summary(dump), Some(1234));
        assert_eq!(summary("version: 1\n"), None);
    }
}
