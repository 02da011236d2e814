//! Drives `tests/peers/gss_peer.c`, whose opening comment is the protocol.

use std::path::Path;

use crate::Result;
use crate::frames::{Frames, Reply, hex, unhex};
use crate::lab::Lab;
use crate::side::{
    AcceptorSetup, Bindings, Facts, Handshake, InitiatorSetup, Kind, Opened, Refusal, Scattered,
    Side, Stepped,
};

const SPNEGO: &str = " mech=spnego offers=krb5";

/// The C program as a side of a context.
pub(crate) struct GssPeer {
    program: Frames,
    negotiates: bool,
}

impl GssPeer {
    /// Starts the program, its clock moved by `offset`.
    pub(crate) fn start(lab: &Lab, offset: Option<&str>) -> Result<Self> {
        let mut command = lab.command_at(lab.gss_peer(), offset);
        let program = Frames::start("MIT", &mut command, lab.recording().clone())?;
        Ok(Self {
            program,
            negotiates: false,
        })
    }

    /// Speaks SPNEGO, and offers Kerberos alone in it.
    pub(crate) fn negotiating(mut self) -> Self {
        self.negotiates = true;
        self
    }

    fn ask(&mut self, line: &str, data: &[u8]) -> Result<Reply, Refusal> {
        self.program.ask(line, data)
    }

    fn iov(&mut self, verb: &str, message: &Scattered) -> Result<(Scattered, bool), Refusal> {
        let buffers: Vec<String> = message
            .iter()
            .map(|(kind, contents)| {
                let letter = letter(*kind);
                if contents.is_empty() {
                    letter.to_owned()
                } else {
                    format!("{letter}:{}", hex(contents))
                }
            })
            .collect();
        let reply = self.ask(&format!("{verb} iov={}", buffers.join(",")), &[])?;
        let contents = reply.value("iov").split(',').map(unhex);
        let kinds = message.iter().map(|(kind, _)| *kind);
        Ok((kinds.zip(contents).collect(), reply.value("conf") == "1"))
    }

    /// Copies a credential cache whose clear-text times say `start..end` seconds from now.
    pub(crate) fn rewrite_times(
        &mut self,
        from: &Path,
        to: &Path,
        start: i64,
        end: i64,
    ) -> Result<()> {
        let line = format!(
            "rewrite-times from=FILE:{} to=FILE:{} start={start} end={end}",
            from.display(),
            to.display()
        );
        self.ask(&line, &[])?;
        Ok(())
    }
}

impl Handshake for GssPeer {
    fn step(&mut self, token: Option<&[u8]>) -> Result<Stepped, Refusal> {
        self.program.step(token)
    }
}

impl Side for GssPeer {
    fn start_initiator(&mut self, setup: &InitiatorSetup) -> Result<(), Refusal> {
        let mut line = format!(
            "initiator target=host@{} flags={}",
            setup.host,
            setup.flags.join(",")
        );
        match &setup.through_acceptor {
            Some(keytab) => line.push_str(&format!(
                " mech=iakerb ccache=MEMORY:iakerb client=alice client-keytab=FILE:{}",
                keytab.display()
            )),
            None => line.push_str(&format!(" ccache=FILE:{}", setup.ccache.display())),
        }
        if self.negotiates {
            line.push_str(SPNEGO);
        }
        append_bindings(&mut line, setup.bindings.as_ref());
        self.ask(&line, &[]).map(|_| ())
    }

    fn start_acceptor(&mut self, setup: &AcceptorSetup) -> Result<(), Refusal> {
        let mut line = format!("acceptor keytab=FILE:{}", setup.keytab.display());
        if setup.passes_on {
            line.push_str(" mech=iakerb");
        }
        if self.negotiates {
            line.push_str(SPNEGO);
        }
        append_bindings(&mut line, setup.bindings.as_ref());
        self.ask(&line, &[]).map(|_| ())
    }

    fn facts(&mut self) -> Result<Facts, Refusal> {
        let reply = self.ask("inquire", &[])?;
        Ok(Facts {
            source: reply.value("source").to_owned(),
            target: Some(reply.value("target").to_owned()),
            flags: reply.value("flags").split(',').map(str::to_owned).collect(),
            lifetime: reply.value("lifetime").parse().unwrap_or(0),
            delegated: reply.value("delegated") == "1",
        })
    }

    fn exported_source(&mut self) -> Result<Vec<u8>, Refusal> {
        Ok(self.ask("export-name which=source", &[])?.data)
    }

