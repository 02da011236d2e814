//! Samba's `ntlm_auth` with its line protocols on standard input, as an acceptor and as a client.
//!
//! As an acceptor it asks winbindd, unless the command line has a user and a password: then it knows that
//! password alone and needs no daemon. What it cannot do (4.17): channel bindings, protecting messages;
//! `gss-spnego-client` names neither flags nor session key; its client always asks for signing.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::base64::encode;
use crate::ntlm::helper::{Heard, Helper, heard};
use crate::ntlm::lab::{COMPUTER, Lab};
use crate::ntlm::side::{Mech, NtlmAcceptor, NtlmFacts, NtlmInitiator, NtlmSide, User};
use crate::side::{Handshake, Refusal, Stepped};

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

/// `ntlm_auth` as either side, with the password of the one user on its command line.
pub(super) struct NtlmAuth<'l> {
    lab: &'l Lab,
    configuration: PathBuf,
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

    fn command(&self, user: &User) -> Command {
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
        let stepped = match &mut self.state {
            State::Server(server) => server.step(token)?,
            State::Client(client, _) => client.step(token)?,
            State::Idle => return Err("ntlm_auth: not started".to_owned().into()),
        };
        if let Some(token) = &stepped.token {
            self.lab.recording().keep("step", token)?;
        }
        Ok(stepped)
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
