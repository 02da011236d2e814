//! Counts instructions: valgrind's callgrind runs this very program, counts while one function of it runs, and
//! writes down what it counted whenever that ends.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::Result;

/// What the function came to each time, in order. `counted` is what callgrind knows it by; the program
/// gets `arguments`.
///
/// # Errors
/// valgrind is not there, the program failed, or the function was never seen.
pub fn sums<'a>(counted: &str, arguments: impl IntoIterator<Item = &'a str>) -> Result<Vec<u64>> {
    let folder = std::env::temp_dir().join(format!("countersign-callgrind-{}", std::process::id()));
    std::fs::create_dir(&folder)?;
    let sums = run(counted, arguments, &folder);
    std::fs::remove_dir_all(&folder)?;
    sums
}

fn run<'a>(
    counted: &str,
    arguments: impl IntoIterator<Item = &'a str>,
    folder: &Path,
) -> Result<Vec<u64>> {
    let out = folder.join("out");
    let ended = Command::new("valgrind")
        .arg("--tool=callgrind")
        .arg(format!("--toggle-collect={counted}"))
        .arg(format!("--dump-after={counted}"))
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(std::env::current_exe()?)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .output()
        .map_err(|problem| format!("valgrind: {problem}; install it (apt-get install valgrind)"))?;
    if !ended.status.success() {
        return Err(String::from_utf8_lossy(&ended.stderr).into());
    }
    let mut sums = Vec::new();
    while let Ok(dump) =
        std::fs::read_to_string(folder.join(format!("out.{}", sums.len().saturating_add(1))))
    {
        sums.push(summary(&dump).ok_or("no summary")?);
    }
    if sums.is_empty() || sums.contains(&0) {
        return Err("valgrind did not find what to count".into());
    }
    Ok(sums)
}

/// What a dump adds up to.
fn summary(dump: &str) -> Option<u64> {
    let total = |line: &str| line.strip_prefix("summary: ")?.trim().parse().ok();
    dump.lines().find_map(total)
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
