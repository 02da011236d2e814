//! A service on Linux in an Active Directory domain that lets in the members of one group.
//!
//! The client's groups are in its ticket, in a PAC that the service's key verifies: nobody is asked.
//!
//! ```text
//! cargo run --example ad_service -- 127.0.0.1:4446 intranet.keytab S-1-5-21-…-1107
//! ```
//!
//! The client is `sockets_client.rs`; the page docs/guide/active-directory.md leads through it.

mod framing;

use std::error::Error;
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::time::Duration;

use countersign::context::PacPolicy;
use countersign::context::token::pac::Sid;
use countersign::credential::Keytab;
use countersign::handshake::{Handshake, SystemEnvironment};
use countersign::kerberos::{Acceptor, AcceptorCredential};
use countersign::{Flags, Policy, SecurityContext};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ad_service: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [address, keytab, group] = arguments.as_slice() else {
        return Err("usage: ad_service ADDRESS KEYTAB GROUP-SID".into());
    };
    let group: Sid = group.parse()?;
    let keytab = Keytab::parse(&std::fs::read(keytab)?)?;
    let credential = AcceptorCredential::new(&keytab);
    let listener = TcpListener::bind(address)?;
    for stream in listener.incoming() {
        // A service would serve each in a thread or task of its own.
        match stream
            .map_err(Into::into)
            .and_then(|stream| serve(stream, &credential, &group))
        {
            Ok(client) => println!("served {client}"),
            Err(error) => eprintln!("{error}"),
        }
    }
    Ok(())
}

/// Serves one request of one client.
fn serve(mut stream: TcpStream, credential: &AcceptorCredential, group: &Sid) -> Result<String> {
    let acceptor = Acceptor::new(credential)
        .require(Flags::MUTUAL | Flags::CONFIDENTIALITY | Flags::INTEGRITY);
    // Whoever authorizes by group needs the groups: a ticket without them is refused.
    let policy = Policy::default().with_pac(PacPolicy::Required);
    let mut context = Handshake::acceptor(acceptor)
        .environment(SystemEnvironment::new().with_policy(policy))
        .timeout(Duration::from_secs(10))
        .run_on_socket(&mut stream)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;

    let client = context.peer().ok_or("the client has no name")?.to_string();
    let answer = match authorize(&context, group) {
        Some(name) => format!("{name} may enter"),
        None => format!("{client} may not enter"),
    };
    let request = framing::receive(&mut stream)?.ok_or("the client closed")?;
    if !context.unwrap(&request)?.sealed {
        return Err("the request is not sealed".into());
    }
    framing::send(&mut stream, &context.wrap(true, answer.as_bytes())?)?;
    Ok(client)
}

/// The name of the account, if it is in the group. A name is for people to read; it is the SIDs that count.
fn authorize(context: &SecurityContext, group: &Sid) -> Option<String> {
    let pac = context.pac()?;
    pac.is_member_of(group)
        .then(|| pac.account_name().map(String::from))?
}
