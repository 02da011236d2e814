//! The smallest service that authenticates its clients: its size is in `docs/BENCHMARKS.md`.
//!
//! ```text
//! acceptor KEYTAB ADDRESS:PORT
//! ```

use std::net::TcpListener;

use countersign_context::Flags;
use countersign_context::kerberos::{Acceptor, AcceptorCredential};
use countersign_credential::Keytab;
use countersign_handshake::{Handshake, StreamOptions};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(keytab), Some(address)) = (arguments.next(), arguments.next()) else {
        return Err("usage: acceptor KEYTAB ADDRESS:PORT".into());
    };
    let credential = AcceptorCredential::new(&Keytab::parse(&std::fs::read(keytab)?)?);
    for socket in TcpListener::bind(address)?.incoming() {
        let flags = Flags::MUTUAL | Flags::CONFIDENTIALITY | Flags::SEQUENCE | Flags::REPLAY;
        let acceptor = Acceptor::new(&credential).require(flags);
        match Handshake::acceptor(acceptor).secure(socket?, StreamOptions::default()) {
            Ok(stream) => println!("{:?}", stream.peer()),
            Err(problem) => eprintln!("{problem}"),
        }
    }
    Ok(())
}
