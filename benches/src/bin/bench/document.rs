//! Puts figures into `docs/BENCHMARKS.md`, between lines that name them, and draws the plots.
//!
//! ```text
//! <!-- begin kerberos -->
//! what this module writes
//! <!-- end kerberos -->
//! ```

use std::fmt::Write as _;
use std::path::Path;

use countersign_benches::Result;

use crate::goals::Verdict;
use crate::lab::Lab;
use crate::load::Load;
use crate::plot;
use crate::rounds::Outcome;
use crate::table::{counted, mebibytes, milliseconds, rate, ratio, spread};

const GROUPS: [&str; 7] = [
    "tokens",
    "kerberos",
    "ntlm",
    "negotiate",
    "messages",
    "stream",
    "growth",
];

/// Figures of fewer turns are for looking at.
pub(crate) const LEAST_ROUNDS: usize = 10;

pub(crate) fn write(
    folder: &Path,
    outcomes: &[Outcome],
    loads: &[Load],
    verdicts: &[Verdict],
    lab: &Lab,
) -> Result<()> {
    let file = folder.join("BENCHMARKS.md");
    let plots = folder.join("benchmarks");
    std::fs::create_dir_all(&plots)?;
    let mut text = std::fs::read_to_string(&file)?;
    replace(&mut text, "goals", &goals(verdicts)?)?;
    for group in GROUPS {
        let members: Vec<&Outcome> = outcomes
            .iter()
            .filter(|outcome| outcome.name.split('/').next() == Some(group))
            .collect();
        let picture = format!("{group}.svg");
        plot::draw(&plots.join(&picture), group, &shown(&members))?;
        let table = table(&members)?;
        let figures = format!("![{group}](benchmarks/{picture})\n\n{table}");
        replace(&mut text, group, &figures)?;
    }
    replace(&mut text, "server", &server(loads)?)?;
    replace(&mut text, "unmeasured", &unmeasured(lab)?)?;
    std::fs::write(&file, text)?;
    eprintln!("written: {}", file.display());
    Ok(())
}

/// Puts figures of one name into the file.
pub(crate) fn put(file: &Path, name: &str, figures: &str) -> Result<()> {
    let mut text = std::fs::read_to_string(file)?;
    replace(&mut text, name, figures)?;
    std::fs::write(file, text)?;
    eprintln!("written: {}", file.display());
    Ok(())
}

/// Puts `figures` between the lines that name them.
fn replace(text: &mut String, name: &str, figures: &str) -> Result<()> {
    let (begin, end) = (
        format!("<!-- begin {name} -->\n"),
        format!("<!-- end {name} -->"),
    );
    let missing = || format!("BENCHMARKS.md has no place for {name}: {begin}{end}");
    let from = text.find(&begin).ok_or_else(missing)? + begin.len();
    let to = text
        .find(&end)
        .filter(|to| *to >= from)
        .ok_or_else(missing)?;
    text.replace_range(from..to, figures);
    Ok(())
}

pub(crate) fn goals(verdicts: &[Verdict]) -> Result<String> {
    // What takes no turns has no fastest ones.
    let is_timed = verdicts.iter().any(|verdict| verdict.best.is_some());
    let mut out = match is_timed {
        true => {
            "| operation | goal | found | fastest tenth | alone | slower | |\n\
             |---|---|---|---|---|---|---|\n"
        }
        false => "| what | goal | found | |\n|---|---|---|---|\n",
    }
    .to_owned();
    for verdict in verdicts {
        let Verdict {
            what,
            goal,
            found,
            best,
            alone,
            floor,
            standing,
        } = verdict;
        write!(out, "| {what} | {goal} | {found} |")?;
        if is_timed {
            for reached in [best, alone, floor] {
                write!(out, " {} |", reached.as_deref().unwrap_or_default())?;
            }
        }
        writeln!(out, " {standing} |")?;
    }
    Ok(out)
}

fn server(loads: &[Load]) -> Result<String> {
    let mut out =
        "| clients at a time | connections a second | p50 | p99 | memory of the server at \
                   most |\n|---|---|---|---|---|\n"
            .to_owned();
    for load in loads {
        writeln!(
            out,
            "| {} | {:.0} | {} ms | {} ms | {} |",
            load.clients,
            load.rate,
            milliseconds(load.half),
            milliseconds(load.most),
            load.peak.map_or_else(String::new, mebibytes)
        )?;
    }
    Ok(out)
}

fn unmeasured(lab: &Lab) -> Result<String> {
    let mut out = String::new();
    if lab.problems.is_empty() {
        out.push_str("Nothing failed.\n");
    }
    for problem in &lab.problems {
        writeln!(out, "- {problem}")?;
    }
    Ok(out)
}

/// Of messages three sizes are drawn, sealed, of two enctypes and NTLM; the table has all.
fn shown<'a>(members: &[&'a Outcome]) -> Vec<&'a Outcome> {
    let is_drawn = |name: &str| {
        let parts: Vec<&str> = name.split('/').collect();
        match parts[..] {
            ["messages", _, protection, kind, size] => {
                protection == "sealed"
                    && ["aes256-sha1", "aes256-sha2", "ntlm"].contains(&kind)
                    && ["64", "4k", "64k"].contains(&size)
            }
            ["messages", ..] => false,
            _ => true,
        }
    };
    members
        .iter()
        .filter(|outcome| is_drawn(&outcome.name))
        .copied()
        .collect()
}

fn table(members: &[&Outcome]) -> Result<String> {
    let mut out = "| operation | by | median | ± % | a second, or MB/s | allocations | bytes | \
                   peak | times ours |\n|---|---|---|---|---|---|---|---|---|\n"
        .to_owned();
    for outcome in members {
        let name = outcome.name.split_once('/').map_or("", |(_, name)| name);
        for (index, figures) in outcome.figures.iter().enumerate() {
            writeln!(
                out,
                "| {} | {} | {} | {:.1} | {} | {} | {} | {} | {} |",
                if index == 0 { name } else { "" },
                figures.contender,
                plot::time(figures.median),
                spread(figures),
                rate(outcome, figures),
                counted(figures, |totals| totals.allocations),
                counted(figures, |totals| totals.bytes),
                counted(figures, |totals| totals.peak),
                ratio(outcome, figures).map_or_else(String::new, |ratio| format!("{ratio:.2}")),
            )?;
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::replace;

    #[test]
    fn figures_take_the_place_of_older_ones_and_nothing_else_changes() {
        let mut text = "a\n<!-- begin x -->\nold\n<!-- end x -->\nb\n".to_owned();
        replace(&mut text, "x", "new\n").unwrap();
        assert_eq!(text, "a\n<!-- begin x -->\nnew\n<!-- end x -->\nb\n");
        assert!(replace(&mut text, "y", "").is_err());
        let mut turned = "<!-- end x -->\n<!-- begin x -->\n".to_owned();
        assert!(replace(&mut turned, "x", "").is_err());
    }
}
