//! Samba's `ntlm_auth` with its line protocols on standard input: as an acceptor, as a client, and as the one
//! who asks a domain controller.
//!
//! As an acceptor it asks winbindd, unless the command line has a user and a password: then it knows that
//! user alone and needs no daemon. What it cannot do (4.17): channel bindings, protecting messages;
//! `gss-spnego-client` names neither flags nor session key; its client always asks for signing.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use crate::Result;
use crate::frames::{hex, unhex};
use crate::ntlm::base64::{decode, encode};
use crate::ntlm::lab::{COMPUTER, Lab};
use crate::ntlm::side::{Mech, NtlmAcceptor, NtlmFacts, NtlmInitiator, NtlmSide};
use crate::process::PATIENCE;
use crate::side::{Handshake, Refusal, Stepped};

/// NTLMSSP_NEGOTIATE_SIGN and NTLMSSP_NEGOTIATE_SEAL (MS-NLMP §2.2.2.5).
const FLAGS: [(&str, u32); 2] = [("integ", 0x10), ("conf", 0x20)];

/// A helper, a line for each line.
struct Helper {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Helper {
    fn start(mut command: Command, protocol: &str) -> Result<Self> {
        let mut child = command
            .arg(format!("--helper-protocol={protocol}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|e| format!("ntlm_auth: {e}"))?;
        let input = child.stdin.take();
        let output = child.stdout.take().ok_or("ntlm_auth has no output")?;
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Self {
            child,
            input,
            lines,
        })
    }

    fn say(&mut self, line: &str) -> Result<()> {
        let input = self.input.as_mut().ok_or("ntlm_auth is gone")?;
        writeln!(input, "{line}").map_err(|e| format!("ntlm_auth is gone: {e}"))
    }

    fn hear(&self) -> Result<String> {
        let line = self.lines.recv_timeout(PATIENCE);
        line.map_err(|_| "ntlm_auth does not answer".into())
    }

    fn ask(&mut self, line: &str) -> Result<String> {
        self.say(line)?;
        self.hear()
    }

    /// What the security context says behind a two-letter question.
    fn context(&mut self, question: &str) -> Result<String> {
        let answer = self.ask(question)?;
        match answer.split_once(' ') {
            Some((kind, value)) if kind == question => Ok(value.to_owned()),
            _ => Err(format!("ntlm_auth: {question}: {answer}")),
        }
    }

    fn session_key(&mut self) -> Result<Vec<u8>> {
        let key = self.context("GK")?;
        decode(&key).ok_or_else(|| format!("ntlm_auth: no base64: {key}"))
    }

    fn flags(&mut self) -> Result<Vec<String>> {
        let text = self.context("GF")?;
        let bits = u32::from_str_radix(text.trim_start_matches("0x"), 16);
        let bits = bits.map_err(|e| format!("ntlm_auth: {text}: {e}"))?;
        let granted = FLAGS.iter().filter(|(_, flag)| bits & flag != 0);
        Ok(granted.map(|(name, _)| (*name).to_owned()).collect())
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What an answer to a token came to.
enum Heard {
    Token(Vec<u8>),
    Finished(Option<Vec<u8>>, String),
}

/// An answer of one of the protocols: TT, KK and YR carry a token, AF says that it is over.
fn heard(answer: &str, with_token: bool) -> Result<Heard, Refusal> {
    let mut words = answer.splitn(3, ' ');
    let kind = words.next().unwrap_or_default();
    let mut token = || {
        let word = words.next().filter(|word| *word != "*")?;
        decode(word)
    };
    match kind {
        "TT" | "KK" | "YR" => token()
            .map(Heard::Token)
            .ok_or_else(|| format!("ntlm_auth: {answer}").into()),
        "AF" if with_token => {
            let token = token();
            Ok(Heard::Finished(
                token,
                words.next().unwrap_or_default().to_owned(),
            ))
        }
        "AF" => Ok(Heard::Finished(
            None,
            answer.get(3..).unwrap_or_default().to_owned(),
        )),
        _ => Err(format!("ntlm_auth: {answer}").into()),
    }
}

/// `squid-2.5-ntlmssp` and `gss-spnego`: an acceptor.
pub(crate) struct Server {
    helper: Helper,
    mech: Mech,
    asked: bool,
    user: String,
}

impl Server {
    /// An acceptor whose `ntlm_auth` has these options.
    pub(crate) fn start(command: Command, spnego: bool) -> Result<Self> {
        let (mech, protocol) = match spnego {
            true => (Mech::Spnego, "gss-spnego"),
            false => (Mech::Raw, "squid-2.5-ntlmssp"),
        };
        let mut helper = Helper::start(command, protocol)?;
        helper.ask("SF NTLMSSP_FEATURE_SESSION_KEY")?;
        Ok(Self {
            helper,
            mech,
            asked: false,
            user: String::new(),
        })
    }

    pub(crate) fn user(&self) -> &str {
        &self.user
    }

    pub(crate) fn session_key(&mut self) -> Result<Vec<u8>> {
        self.helper.session_key()
    }
}

impl Handshake for Server {
    fn step(&mut self, token: Option<&[u8]>) -> Result<Stepped, Refusal> {
        let verb = if self.asked { "KK" } else { "YR" };
        self.asked = true;
        let token = encode(token.unwrap_or_default());
        let answer = self.helper.ask(&format!("{verb} {token}"))?;
        match heard(&answer, self.mech == Mech::Spnego)? {
            Heard::Token(token) => Ok(Stepped {
                token: Some(token),
                complete: false,
            }),
            Heard::Finished(token, user) => {
                self.user = user;
                Ok(Stepped {
                    token,
                    complete: true,
                })
            }
        }
    }
}

/// `ntlmssp-client-1` and `gss-spnego-client`.
pub(crate) struct Client {
    helper: Helper,
    mech: Mech,
    asked: bool,
}

impl Client {
    /// A client whose `ntlm_auth` has these options, a user and a password among them.
    pub(crate) fn start(command: Command, spnego: bool, flags: &[&str]) -> Result<Self> {
        let (mech, protocol) = match spnego {
            true => (Mech::Spnego, "gss-spnego-client"),
            false => (Mech::Raw, "ntlmssp-client-1"),
        };
        let mut helper = Helper::start(command, protocol)?;
        let mut features = "SF NTLMSSP_FEATURE_SESSION_KEY".to_owned();
        for (flag, feature) in [("integ", "SIGN"), ("conf", "SEAL")] {
            if flags.contains(&flag) {
                features.push_str(&format!(" NTLMSSP_FEATURE_{feature}"));
            }
        }
        helper.ask(&features)?;
        Ok(Self {
            helper,
            mech,
            asked: false,
        })
    }

    pub(crate) fn session_key(&mut self) -> Result<Vec<u8>> {
        self.helper.session_key()
    }
}

impl Handshake for Client {
    fn step(&mut self, token: Option<&[u8]>) -> Result<Stepped, Refusal> {
        let answer = match token {
            Some(token) => self.helper.ask(&format!("TT {}", encode(token)))?,
            None if self.asked => return Err("ntlm_auth: no token".to_owned().into()),
            None => self.helper.ask("YR")?,
        };
        self.asked = true;
        match heard(&answer, true)? {
            Heard::Token(token) => Ok(Stepped {
                token: Some(token),
                complete: false,
            }),
            Heard::Finished(token, _) => Ok(Stepped {
                token,
                complete: true,
            }),
        }
    }
}

/// `ntlm-server-1`: asks winbindd whether a response is the right one, as an acceptor asks that has the
/// response already.
pub(crate) struct Verifier {
    helper: Helper,
}

impl Verifier {
    pub(crate) fn start(command: Command) -> Result<Self> {
        let helper = Helper::start(command, "ntlm-server-1")?;
        Ok(Self { helper })
    }

    /// The session base key, if the domain controller finds that the response answers the challenge.
    pub(crate) fn verify(
        &mut self,
        domain: &str,
        user: &str,
        challenge: &[u8],
        nt_response: &[u8],
    ) -> Result<Vec<u8>> {
        for line in [
            format!("Username:: {}", encode(user.as_bytes())),
            format!("NT-Domain:: {}", encode(domain.as_bytes())),
            format!("LANMAN-Challenge: {}", hex(challenge)),
            format!("NT-Response: {}", hex(nt_response)),
            "Request-User-Session-Key: Yes".to_owned(),
            ".".to_owned(),
        ] {
            self.helper.say(&line)?;
        }
        let (mut authenticated, mut key, mut error) = (None, Vec::new(), String::new());
        loop {
            let line = self.helper.hear()?;
            match line.split_once(": ") {
                Some(("Authenticated", value)) => authenticated = Some(value == "Yes"),
                Some(("User-Session-Key", value)) => key = unhex(value),
                Some(("Authentication-Error", value)) => error = value.to_owned(),
                // A refusal ends with two of these: one may be left of the question before.
                None if line == "." && authenticated.is_some() => break,
                _ => {}
            }
        }
        match authenticated {
            Some(true) => Ok(key),
            _ => Err(format!("ntlm_auth: {error}")),
        }
    }
}

/// `ntlm_auth` as either side, with the password of the one user on its command line.
pub(super) struct NtlmAuth<'l> {
    lab: &'l Lab,
    configuration: std::path::PathBuf,
    state: State,
}

enum State {
    Idle,
    Server(Server),
    Client(Client, String),
}

impl<'l> NtlmAuth<'l> {
    pub(super) fn new(lab: &'l Lab) -> Result<Self> {
        let configuration = lab.write("smb.conf", &configuration(&lab.path("samba")))?;
        let folder = lab.path("samba");
        std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        Ok(Self {
            lab,
            configuration,
            state: State::Idle,
        })
    }

    fn command(&self, user: &crate::ntlm::side::User) -> Command {
        let mut command = self.lab.command("ntlm_auth");
        command
            .arg(format!("--configfile={}", self.configuration.display()))
            .arg(format!("--domain={}", user.domain))
            .arg(format!("--username={}", user.name))
            .arg(format!("--password={}", user.password));
        command
    }
}

/// A server of nothing, whose files are all in that folder.
fn configuration(folder: &Path) -> String {
    let mut text = format!(
        "[global]\nworkgroup = DOM\nnetbios name = {COMPUTER}\nserver role = standalone server\n\
         unix charset = UTF-8\n"
    );
    for key in [
        "private dir",
        "state directory",
        "cache directory",
        "lock directory",
        "pid directory",
        "ncalrpc dir",
        "log file",
    ] {
        text.push_str(&format!("{key} = {}\n", folder.join(key).display()));
    }
    text
}

impl Handshake for NtlmAuth<'_> {
    fn step(&mut self, token: Option<&[u8]>) -> Result<Stepped, Refusal> {
        match &mut self.state {
            State::Server(server) => server.step(token),
            State::Client(client, _) => client.step(token),
            State::Idle => Err("ntlm_auth: not started".to_owned().into()),
        }
    }
}

impl NtlmSide for NtlmAuth<'_> {
    fn start_initiator(&mut self, setup: &NtlmInitiator) -> Result<(), Refusal> {
        let command = self.command(&setup.user);
        let client = Client::start(command, setup.mech == Mech::Spnego, setup.flags)?;
        self.state = State::Client(client, setup.user.qualified());
        Ok(())
    }

    fn start_acceptor(&mut self, setup: &NtlmAcceptor) -> Result<(), Refusal> {
        let user = setup.users.first().ok_or("no user".to_owned())?;
        let command = self.command(user);
        self.state = State::Server(Server::start(command, setup.mech == Mech::Spnego)?);
        Ok(())
    }

    fn facts(&mut self) -> Result<NtlmFacts, Refusal> {
        Ok(match &mut self.state {
            State::Server(server) => NtlmFacts {
                user: Some(server.user().to_owned()),
                flags: Some(server.helper.flags()?),
            },
            State::Client(client, _) if client.mech == Mech::Spnego => NtlmFacts::default(),
            State::Client(client, user) => NtlmFacts {
                user: Some(user.clone()),
                flags: Some(client.helper.flags()?),
            },
            State::Idle => NtlmFacts::default(),
        })
    }

    fn session_key(&mut self) -> Result<Vec<u8>, Refusal> {
        match &mut self.state {
            State::Server(server) => Ok(server.session_key()?),
            State::Client(client, _) => Ok(client.session_key()?),
            State::Idle => Err("ntlm_auth: not started".to_owned().into()),
        }
    }
}
