//! What the command line says.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use countersign_benches::Result;

/// Times this library and others in one run.
#[derive(Debug, clap::Parser)]
#[command(name = "bench")]
pub(crate) struct Options {
    /// Only operations with one of these in their names
    pub(crate) names: Vec<String>,
    /// How often every contender takes its turn
    #[arg(long, default_value = "21")]
    pub(crate) rounds: NonZeroUsize,
    /// Where gss_bench-mit, gss_bench-heimdal, sspi_bench and bench-native are; without it, only ours are timed
    #[arg(long, value_name = "FOLDER")]
    pub(crate) peers: Option<PathBuf>,
    /// Ask every program in that folder for every operation once, and fail where one gives no answer
    #[arg(long, requires = "peers", group = "instead")]
    pub(crate) once: bool,
    /// Print JSON instead of tables
    #[arg(long)]
    pub(crate) json: bool,
    /// Write what was found into the BENCHMARKS.md of this folder, and draw its plots
    #[arg(long, value_name = "FOLDER")]
    pub(crate) write: Option<PathBuf>,
    /// Measure crates, the time of a clean build, the size of an acceptor and half-open contexts instead
    #[arg(long, group = "instead")]
    pub(crate) footprint: bool,
    /// Count instructions, and fail where they are more than 3 % over those that were recorded
    #[arg(long, group = "instead")]
    pub(crate) check: bool,
    /// Count instructions and record them
    #[arg(long, group = "instead")]
    pub(crate) record: bool,
    /// Do what lines of standard input say, like the peers
    #[arg(long, hide = true)]
    pub(crate) answer: bool,
    /// What valgrind runs
    #[arg(long, hide = true)]
    pub(crate) inside: bool,
    /// So many clients of the server at the address that is given as a name
    #[arg(long, hide = true)]
    pub(crate) clients: Option<u32>,
    /// Hold half-open contexts of this kind
    #[arg(long, hide = true)]
    pub(crate) hold: Option<String>,
    /// The server that they come to
    #[arg(long, hide = true)]
    pub(crate) serve: bool,
}

impl Options {
    /// Whether an operation of this name is wanted.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|part| name.contains(part.as_str()))
    }

    /// Refuses names that nothing has: a run of nothing would pass for a good one.
    ///
    /// # Errors
    /// No operation has one of the names.
    pub(crate) fn require_any(&self, found: bool) -> Result<()> {
        match found {
            true => Ok(()),
            false => {
                Err(format!("no operation has {} in its name", self.names.join(" or ")).into())
            }
        }
    }
}
