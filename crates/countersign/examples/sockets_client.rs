//! A client that authenticates a sockets service, and itself to it, before it says anything.
//!
//! Shows the driver, which does the loop that `sockets_service.rs` spells out.
//!
//! ```text
//! cargo run --example sockets_client -- 127.0.0.1:4445 sentry/gate.example.com /tmp/krb5cc_1000 hello
//! ```
#![allow(dead_code, reason = "a test includes this file as a module")]

mod framing;

use std::error::Error;
use std::net::{TcpStream, ToSocketAddrs};
use std::process::ExitCode;
use std::time::Duration;

use countersign::Flags;
use countersign::credential::{CredentialCache, ServiceName, TicketCredential};
use countersign::handshake::Handshake;
use countersign::kerberos::Initiator;
use framing::{receive, send};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

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

    send(&mut stream, &context.wrap(true, message)?)?;
    let answer = receive(&mut stream)?.ok_or("the service closed")?;
    let answer = context.unwrap(&answer)?;
    if !answer.sealed {
        return Err("the answer is not sealed".into());
    }
    Ok(String::from_utf8_lossy(&answer.message).into_owned())
}
