//! The `countersign` program.
//!
//! | exit code | meaning |
//! |---|---|
//! | 0 | done; `demo` and `connect`: and the peer has proved its identity if that was asked for |
//! | 1 | refused: by the peer, or the peer's token or message by us |
//! | 2 | the command line is wrong |
//! | 3 | a file or the network failed |

mod args;
mod connect;
mod connection;
mod demo;
mod failure;
mod files;
mod inspect;
mod output;
mod serve;

use std::process::ExitCode;

use clap::Parser;

use args::{Arguments, Command};

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Demo(options) => demo::run(&options),
        Command::Serve(options) => serve::run(options),
        Command::Connect(options) => connect::run(&options),
        Command::Inspect(options) => inspect::run(&options),
    };
    match result {
        // Standard output is a file that failed.
        Ok(()) if output::is_incomplete() => ExitCode::from(3),
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::complain(&format!("error: {failure}"));
            failure.exit_code()
        }
    }
}
