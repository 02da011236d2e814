//! A sockets service that authenticates its clients before it serves them.
//!
//! Shows the engine without a driver, as Microsoft's example of a Windows Sockets service has it
//! (`DoAuthentication` and `GenServerContext` in "How a Windows Sockets Service Authenticates a
//! Client"): receive a token, hand it to the half-open context of that connection, send the
//! answer, until done; insist on mutual authentication; then serve sealed requests.
//!
//! ```text
//! cargo run --example sockets_service -- 127.0.0.1:4445 service.keytab
//! ```
//!
//! The client is `sockets_client.rs`.
#![allow(dead_code, reason = "a test includes this file as a module")]

mod framing;

use std::collections::HashMap;
use std::error::Error;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use countersign::credential::Keytab;
use countersign::handshake::{SystemEnvironment, blocking::DeadlineStream};
use countersign::kerberos::{Acceptor, AcceptorCredential};
use countersign::{Flags, Mechanism, SecurityContext, Step};
use framing::{receive, send};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// How long a client may take to authenticate, and to send a request.
const PATIENCE: Duration = Duration::from_secs(30);
/// Most rounds of the authentication. Kerberos needs one.
const MAX_ROUNDS: usize = 8;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sockets_service: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(address), Some(keytab)) = (arguments.next(), arguments.next()) else {
        return Err("usage: sockets_service ADDRESS KEYTAB".into());
    };
    let bytes = std::fs::read(&keytab).map_err(|error| format!("{keytab}: {error}"))?;
    let keytab = Keytab::parse(&bytes).map_err(|error| format!("{keytab}: {error}"))?;
    let listener = TcpListener::bind(&address).map_err(|error| format!("{address}: {error}"))?;
    println!("listening on {}", listener.local_addr()?);
    let service = Arc::new(Service::new(&keytab));
    for (key, stream) in (0..).zip(listener.incoming()) {
        let service = Arc::clone(&service);
        // A connection that is gone before it was accepted is no reason to stop.
        let stream = match stream {
            Ok(stream) => stream,
            Err(error) => {
                eprintln!("connection {key}: {error}");
                continue;
            }
        };
        thread::spawn(move || match service.serve(key, stream) {
            Ok(client) => println!("{client} has gone"),
            Err(error) => eprintln!("connection {key}: {error}"),
        });
    }
    Ok(())
}

/// What all connections share.
pub(crate) struct Service {
    /// The service's keys and its replay cache, acquired once.
    credential: AcceptorCredential,
    /// Half-open contexts by connection. They hold no thread and no lock, so that they can wait
    /// here as long as their clients take.
    conversations: Mutex<HashMap<u64, Acceptor>>,
}

/// What to send, and the context once it is established.
struct Answer {
    token: Vec<u8>,
    established: Option<Box<SecurityContext>>,
}

impl Service {
    /// A service with the keys of `keytab`.
    pub(crate) fn new(keytab: &Keytab) -> Self {
        Self {
            credential: AcceptorCredential::new(keytab),
            conversations: Mutex::default(),
        }
    }

    /// Serves one connection until the client closes it, and returns who it was.
    pub(crate) fn serve(&self, key: u64, mut stream: TcpStream) -> Result<String> {
        // All of the authentication has this long, also with a client that sends a byte now and
        // then. Later a client may be silent for as long.
        let deadline = Instant::now() + PATIENCE;
        let authenticated =
            self.do_authentication(key, &mut DeadlineStream::new(&mut stream, deadline));
        stream.set_read_timeout(Some(PATIENCE))?;
        // However it ended, the half-open context is of no use any more.
        self.conversations
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&key);
        let mut context = authenticated?;
        let client = context.peer().ok_or("the client has no name")?.to_string();
        println!("{client}, {}", context.flags());
        while let Some(message) = receive(&mut stream)? {
            let request = context.unwrap(&message)?;
            if !request.sealed {
                return Err("the request is not sealed".into());
            }
            let mut answer = format!("{client} says: ").into_bytes();
            answer.extend_from_slice(&request.message);
            send(&mut stream, &context.wrap(true, &answer)?)?;
        }
        Ok(client)
    }

    /// Receives the client's tokens and sends our answers until both sides are authenticated.
    fn do_authentication(
        &self,
        key: u64,
        stream: &mut (impl Read + Write),
    ) -> Result<Box<SecurityContext>> {
        for _ in 0..MAX_ROUNDS {
            let token = receive(stream)?.ok_or("the client closed before it was authenticated")?;
            let answer = match self.generate_server_context(key, &token) {
                Ok(answer) => answer,
                Err(error) => {
                    // Some errors have a token that tells the client why.
                    if let Some(token) = error.token() {
                        send(stream, token)?;
                    }
                    return Err(error.into());
                }
            };
            if !answer.token.is_empty() {
                send(stream, &answer.token)?;
            }
            if let Some(context) = answer.established {
                // Required above already; the flags are only to be believed now.
                if !context.flags().contains(Flags::MUTUAL) {
                    return Err("the client does not want to know who we are".into());
                }
                return Ok(context);
            }
        }
        Err("the authentication does not come to an end".into())
    }

    /// Takes the half-open context of a connection one step further.
    fn generate_server_context(
        &self,
        key: u64,
        token: &[u8],
    ) -> std::result::Result<Answer, countersign::Error> {
        let table = || {
            self.conversations
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        let known = table().remove(&key);
        let mut acceptor = known.unwrap_or_else(|| {
            Acceptor::new(&self.credential)
                .require(Flags::MUTUAL | Flags::CONFIDENTIALITY | Flags::INTEGRITY)
        });
        let mut system = SystemEnvironment::new();
        let step = acceptor.step(Some(token), &mut system.environment())?;
        Ok(match step {
            Step::Established { token, context } => Answer {
                token: token.unwrap_or_default(),
                established: Some(context),
            },
            Step::Continue { token } => {
                table().insert(key, acceptor);
                Answer {
                    token,
                    established: None,
                }
            }
            // This credential remembers authenticators itself and asks nobody.
            Step::Need(_) => Answer {
                token: Vec::new(),
                established: None,
            },
        })
    }
}
