//! One side of an NTLM context, whoever implements it.

use crate::side::{Handshake, Refusal};

/// The host whom every initiator wants to speak with, and that every acceptor is, its service HTTP.
pub(super) const SERVER: &str = "server.test";

/// How NTLM is carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mech {
    /// MS-NLMP's three messages as they are.
    Raw,
    /// Within SPNEGO, as the only mechanism that is offered.
    Spnego,
}

impl Mech {
    pub(super) const ALL: [Self; 2] = [Self::Raw, Self::Spnego];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Spnego => "SPNEGO",
        }
    }
}

/// Somebody with a password.
#[derive(Clone, Copy, Debug)]
pub(super) struct User {
    pub(super) domain: &'static str,
    pub(super) name: &'static str,
    pub(super) password: &'static str,
}

impl User {
    /// `DOMAIN\name`.
    pub(super) fn qualified(&self) -> String {
        format!("{}\\{}", self.domain, self.name)
    }
}

/// What an initiator is to do.
#[derive(Clone, Debug)]
pub(super) struct NtlmInitiator {
    pub(super) mech: Mech,
    pub(super) user: User,
    /// `conf`, `integ`; those of the GSS-API.
    pub(super) flags: &'static [&'static str],
    /// Application data of channel bindings.
    pub(super) bindings: Option<&'static [u8]>,
}

/// What an acceptor is to do.
#[derive(Clone, Debug)]
pub(super) struct NtlmAcceptor {
    pub(super) mech: Mech,
    /// Whom it knows; some know the first only.
    pub(super) users: &'static [User],
    pub(super) bindings: Option<&'static [u8]>,
}

/// What a side says of its established context, where it says so.
#[derive(Debug, Default)]
pub(super) struct NtlmFacts {
    /// `DOMAIN\name` of the initiator.
    pub(super) user: Option<String>,
    /// Granted flags by name.
    pub(super) flags: Option<Vec<String>>,
}

/// One side of a context. Of those that protect no messages only the first four work.
pub(super) trait NtlmSide: Handshake {
    fn start_initiator(&mut self, setup: &NtlmInitiator) -> Result<(), Refusal>;
    fn start_acceptor(&mut self, setup: &NtlmAcceptor) -> Result<(), Refusal>;
    fn facts(&mut self) -> Result<NtlmFacts, Refusal>;
    /// MS-NLMP's ExportedSessionKey.
    fn session_key(&mut self) -> Result<Vec<u8>, Refusal>;

    /// A 16-byte signature (MS-NLMP §2.2.2.9) and the message, sealed or in clear.
    fn wrap(&mut self, _seal: bool, _message: &[u8]) -> Result<Vec<u8>, Refusal> {
        unable()
    }

    /// Nothing in a token says whether it is sealed.
    fn unwrap(&mut self, _sealed: bool, _token: &[u8]) -> Result<Vec<u8>, Refusal> {
        unable()
    }

    fn mic(&mut self, _message: &[u8]) -> Result<Vec<u8>, Refusal> {
        unable()
    }

    fn verify(&mut self, _message: &[u8], _mic: &[u8]) -> Result<(), Refusal> {
        unable()
    }
}

fn unable<T>() -> Result<T, Refusal> {
    Err("protects no messages".to_owned().into())
}
