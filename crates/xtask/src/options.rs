//! The command line.

use std::fmt::Write as _;

use crate::fuzz;
use crate::steps::STEPS;

/// What was asked for.
pub(crate) enum Invocation {
    Help,
    /// Run the fuzz targets for longer than a smoke.
    Fuzz(fuzz::Plan),
    /// Write docs/SPECS.md anew.
    Specs,
    /// Write docs/api/ anew.
    Api,
    /// The long form of faults, load and floods; the arguments are that program's.
    Soak(Vec<String>),
    /// Whether refusals tell by their time how near the truth was; the arguments are that program's.
    Timing(Vec<String>),
    /// The benchmarks, with these arguments.
    Bench(Vec<String>),
    Test(Options),
}

/// The options of `cargo xtask test`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    /// A peer that cannot be installed is a failure.
    pub(crate) require_peers: bool,
    /// One JSON object on standard output, progress on standard error.
    pub(crate) json: bool,
    /// The steps to run; all when empty.
    pub(crate) only: Vec<String>,
}

impl Options {
    pub(crate) fn selects(&self, step: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == step)
    }
}

/// Reads the arguments after the program's name.
pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Invocation, String> {
    match arguments.next().as_deref() {
        None | Some("help" | "-h" | "--help") => return Ok(Invocation::Help),
        Some("fuzz") => return fuzz_plan(arguments),
        Some("specs") => return Ok(Invocation::Specs),
        Some("api") => return Ok(Invocation::Api),
        Some("soak") => return Ok(Invocation::Soak(arguments.collect())),
        Some("timing") => return Ok(Invocation::Timing(arguments.collect())),
        Some("bench") => return Ok(Invocation::Bench(arguments.collect())),
        Some("test") => {}
        Some(other) => return Err(format!("no command {other}; try cargo xtask --help")),
    }
    let mut options = Options::default();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "-h" | "--help" => return Ok(Invocation::Help),
            "--require-peers" => options.require_peers = true,
            "--json" => options.json = true,
            "--only" => {
                let step = arguments.next().ok_or("--only needs a STEP")?;
                if STEPS.iter().all(|known| known.name != step) {
                    return Err(format!("no step {step}; the steps are {}", names()));
                }
                options.only.push(step);
            }
            other => return Err(format!("unknown argument {other}; try cargo xtask --help")),
        }
    }
    Ok(Invocation::Test(options))
}

fn fuzz_plan(mut arguments: impl Iterator<Item = String>) -> Result<Invocation, String> {
    let mut plan = fuzz::Plan::default();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "-h" | "--help" => return Ok(Invocation::Help),
            "--seconds" => {
                let seconds = arguments.next().and_then(|seconds| seconds.parse().ok());
                plan.seconds = seconds.ok_or("--seconds needs a number")?;
            }
            "--bare" => plan.bare = true,
            "--keep" => plan.keep = true,
            option if option.starts_with('-') => {
                return Err(format!("unknown argument {option}; try cargo xtask --help"));
            }
            target => plan.only.push(target.to_owned()),
        }
    }
    Ok(Invocation::Fuzz(plan))
}

fn names() -> String {
    STEPS
        .iter()
        .map(|step| step.name)
        .collect::<Vec<_>>()
        .join(", ")
}

/// The help text.
pub(crate) fn help() -> String {
    let mut text = String::from(
        "\
Runs everything that a change must pass, and prints a table.

Usage: cargo xtask test [OPTIONS]
       cargo xtask fuzz [--seconds N] [--bare] [--keep] [TARGET...]
                            Run fuzz targets, each for so long; bare: without a
                            sanitizer, faster; keep: what was found, minimised
       cargo xtask soak     Faults, load and floods for an hour or more; its
                            options: cargo xtask soak --help
       cargo xtask timing [--samples N] [--no-instructions | --no-times] [NAME]
                            Whether the time of a refusal tells how near the
                            truth was
       cargo xtask bench [--check | --record | --footprint] [NAME...]
                            Time ours and other libraries in one run; check:
                            count instructions, fail where they grew by 3 %;
                            footprint: crates, a clean build, an acceptor
       cargo xtask specs    Write docs/SPECS.md from the citations in sources
       cargo xtask api      Write docs/api/ from the public interfaces

      --require-peers  A peer that cannot be installed is a failure, not skipped
      --json           Print one JSON object; progress goes to standard error
      --only STEP      Run only this step (repeatable)
  -h, --help           Print this

Steps, in this order (what each prints is kept in target/xtask/STEP.log):

",
    );
    for step in STEPS {
        let _ = writeln!(text, "  {:<9} {}", step.name, step.about);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_line(line: &str) -> Result<Invocation, String> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn every_option_is_understood() {
        let Ok(Invocation::Test(options)) =
            parse_line("test --require-peers --json --only fuzz --only interop")
        else {
            panic!("not understood")
        };
        assert!(options.require_peers && options.json);
        assert!(options.selects("fuzz") && options.selects("interop") && !options.selects("test"));
        assert!(Options::default().selects("test"));
    }

    #[test]
    fn fuzzing_takes_seconds_and_targets() {
        let Ok(Invocation::Fuzz(plan)) = parse_line("fuzz --seconds 60 --keep spnego pac") else {
            panic!("not understood")
        };
        assert_eq!((plan.seconds, plan.only.len()), (60, 2));
        assert!(plan.keep && !plan.bare);
    }

    #[test]
    fn what_follows_soak_is_left_to_it() {
        let Ok(Invocation::Soak(arguments)) = parse_line("soak --cases 7 --help") else {
            panic!("not understood")
        };
        assert_eq!(arguments, ["--cases", "7", "--help"]);
    }

    #[test]
    fn what_follows_timing_is_left_to_it() {
        let Ok(Invocation::Timing(arguments)) = parse_line("timing --samples 7 mic") else {
            panic!("not understood")
        };
        assert_eq!(arguments, ["--samples", "7", "mic"]);
    }

    #[test]
    fn what_follows_bench_is_left_to_it() {
        let Ok(Invocation::Bench(arguments)) = parse_line("bench --rounds 7 accept") else {
            panic!("not understood")
        };
        assert_eq!(arguments, ["--rounds", "7", "accept"]);
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (line, word) in [
            ("tset", "tset"),
            ("test --al", "--al"),
            ("test --only x", "x"),
            ("fuzz --seconds soon", "--seconds"),
        ] {
            let Err(problem) = parse_line(line) else {
                panic!("{line} was understood")
            };
            assert!(problem.contains(word), "{problem}");
        }
    }

    #[test]
    fn the_help_names_every_step() {
        let help = help();
        assert!(STEPS.iter().all(|step| help.contains(step.name)));
        assert!(
            help.lines().all(|line| line.chars().count() <= 80),
            "{help}"
        );
    }
}
