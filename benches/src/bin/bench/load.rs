//! A server with tokio, and more and more clients at a time, each side in a process of its own.

mod clients;
mod server;

use std::process::{Command, Stdio};
use std::time::Duration;

use countersign_benches::Result;
use countersign_context::Flags;
use countersign_handshake::{Clock as _, SystemClock};
use countersign_testkit::Realm;
use tokio::runtime::{Builder, Runtime};

use crate::rounds::as_f64;
use server::Server;

pub(crate) use clients::run as clients;
pub(crate) use server::serve;

const SERVICE: &str = "HTTP/web.bench.test";

/// How many clients come at a time.
const CLIENTS: [u32; 5] = [1, 10, 100, 1_000, 10_000];

/// How long clients begin anew.
const SPAN: Duration = Duration::from_secs(3);

/// A client that is not served by then has failed.
const LIMIT: Duration = Duration::from_secs(60);

const FLAGS: Flags = Flags::MUTUAL
    .union(Flags::CONFIDENTIALITY)
    .union(Flags::INTEGRITY)
    .union(Flags::REPLAY)
    .union(Flags::SEQUENCE);

const QUESTION: &[u8] = b"who goes there?";
const ANSWER: &[u8] = b"a friend indeed";

/// What was found with so many clients at a time.
#[derive(Debug)]
pub(crate) struct Load {
    pub(crate) clients: u32,
    /// Connections that were answered, a second.
    pub(crate) rate: f64,
    /// From before `connect` to the answer, half of them and 99 of 100.
    pub(crate) half: Duration,
    pub(crate) most: Duration,
    /// The most bytes of the server's process that were in memory at once, where the system tells.
    pub(crate) peak: Option<u64>,
}

/// The same ticket and keys in both processes, as they follow from a seed.
fn realm() -> Realm {
    Realm::new("BENCH.TEST", 1).at(SystemClock.now().seconds())
}

fn runtime() -> Result<Runtime> {
    Ok(Builder::new_multi_thread().enable_all().build()?)
}

/// Has a server serve more and more clients, until there are none or one of them is not served; then it says why.
pub(crate) fn run(mut each: impl FnMut(&Load)) -> (Vec<Load>, Option<String>) {
    let mut all = Vec::new();
    let problem = visits(&mut all, &mut each).err();
    (all, problem.map(|problem| problem.to_string()))
}

fn visits(all: &mut Vec<Load>, each: &mut impl FnMut(&Load)) -> Result<()> {
    let mut server = Server::start()?;
    for clients in CLIENTS {
        let load = visit(clients, &mut server)?;
        each(&load);
        all.push(load);
    }
    Ok(())
}

fn visit(clients: u32, server: &mut Server) -> Result<Load> {
    // From here on.
    server.peak()?;
    let output = Command::new(std::env::current_exe()?)
        .args([
            "--clients",
            &clients.to_string(),
            &server.address.to_string(),
        ])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        let problem = format!(
            "{clients} clients were not all served; each is an open file of both sides \
             (`ulimit -n`)"
        );
        return Err(problem.into());
    }
    let said = String::from_utf8(output.stdout)?;
    let numbers: Vec<u64> = said
        .split_whitespace()
        .map_while(|number| number.parse().ok())
        .collect();
    let [count, took, half, most] = numbers[..] else {
        return Err(format!("the clients said {said}").into());
    };
    Ok(Load {
        clients,
        rate: as_f64(count) * 1e6 / as_f64(took),
        half: Duration::from_micros(half),
        most: Duration::from_micros(most),
        peak: server.peak()?,
    })
}