    fn session_key(&mut self) -> Result<(i32, Vec<u8>), Refusal> {
        let reply = self.ask("session-key", &[])?;
        Ok((reply.value("enctype").parse().unwrap_or(0), reply.data))
    }

    fn store_delegated(&mut self, to: &Path) -> Result<(), Refusal> {
        self.ask(
            &format!("store-delegated ccache=FILE:{}", to.display()),
            &[],
        )
        .map(|_| ())
    }

    fn pass_on(&mut self) -> Result<(), Refusal> {
        let exported = self.ask("export-context", &[])?.data;
        self.ask("import-context", &exported).map(|_| ())
    }

    fn wrap(&mut self, seal: bool, message: &[u8]) -> Result<Vec<u8>, Refusal> {
        let reply = self.ask(&format!("wrap conf={}", u8::from(seal)), message)?;
        if (reply.value("conf") == "1") != seal {
            return Err("gss_wrap did not protect as asked".to_owned().into());
        }
        Ok(reply.data)
    }

    fn unwrap(&mut self, token: &[u8]) -> Result<Opened, Refusal> {
        Ok(opened(self.ask("unwrap", token)?))
    }

    fn mic(&mut self, message: &[u8]) -> Result<Vec<u8>, Refusal> {
        Ok(self.ask("mic", message)?.data)
    }

    fn verify(&mut self, message: &[u8], mic: &[u8]) -> Result<String, Refusal> {
        let reply = self.ask(&format!("verify mic={}", hex(mic)), message)?;
        Ok(reply.value("info").to_owned())
    }

    fn wrap_aead(&mut self, seal: bool, aad: &[u8], message: &[u8]) -> Result<Vec<u8>, Refusal> {
        let line = format!("wrap-aead conf={} associated={}", u8::from(seal), hex(aad));
        Ok(self.ask(&line, message)?.data)
    }

    fn unwrap_aead(&mut self, aad: &[u8], token: &[u8]) -> Result<Opened, Refusal> {
        Ok(opened(self.ask(
            &format!("unwrap-aead associated={}", hex(aad)),
            token,
        )?))
    }

    fn wrap_iov(&mut self, seal: bool, message: Scattered) -> Result<Scattered, Refusal> {
        let (message, sealed) = self.iov(&format!("iov-wrap conf={}", u8::from(seal)), &message)?;
        if sealed != seal {
            return Err("gss_wrap_iov did not protect as asked".to_owned().into());
        }
        Ok(message)
    }

    fn unwrap_iov(&mut self, message: Scattered) -> Result<(Scattered, bool), Refusal> {
        self.iov("iov-unwrap", &message)
    }

    fn mic_iov(&mut self, message: Scattered) -> Result<Scattered, Refusal> {
        Ok(self.iov("iov-mic", &message)?.0)
    }

    fn verify_iov(&mut self, message: Scattered) -> Result<(), Refusal> {
        self.iov("iov-verify", &message).map(|_| ())
    }

    fn prf(&mut self, full: bool, seed: &[u8], length: usize) -> Result<Vec<u8>, Refusal> {
        let key = if full { "full" } else { "partial" };
        Ok(self
            .ask(&format!("prf key={key} length={length}"), seed)?
            .data)
    }

    fn size_limit(&mut self, seal: bool, output: usize) -> Result<usize, Refusal> {
        let line = format!("size-limit conf={} output={output}", u8::from(seal));
        Ok(self.ask(&line, &[])?.value("input").parse().unwrap_or(0))
    }
}

fn append_bindings(line: &mut String, bindings: Option<&Bindings>) {
    let Some(bindings) = bindings else { return };
    line.push_str(&format!(" bindings={}", hex(&bindings.application_data)));
    if let Some((kind, address)) = &bindings.initiator_address {
        line.push_str(&format!(" initiator-address={kind}:{}", hex(address)));
    }
    if let Some((kind, address)) = &bindings.acceptor_address {
        line.push_str(&format!(" acceptor-address={kind}:{}", hex(address)));
    }
}

fn opened(reply: Reply) -> Opened {
    Opened {
        sealed: reply.value("conf") == "1",
        order: reply.value("info").to_owned(),
        message: reply.data,
    }
}

const fn letter(kind: Kind) -> &'static str {
    match kind {
        Kind::Header => "H",
        Kind::Data => "D",
        Kind::SignOnly => "S",
        Kind::Padding => "P",
        Kind::Trailer => "T",
        Kind::Mic => "M",
        Kind::Stream => "X",
    }
}
