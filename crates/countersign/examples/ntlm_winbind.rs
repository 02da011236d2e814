//! A service whose NTLM clients are verified by a domain controller, through Samba's winbind.
//!
//! Shows a verifier outside of the process: the engine asks by `Need::Logon` whether a response is
//! right, and the answer comes from `ntlm_auth --helper-protocol=ntlm-server-1`. That speaks
//! lines on its standard input and output and passes them on to winbindd, which needs this
//! machine's account in the domain; whoever runs the service must be in the group that may (on Debian
//! `winbindd_priv`).
//!
//! ```text
//! cargo run --example ntlm_winbind --features ntlm -- 127.0.0.1:4447 SERVER EXAMPLE
//! countersign connect 127.0.0.1:4447 --package ntlm --user 'EXAMPLE\alice' --message hello
//! ```
//!
//! Everything behind SERVER and EXAMPLE, the names of this machine and its domain, is the command
//! to run in place of `ntlm_auth`. The page docs/guide/ntlm.md has more.
#![allow(dead_code, reason = "a test includes this file as a module")]

mod framing;

use std::error::Error;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use countersign::context::ntlm::{Logon, LogonRequest};
use countersign::credential::ntlm::AccountName;
use countersign::crypto::ntlm::SessionKey;
use countersign::handshake::Handshake;
use countersign::ntlm::{Acceptor, AcceptorCredential, ServerNames};
use countersign::{Answer, Flags, Need};
use data_encoding::{BASE64, HEXLOWER, HEXLOWER_PERMISSIVE};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const PATIENCE: Duration = Duration::from_secs(30);

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ntlm_winbind: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [address, computer, domain, command @ ..] = arguments.as_slice() else {
        return Err("usage: ntlm_winbind ADDRESS COMPUTER DOMAIN [COMMAND…]".into());
    };
    let winbind = Arc::new(Winbind::new(command));
    // Without users of its own it asks.
    let credential = AcceptorCredential::new(ServerNames::new(computer, domain)?);
    let listener = TcpListener::bind(address)?;
    println!("listening on {}", listener.local_addr()?);
    for stream in listener.incoming() {
        let (winbind, credential) = (Arc::clone(&winbind), credential.clone());
        // A connection that is gone before it was accepted is no reason to stop.
        let Ok(stream) = stream else { continue };
        thread::spawn(move || match serve(stream, &credential, &winbind) {
            Ok(client) => println!("{client} has gone"),
            Err(error) => eprintln!("{error}"),
        });
    }
    Ok(())
}

/// Serves one client until it closes, and returns who it was.
pub(crate) fn serve(
    mut stream: TcpStream,
    credential: &AcceptorCredential,
    winbind: &Winbind,
) -> Result<String> {
    let acceptor = Acceptor::new(credential).require(Flags::CONFIDENTIALITY | Flags::INTEGRITY);
    let mut context = Handshake::acceptor(acceptor)
        .timeout(PATIENCE)
        .run_on_socket_with(&mut stream, |need| match need {
            Need::Logon(request) => Some(Answer::Logon(winbind.verify(request))),
            _ => None,
        })?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let client = context.peer().ok_or("the client has no name")?.to_string();
    println!("{client}, {}", context.flags());
    while let Some(message) = framing::receive(&mut stream)? {
        let request = context.unwrap(&message)?;
        let answer = format!(
            "{client} says: {}",
            String::from_utf8_lossy(&request.message)
        );
        framing::send(&mut stream, &context.wrap(true, answer.as_bytes())?)?;
    }
    Ok(client)
}

/// `ntlm_auth`, started when it is first needed and again whenever it fails.
///
/// One process answers one question at a time; a busy service keeps several.
pub(crate) struct Winbind {
    command: Vec<String>,
    running: Mutex<Option<Process>>,
}

struct Process {
    child: Child,
    helper: Helper<BufReader<ChildStdout>, ChildStdin>,
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Winbind {
    /// The command, or without one `ntlm_auth`.
    pub(crate) fn new(command: &[String]) -> Self {
        let command = match command {
            [] => ["ntlm_auth", "--helper-protocol=ntlm-server-1"]
                .map(String::from)
                .to_vec(),
            command => command.to_vec(),
        };
        Self {
            command,
            running: Mutex::new(None),
        }
    }

    /// What the domain controller says.
    pub(crate) fn verify(&self, request: &LogonRequest) -> Logon {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = self
            .process(&mut running)
            .and_then(|process| process.helper.ask(request));
        answer.unwrap_or_else(|error| {
            // What it would say next may be about this question still: it must not be taken for the
            // answer to another.
            *running = None;
            eprintln!("{}: {error}", self.command.join(" "));
            Logon::Unavailable
        })
    }

    fn process<'a>(&self, running: &'a mut Option<Process>) -> io::Result<&'a mut Process> {
        if let Some(process) = running {
            return Ok(process);
        }
        let (program, arguments) = self
            .command
            .split_first()
            .ok_or(io::ErrorKind::InvalidInput)?;
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (questions, answers) = pipes.ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(running.insert(Process {
            child,
            helper: Helper::new(BufReader::new(answers), questions),
        }))
    }
}

