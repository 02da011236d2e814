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
mod kdc;
mod kdestroy;
mod kinit;
mod klist;
mod kpasswd;
mod kvno;
mod output;
mod package;
mod password;
mod realm;
mod serve;
mod ticket;

use std::process::ExitCode;

use args::Command;

fn main() -> ExitCode {
    let (command, fits) = args::read();
    // What `inspect` prints is one document, and ends with it.
    let events_as_json = match &command {
        Command::Demo(options) => options.json,
        Command::Serve(options) => options.protocol.json,
        Command::Connect(options) => options.protocol.json,
        Command::Kinit(options) => options.json,
        Command::Kvno(options) => options.json,
        Command::Kdestroy(options) => options.json,
        Command::Kpasswd(options) => options.json,
        Command::Inspect(_) | Command::Klist(_) => false,
        Command::Realm(options) => options.json,
    };
    let result = fits.and_then(|()| match command {
        Command::Demo(options) => demo::run(&options),
        Command::Serve(options) => serve::run(options),
        Command::Connect(options) => connect::run(&options),
        Command::Kinit(options) => kinit::run(&options),
        Command::Klist(options) => klist::run(&options),
        Command::Kvno(options) => kvno::run(&options),
        Command::Kdestroy(options) => kdestroy::run(&options),
        Command::Kpasswd(options) => kpasswd::run(&options),
        Command::Inspect(options) => inspect::run(&options),
        Command::Realm(options) => realm::run(&options),
    });
    match result {
        // Standard output is a file that failed.
        Ok(()) if output::is_incomplete() => ExitCode::from(3),
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !failure.is_reported() {
                if events_as_json {
                    output::event(true, String::new, || failure.to_event());
                }
                output::complain(&format!("error: {failure}"));
            }
            failure.exit_code()
        }
    }
}
