//! A client that authenticates a sockets service, and itself to it, before it says anything.
//!
//! Shows the driver, which does the loop that `sockets_service.rs` spells out.
//!
//! ```text
//! cargo run --example sockets_client -- 127.0.0.1:4445 sentry/gate.example.com /tmp/krb5cc_1000 hello
//! ```
#![allow(dead_code, reason = "a test includes this file as a module")]

use std::error::Error;
use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::process::ExitCode;
use std::time::Duration;

use countersign::Flags;
use countersign::credential::{CredentialCache, ServiceName, TicketCredential};
use countersign::handshake::Handshake;
use countersign::kerberos::Initiator;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Longest answer that is received.
const MAX_ANSWER: u32 = 64 * 1024;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sockets_client: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [address, service, cache, message] = arguments.as_slice() else {
        return Err("usage: sockets_client ADDRESS SERVICE CREDENTIAL-CACHE MESSAGE".into());
    };
    let bytes = std::fs::read(cache).map_err(|error| format!("{cache}: {error}"))?;
    let cache = CredentialCache::parse(&bytes).map_err(|error| format!("{cache}: {error}"))?;
    let service = ServiceName::parse(service)?;
    let ticket = cache
        .find_service(&service)
        .ok_or("the credential cache has no ticket for the service that can be used; run kvno")?;
    println!("{}", ask(address, ticket.duplicate(), message.as_bytes())?);
    Ok(())
}

/// Connects, authenticates mutually, sends one sealed request and returns the answer.
pub(crate) fn ask(
    address: impl ToSocketAddrs,
    ticket: TicketCredential,
    message: &[u8],
) -> Result<String> {
    let expected = ticket.server.clone();
    let initiator =
        Initiator::new(ticket).require(Flags::MUTUAL | Flags::CONFIDENTIALITY | Flags::INTEGRITY);
    let mut stream = TcpStream::connect(address)?;
    let mut context = Handshake::initiator(initiator)
        .timeout(Duration::from_secs(10))
        .run_on_socket(&mut stream)?;

    // The context would not be established without; said again for whoever reads this.
    let service = context.peer().and_then(|peer| peer.principal());
    if !context.flags().contains(Flags::MUTUAL) || service != Some(&expected) {
        return Err("the service has not proved its identity".into());
    }

    let request = context.wrap(true, message)?;
    stream.write_all(&u32::try_from(request.len())?.to_be_bytes())?;
    stream.write_all(&request)?;

    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length);
    if length > MAX_ANSWER {
        return Err("the answer is too long".into());
    }
    let mut answer = vec![0; usize::try_from(length)?];
    stream.read_exact(&mut answer)?;
    let answer = context.unwrap(&answer)?;
    if !answer.sealed {
        return Err("the answer is not sealed".into());
    }
    Ok(String::from_utf8_lossy(&answer.message).into_owned())
}
