//! An HTTP service that authenticates its clients by NTLM.
//!
//! Shows NTLM over HTTP (MS-NTHT): its three messages are in the headers of requests and answers of
//! one connection. The half-open context belongs to that connection and to no other, and who was
//! authenticated stays so until the connection ends, also for requests without any header.
//!
//! ```text
//! cargo run --example http_service --features ntlm -- 127.0.0.1:8080 users.txt mic-if-present
//! curl --ntlm --user 'EXAMPLE\alice:open sesame' http://127.0.0.1:8080/
//! ```
//!
//! `mic-if-present` is for curl, which sends no MIC. A service for others than this machine is behind
//! TLS, and gives its acceptors `ChannelBindings::tls_server_end_point`; nothing that shares
//! connections between clients, such as a proxy, may stand in front of it. The page
//! docs/guide/ntlm.md has more.
#![allow(dead_code, reason = "a test includes this file as a module")]

use std::error::Error;
use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use countersign::credential::ntlm::{AccountName, Users};
use countersign::crypto::Zeroizing;
use countersign::handshake::{SystemEnvironment, blocking::DeadlineStream};
use countersign::ntlm::{Acceptor, AcceptorCredential, ServerNames};
use countersign::{Identity, Mechanism, MicPolicy, NtlmPolicy, Policy, Step};
use data_encoding::BASE64;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Longest head of a request, which holds the token.
const MAX_HEAD: usize = 32 * 1024;
const MAX_HEADERS: usize = 64;
/// Longest body of a request. It is read, and nothing is made of it.
const MAX_BODY: u64 = 1024 * 1024;
/// How long a client may take to send a request, and to take the answer.
const PATIENCE: Duration = Duration::from_secs(30);

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("http_service: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let (address, path, mic) = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [address, path] => (address, path, MicPolicy::Required),
        [address, path, "mic-if-present"] => (address, path, MicPolicy::IfPresent),
        _ => return Err("usage: http_service ADDRESS USERS [mic-if-present]".into()),
    };
    let file = Zeroizing::new(std::fs::read(path).map_err(|error| format!("{path}: {error}"))?);
    let users = Users::parse(&file).map_err(|error| format!("{path}: {error}"))?;
    let names = ServerNames::new("WWW", "EXAMPLE")?;
    let service = Arc::new(Service::new(names, users, mic));
    let listener = TcpListener::bind(address).map_err(|error| format!("{address}: {error}"))?;
    println!("listening on http://{}/", listener.local_addr()?);
    for stream in listener.incoming() {
        let service = Arc::clone(&service);
        // A connection that is gone before it was accepted is no reason to stop.
        let Ok(stream) = stream else { continue };
        thread::spawn(move || {
            if let Err(error) = service.serve(stream) {
                eprintln!("{error}");
            }
        });
    }
    Ok(())
}

/// What all connections share.
pub(crate) struct Service {
    credential: AcceptorCredential,
    policy: Policy,
}

/// Who the client of a connection is.
enum Client {
    Unknown,
    /// The context waits for the last message. It lives and dies with the connection.
    HalfOpen(Box<dyn Mechanism>),
    Known(AccountName),
}

impl Service {
    pub(crate) fn new(names: ServerNames, users: Users, mic: MicPolicy) -> Self {
        Self {
            credential: AcceptorCredential::new(names).with_users(users),
            policy: Policy::default().with_ntlm(NtlmPolicy::default().with_mic(mic)),
        }
    }

    /// Serves one connection until either side closes it.
    pub(crate) fn serve(&self, stream: TcpStream) -> Result<()> {
        let from = stream.peer_addr()?;
        let mut wire = Wire {
            stream,
            received: Vec::new(),
        };
        let mut client = Client::Unknown;
        loop {
            let request = match wire.request()? {
                Incoming::Request(request) => request,
                Incoming::Refused(status) => {
                    return Ok(wire.answer(&Answer::refused(status), false)?);
                }
                Incoming::Closed => return Ok(()),
            };
            let mut answer = self.answer(&mut client, &request, from);
            answer.close |= request.close;
            wire.answer(&answer, request.head)?;
            if answer.close {
                return Ok(());
            }
        }
    }

    fn answer(&self, client: &mut Client, request: &Request, from: SocketAddr) -> Answer {
        let Some(token) = &request.token else {
            return match client {
                Client::Known(account) => Answer::page(account),
                // Who begins and then asks without a token has given up.
                Client::HalfOpen(_) | Client::Unknown => {
                    *client = Client::Unknown;
                    Answer::unauthorized(None)
                }
            };
        };
        // A first message begins anew, and until that is proved the client is nobody again.
        let mut acceptor = match std::mem::replace(client, Client::Unknown) {
            Client::HalfOpen(acceptor) => acceptor,
            Client::Unknown | Client::Known(_) => Box::new(Acceptor::new(&self.credential)),
        };
        let mut system = SystemEnvironment::new().with_policy(self.policy.clone());
        match acceptor.step(Some(token), &mut system.environment()) {
            Ok(Step::Continue { token }) => {
                *client = Client::HalfOpen(acceptor);
                Answer::unauthorized(Some(&token))
            }
            Ok(Step::Established { context, .. }) => {
                match context.peer().and_then(Identity::account) {
                    Some(account) => {
                        println!("{from}: {account}");
                        let page = Answer::page(account);
                        *client = Client::Known(account.clone());
                        page
                    }
                    None => Answer::refused("403 Forbidden"),
                }
            }
            // This credential has users of its own and asks nobody.
            Ok(Step::Need(_)) => Answer::refused("500 Internal Server Error"),
            Err(error) => {
                // The log says why; the client learns that it was refused and no more.
                eprintln!("{from}: {error}");
                Answer {
                    close: true,
                    ..Answer::unauthorized(None)
                }
            }
        }
    }
}

