//! Drives the programs that speak the protocol of `tests/peers/gss_peer.c`: itself with gss-ntlmssp,
//! `spnego_peer.py` and `sspi_peer/`.

use crate::Result;
use crate::frames::{Frames, hex};
use crate::ntlm::lab::Lab;
use crate::ntlm::side::{Mech, NtlmAcceptor, NtlmFacts, NtlmInitiator, NtlmSide, SERVER};
use crate::programs;
use crate::script;
use crate::side::{Handshake, Refusal, Stepped};

/// A program as a side.
pub(super) struct Program<'l> {
    lab: &'l Lab,
    frames: Frames,
    /// Whether `wrap conf=0` signs only. gss-ntlmssp 1.2 seals whatever conf_req_flag says, and opens only
    /// what is sealed; its signature before the message is the same token.
    signs_only: bool,
}

impl<'l> Program<'l> {
    pub(super) fn gss_ntlmssp(lab: &'l Lab) -> Result<Self> {
        let mut command = lab.command(lab.gss_peer());
        Ok(Self {
            lab,
            frames: Frames::start("gss-ntlmssp", &mut command, lab.recording().clone())?,
            signs_only: false,
        })
    }

    pub(super) fn pyspnego(lab: &'l Lab) -> Result<Self> {
        let mut command = lab.command(programs::python());
        command.arg(script::path("spnego_peer.py"));
        Ok(Self {
            lab,
            frames: Frames::start("pyspnego", &mut command, lab.recording().clone())?,
            signs_only: true,
        })
    }

    pub(super) fn sspi(lab: &'l Lab) -> Result<Self> {
        let mut command = lab.command(programs::sspi_peer()?);
        Ok(Self {
            lab,
            frames: Frames::start("sspi", &mut command, lab.recording().clone())?,
            signs_only: true,
        })
    }

    fn ask(&mut self, line: &str, data: &[u8]) -> Result<Vec<u8>, Refusal> {
        Ok(self.frames.ask(line, data)?.data)
    }
}

const fn mech(mech: Mech) -> &'static str {
    match mech {
        Mech::Raw => "mech=ntlm",
        Mech::Spnego => "mech=spnego offers=ntlm",
    }
}

fn bindings(bindings: Option<&[u8]>) -> String {
    bindings.map_or_else(String::new, |data| format!(" bindings={}", hex(data)))
}

impl Handshake for Program<'_> {
    fn step(&mut self, token: Option<&[u8]>) -> Result<Stepped, Refusal> {
        self.frames.step(token)
    }
}

impl NtlmSide for Program<'_> {
    fn start_initiator(&mut self, setup: &NtlmInitiator) -> Result<(), Refusal> {
        let line = format!(
            "initiator target=HTTP@{SERVER} {} flags={} user={} password={} mic=1{}",
            mech(setup.mech),
            setup.flags.join(","),
            setup.user.qualified(),
            hex(setup.user.password.as_bytes()),
            bindings(setup.bindings),
        );
        self.ask(&line, &[]).map(|_| ())
    }

    fn start_acceptor(&mut self, setup: &NtlmAcceptor) -> Result<(), Refusal> {
        // gss-ntlmssp 1.2 ends with a null pointer when an acceptor without a name is inquired.
        let line = format!(
            "acceptor name=HTTP@{SERVER} {} users={}{}",
            mech(setup.mech),
            self.lab.users(setup.users)?.display(),
            bindings(setup.bindings),
        );
        self.ask(&line, &[]).map(|_| ())
    }

    fn facts(&mut self) -> Result<NtlmFacts, Refusal> {
        let reply = self.frames.ask("inquire", &[])?;
        let user = reply.value("source");
        let flags = reply.value("flags");
        Ok(NtlmFacts {
            user: (user != "-").then(|| user.to_owned()),
            // The sspi crate tells none.
            flags: (self.frames.name() != "sspi")
                .then(|| flags.split(',').map(str::to_owned).collect()),
        })
    }

    fn session_key(&mut self) -> Result<Vec<u8>, Refusal> {
        self.ask("session-key", &[])
    }

    fn wrap(&mut self, seal: bool, message: &[u8]) -> Result<Vec<u8>, Refusal> {
        if !seal && !self.signs_only {
            let signature = self.mic(message)?;
            return Ok([&signature, message].concat());
        }
        self.ask(&format!("wrap conf={}", u8::from(seal)), message)
    }

    fn unwrap(&mut self, sealed: bool, token: &[u8]) -> Result<Vec<u8>, Refusal> {
        if !sealed && !self.signs_only {
            let (signature, message) = token
                .split_at_checked(16)
                .ok_or_else(|| "a token without a signature".to_owned())?;
            self.verify(message, signature)?;
            return Ok(message.to_vec());
        }
        self.ask(&format!("unwrap conf={}", u8::from(sealed)), token)
    }

    fn mic(&mut self, message: &[u8]) -> Result<Vec<u8>, Refusal> {
        self.ask("mic", message)
    }

    fn verify(&mut self, message: &[u8], mic: &[u8]) -> Result<(), Refusal> {
        self.ask(&format!("verify mic={}", hex(mic)), message)?;
        Ok(())
    }
}