/// The protocol `ntlm-server-1` (the manual page of `ntlm_auth`): lines of `Name: value`, or
/// `Name:: base64`, and a line with a period behind each question and each answer.
pub(crate) struct Helper<R, W> {
    answers: R,
    questions: W,
}

/// Lines of one answer, and bytes of one line.
const MAX_LINES: usize = 16;
const MAX_LINE: u64 = 4096;

impl<R: BufRead, W: Write> Helper<R, W> {
    pub(crate) fn new(answers: R, questions: W) -> Self {
        Self { answers, questions }
    }

    /// Asks whether the response is right.
    ///
    /// # Errors
    /// The helper is of no use any more.
    pub(crate) fn ask(&mut self, request: &LogonRequest) -> io::Result<Logon> {
        // Before anything else: these names are whatever the client sent.
        let Some(account) = account(request) else {
            return Ok(Logon::Denied);
        };
        self.questions.write_all(question(request).as_bytes())?;
        self.questions.flush()?;
        let Verdict { authenticated, key } = self.verdict()?;
        Ok(match (authenticated, key) {
            (false, _) => Logon::Denied,
            (true, Some(session_base_key)) => Logon::Verified {
                account,
                session_base_key,
            },
            // Whom a domain controller takes for a guest has no key.
            (true, None) => Logon::Guest,
        })
    }

    fn verdict(&mut self) -> io::Result<Verdict> {
        let (mut authenticated, mut key) = (None, None);
        for _ in 0..MAX_LINES {
            let line = self.line()?;
            if line == "." {
                match authenticated {
                    Some(authenticated) => return Ok(Verdict { authenticated, key }),
                    // ntlm_auth ends its refusals with two periods, of which this is the second.
                    None => continue,
                }
            }
            match line.split_once(": ") {
                Some(("Authenticated", "Yes")) if authenticated.is_none() => {
                    authenticated = Some(true);
                }
                Some(("Authenticated", "No")) if authenticated.is_none() => {
                    authenticated = Some(false);
                }
                Some(("User-Session-Key", digits)) => {
                    let bytes = HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok();
                    let bytes = bytes.and_then(|bytes| <[u8; 16]>::try_from(bytes).ok());
                    key = Some(SessionKey::new(bytes.ok_or(io::ErrorKind::InvalidData)?));
                }
                // What ntlm_auth says where there is no winbindd.
                Some(("Authentication-Error", reason @ "Reading winbind reply failed!")) => {
                    return Err(io::Error::other(reason));
                }
                Some(("Authentication-Error", reason)) => eprintln!("refused: {reason}"),
                Some(("Error", reason)) => return Err(io::Error::other(reason)),
                _ => return Err(io::ErrorKind::InvalidData.into()),
            }
        }
        Err(io::ErrorKind::InvalidData.into())
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        (&mut self.answers).take(MAX_LINE).read_line(&mut line)?;
        match line.strip_suffix('\n') {
            Some(line) => Ok(line.to_owned()),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

struct Verdict {
    authenticated: bool,
    key: Option<SessionKey>,
}

/// Who the client is if its response is right. ntlm_auth does not tell the account's own name, as
/// `NetrLogonSamLogonEx` does; so that one account goes by one name, it is written in one way here,
/// and names that a domain controller might read in another are refused.
fn account(request: &LogonRequest) -> Option<AccountName> {
    let (domain, user) = (request.domain(), request.user());
    let plain = |name: &str| name.trim() == name;
    if !plain(domain) || !plain(user) {
        return None;
    }
    AccountName::new(domain.to_uppercase(), user.to_lowercase()).ok()
}

/// Names in base64, so that none of them can be a line of its own. Responses of LM are not passed
/// on: there is nothing in them.
fn question(request: &LogonRequest) -> String {
    let mut lines = format!("Username:: {}\n", BASE64.encode(request.user().as_bytes()));
    if !request.domain().is_empty() {
        let domain = BASE64.encode(request.domain().as_bytes());
        lines.push_str(&format!("NT-Domain:: {domain}\n"));
    }
    let challenge = HEXLOWER.encode(request.server_challenge());
    let response = HEXLOWER.encode(request.nt_response());
    lines.push_str(&format!(
        "LANMAN-Challenge: {challenge}\nNT-Response: {response}\nRequest-User-Session-Key: Yes\n.\n"
    ));
    lines
}
