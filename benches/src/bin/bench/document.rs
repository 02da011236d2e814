//! `docs/BENCHMARKS.md` and its plots.

use std::fmt::Write as _;
use std::path::Path;

use countersign_benches::Result;

use crate::goals::Verdict;
use crate::lab::Lab;
use crate::load::Load;
use crate::plot;
use crate::rounds::Outcome;
use crate::table::{milliseconds, rate, ratio, spread};

/// The groups, with what is said about each, which is kept by hand.
const GROUPS: [(&str, &str); 7] = [
    ("tokens", include_str!("text/tokens.md")),
    ("kerberos", include_str!("text/kerberos.md")),
    ("ntlm", include_str!("text/ntlm.md")),
    ("negotiate", include_str!("text/negotiate.md")),
    ("messages", include_str!("text/messages.md")),
    ("stream", include_str!("text/stream.md")),
    ("growth", include_str!("text/growth.md")),
];

pub(crate) fn write(
    folder: &Path,
    outcomes: &[Outcome],
    loads: &[Load],
    verdicts: &[Verdict],
    lab: &Lab,
) -> Result<()> {
    let mut out = include_str!("text/introduction.md").to_owned();
    writeln!(
        out,
        "\n## Goals\n\n| operation | goal | found | |\n|---|---|---|---|"
    )?;
    for verdict in verdicts {
        let is_met = if verdict.is_met { "met" } else { "**missed**" };
        let Verdict {
            what, goal, found, ..
        } = verdict;
        writeln!(out, "| {what} | {goal} | {found} | {is_met} |")?;
    }
    out.push('\n');
    out.push_str(include_str!("text/misses.md"));
    let plots = folder.join("benchmarks");
    std::fs::create_dir_all(&plots)?;
    for (group, text) in GROUPS {
        let members: Vec<&Outcome> = outcomes
            .iter()
            .filter(|outcome| outcome.name.split('/').next() == Some(group))
            .collect();
        if members.is_empty() {
            continue;
        }
        out.push('\n');
        out.push_str(text);
        let picture = format!("{group}.svg");
        plot::draw(&plots.join(&picture), group, &shown(&members))?;
        writeln!(out, "\n![{group}](benchmarks/{picture})\n")?;
        table(&mut out, &members)?;
    }
    if !loads.is_empty() {
        out.push('\n');
        out.push_str(include_str!("text/server.md"));
        writeln!(
            out,
            "\n| clients at a time | connections a second | p50 | p99 |\n|---|---|---|---|"
        )?;
        for load in loads {
            writeln!(
                out,
                "| {} | {:.0} | {} ms | {} ms |",
                load.clients,
                load.rate,
                milliseconds(load.half),
                milliseconds(load.most)
            )?;
        }
    }
    if !lab.problems.is_empty() {
        writeln!(out, "\n## Not measured\n")?;
        for problem in &lab.problems {
            writeln!(out, "- {problem}")?;
        }
    }
    std::fs::write(folder.join("BENCHMARKS.md"), out)?;
    println!("\nwritten: {}", folder.join("BENCHMARKS.md").display());
    Ok(())
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

fn table(out: &mut String, members: &[&Outcome]) -> Result<()> {
    writeln!(
        out,
        "| operation | by | median | ± % | a second, or MB/s | allocations | bytes | times ours |\n\
         |---|---|---|---|---|---|---|---|"
    )?;
    for outcome in members {
        let name = outcome.name.split_once('/').map_or("", |(_, name)| name);
        for (index, figures) in outcome.figures.iter().enumerate() {
            writeln!(
                out,
                "| {} | {} | {} | {:.1} | {} | {:.0} | {:.0} | {} |",
                if index == 0 { name } else { "" },
                figures.contender,
                plot::time(figures.median),
                spread(figures),
                rate(outcome, figures),
                figures.allocations,
                figures.allocated,
                ratio(outcome, figures).map_or_else(String::new, |ratio| format!("{ratio:.2}")),
            )?;
        }
    }
    Ok(())
}