/// What of a request matters here.
struct Request {
    /// From `Authorization: NTLM`.
    token: Option<Vec<u8>>,
    /// The client wants the head of the answer alone.
    head: bool,
    /// The client wants no further request on this connection.
    close: bool,
}

enum Incoming {
    Request(Request),
    /// With this status, and the connection ends: where the next request begins is not known.
    Refused(&'static str),
    Closed,
}

struct Answer {
    status: &'static str,
    /// `WWW-Authenticate`, MS-NTHT §2.2.1.
    challenge: Option<String>,
    body: String,
    close: bool,
}

impl Answer {
    fn page(account: &AccountName) -> Self {
        Self {
            status: "200 OK",
            challenge: None,
            body: format!("hello {account}\n"),
            close: false,
        }
    }

    fn unauthorized(token: Option<&[u8]>) -> Self {
        let challenge = match token {
            Some(token) => format!("NTLM {}", BASE64.encode(token)),
            None => "NTLM".to_owned(),
        };
        Self {
            status: "401 Unauthorized",
            challenge: Some(challenge),
            body: "who goes there?\n".to_owned(),
            close: false,
        }
    }

    fn refused(status: &'static str) -> Self {
        Self {
            status,
            challenge: None,
            body: format!("{status}\n"),
            close: true,
        }
    }
}

/// A connection, and what was received beyond the last request.
struct Wire {
    stream: TcpStream,
    received: Vec<u8>,
}

/// How long a body is, and whether the client waits for permission to send it.
struct Body {
    length: u64,
    expected: bool,
}

impl Wire {
    /// The next request; its body is read and forgotten.
    fn request(&mut self) -> Result<Incoming> {
        // All of the request has this long, also from a client that sends a byte now and then.
        let deadline = Instant::now() + PATIENCE;
        let mut stream = DeadlineStream::new(&mut self.stream, deadline);
        loop {
            match head(&self.received) {
                Err(status) => return Ok(Incoming::Refused(status)),
                Ok(Some((length, request, body))) => {
                    self.received.drain(..length);
                    if body.expected {
                        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
                    }
                    let here = self.received.len().min(usize::try_from(body.length)?);
                    self.received.drain(..here);
                    let missing = body.length - u64::try_from(here)?;
                    let read = io::copy(&mut (&mut stream).take(missing), &mut io::sink())?;
                    if read < missing {
                        return Err("the client closed in the middle of a request".into());
                    }
                    return Ok(Incoming::Request(request));
                }
                Ok(None) if self.received.len() >= MAX_HEAD => {
                    let status = "431 Request Header Fields Too Large";
                    return Ok(Incoming::Refused(status));
                }
                Ok(None) => {}
            }
            let mut bytes = [0; 4096];
            match stream.read(&mut bytes)? {
                0 if self.received.is_empty() => return Ok(Incoming::Closed),
                0 => return Err("the client closed in the middle of a request".into()),
                count => self.received.extend_from_slice(&bytes[..count]),
            }
        }
    }

    fn answer(&mut self, answer: &Answer, head: bool) -> io::Result<()> {
        let (status, body) = (answer.status, &answer.body);
        let length = body.len();
        let mut text = format!(
            "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nCache-Control: \
             no-store\r\nContent-Length: {length}\r\n"
        );
        if let Some(challenge) = &answer.challenge {
            // Writing to a string does not fail.
            let _ = write!(text, "WWW-Authenticate: {challenge}\r\n");
        }
        if answer.close {
            text.push_str("Connection: close\r\n");
        }
        text.push_str("\r\n");
        if !head {
            text.push_str(body);
        }
        let deadline = Instant::now() + PATIENCE;
        DeadlineStream::new(&mut self.stream, deadline).write_all(text.as_bytes())
    }
}

/// A request's head and its length, or the status that refuses it; `None` until it is whole.
fn head(bytes: &[u8]) -> std::result::Result<Option<(usize, Request, Body)>, &'static str> {
    const BAD: &str = "400 Bad Request";
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    let length = match parsed.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(_) => return Err(BAD),
    };
    // Two headers of one of these names could be read in two ways.
    let one = |name: &str| {
        let mut found = parsed
            .headers
            .iter()
            .filter(|header| header.name.eq_ignore_ascii_case(name))
            .map(|header| core::str::from_utf8(header.value).map_err(|_| BAD));
        match (found.next(), found.next()) {
            (first, None) => first.transpose(),
            (_, Some(_)) => Err(BAD),
        }
    };
    let token = match one("Authorization")? {
        Some(value) => Some(token(value).ok_or(BAD)?),
        None => None,
    };
    if one("Transfer-Encoding")?.is_some() {
        return Err("501 Not Implemented");
    }
    let body = match one("Content-Length")? {
        Some(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => {
            text.parse().map_err(|_| BAD)?
        }
        Some(_) => return Err(BAD),
        None => 0,
    };
    if body > MAX_BODY {
        return Err("413 Content Too Large");
    }
    // NTLM needs connections that go on, which HTTP/1.0 has not of itself.
    let close = parsed.version != Some(1)
        || one("Connection")?.is_some_and(|value| value.eq_ignore_ascii_case("close"));
    let head = parsed.method == Some("HEAD");
    let expected = one("Expect")?.is_some_and(|value| value.eq_ignore_ascii_case("100-continue"));
    let body = Body {
        length: body,
        expected,
    };
    Ok(Some((length, Request { token, head, close }, body)))
}

/// The token of `NTLM base64`, MS-NTHT §2.2.2.
fn token(value: &str) -> Option<Vec<u8>> {
    let (scheme, token) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("NTLM") {
        return None;
    }
    BASE64.decode(token.trim().as_bytes()).ok()
}
