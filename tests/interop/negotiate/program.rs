//! Drives the programs that speak the protocol of `tests/peers/gss_peer.c`.

use crate::Result;
use crate::frames::{Frames, hex};
use crate::negotiate::lab::{Lab, PASSWORD};
use crate::negotiate::side::{Accepts, Facts, Initiates, NegotiateSide, Offer, SERVER};
use crate::programs;
use crate::script;
use crate::side::{Handshake, Refusal, Stepped};

/// A program as a side.
pub(super) struct Program<'l> {
    lab: &'l Lab<'l>,
    frames: Frames,
}

impl<'l> Program<'l> {
    /// libgssapi_krb5 with gss-ntlmssp.
    pub(super) fn mit(lab: &'l Lab<'l>) -> Result<Self> {
        let mut command = lab.command(lab.gss_peer());
        // Its acceptors have a cache of replays for a name; what no row asks for is not to be in its way.
        command.env("KRB5RCACHENAME", "none:");
        let frames = Frames::start("MIT", &mut command, lab.recording().clone())?;
        Ok(Self { lab, frames })
    }

    pub(super) fn pyspnego(lab: &'l Lab<'l>) -> Result<Self> {
        let mut command = lab.command(programs::python());
        command.arg(script::path("spnego_peer.py"));
        let frames = Frames::start("pyspnego", &mut command, lab.recording().clone())?;
        Ok(Self { lab, frames })
    }

    pub(super) fn sspi(lab: &'l Lab<'l>) -> Result<Self> {
        let mut command = lab.command(programs::sspi_peer()?);
        let frames = Frames::start("sspi", &mut command, lab.recording().clone())?;
        Ok(Self { lab, frames })
    }

    /// `offers=`, and where the password is that NTLM is to know.
    fn offers(&self, offers: &[Offer]) -> String {
        let words: Vec<&str> = offers.iter().map(|offer| offer.word()).collect();
        let users = match offers.contains(&Offer::Ntlm) {
            true => format!(" users={}", self.lab.scratch("users").display()),
            false => String::new(),
        };
        format!("mech=spnego offers={}{users}", words.join(","))
    }

    fn ask(&mut self, line: &str, data: &[u8]) -> Result<Vec<u8>, Refusal> {
        Ok(self.frames.ask(line, data)?.data)
    }
}

impl Handshake for Program<'_> {
    fn step(&mut self, token: Option<&[u8]>) -> Result<Stepped, Refusal> {
        self.frames.step(token)
    }
}

impl NegotiateSide for Program<'_> {
    fn start_initiator(&mut self, setup: &Initiates) -> Result<(), Refusal> {
        let mut line = format!(
            "initiator target=HTTP@{SERVER} {} flags=mutual,replay,sequence,conf,integ",
            self.offers(setup.offers)
        );
        match self.frames.name() {
            // It has no credential caches, and asks the KDC by itself.
            "sspi" => line.push_str(&format!(
                " user=COUNTERSIGN.TEST\\alice password={} kdc={}",
                hex(PASSWORD.as_bytes()),
                self.lab.kdc()?
            )),
            _ if setup.offers.contains(&Offer::Kerberos) => {
                let cache = self.lab.path(setup.cache);
                line.push_str(&format!(" ccache=FILE:{}", cache.display()));
            }
            _ => line.push_str(" user=DOM\\alice"),
        }
        self.ask(&line, &[]).map(|_| ())
    }

    fn start_acceptor(&mut self, setup: &Accepts) -> Result<(), Refusal> {
        let mut line = format!("acceptor name=HTTP@{SERVER} {}", self.offers(setup.offers));
        if setup.offers.contains(&Offer::Kerberos) {
            let keytab = self.lab.path(setup.keytab);
            line.push_str(&format!(" keytab=FILE:{}", keytab.display()));
        }
        self.ask(&line, &[]).map(|_| ())
    }

    fn facts(&mut self) -> Result<Facts, Refusal> {
        let reply = self.frames.ask("inquire", &[])?;
        let user = reply.value("source");
        let mechanism = match reply.value("mech") {
            "kerberos" | "{.1.2.840.113554.1.2.2.}" => Offer::Kerberos,
            "ntlm" | "{.1.3.6.1.4.1.311.2.2.10.}" => Offer::Ntlm,
            other => return Err(format!("a context of {other}").into()),
        };
        Ok(Facts {
            user: (user != "-").then(|| user.to_owned()),
            mechanism,
            proved: None,
        })
    }

    fn session_key(&mut self) -> Result<Vec<u8>, Refusal> {
        self.ask("session-key", &[])
    }

    fn wrap(&mut self, seal: bool, message: &[u8]) -> Result<Vec<u8>, Refusal> {
        self.ask(&format!("wrap conf={}", u8::from(seal)), message)
    }

    fn unwrap(&mut self, token: &[u8]) -> Result<(Vec<u8>, bool), Refusal> {
        let reply = self.frames.ask("unwrap", token)?;
        let sealed = reply.value("conf") == "1";
        Ok((reply.data, sealed))
    }

    fn mic(&mut self, message: &[u8]) -> Result<Vec<u8>, Refusal> {
        self.ask("mic", message)
    }

    fn verify(&mut self, message: &[u8], mic: &[u8]) -> Result<(), Refusal> {
        self.ask(&format!("verify mic={}", hex(mic)), message)?;
        Ok(())
    }
}
