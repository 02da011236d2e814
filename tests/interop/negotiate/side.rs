//! One side of a negotiated context, whoever implements it.

use crate::side::{Handshake, Refusal};

/// The host that every acceptor is, its service HTTP.
pub(super) const SERVER: &str = "www.peer.test";

/// A mechanism that is negotiated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Offer {
    Kerberos,
    Ntlm,
}

impl Offer {
    /// As the protocol of `gss_peer.c` names it.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Kerberos => "krb5",
            Self::Ntlm => "ntlm",
        }
    }

    /// The initiator, as acceptors call him.
    pub(super) const fn user(self) -> &'static str {
        match self {
            Self::Kerberos => "alice@COUNTERSIGN.TEST",
            Self::Ntlm => "DOM\\alice",
        }
    }
}

/// What an initiator is to do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Initiates {
    /// In the order of preference.
    pub(super) offers: &'static [Offer],
    /// The realm's credential cache.
    pub(super) cache: &'static str,
}

/// What an acceptor is to do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Accepts {
    pub(super) offers: &'static [Offer],
    /// The realm's keytab.
    pub(super) keytab: &'static str,
    /// Its order of preference counts, not the initiator's.
    pub(super) own_order: bool,
}

/// What a side says of its established context.
#[derive(Debug)]
pub(super) struct Facts {
    /// The initiator; an acceptor always tells.
    pub(super) user: Option<String>,
    pub(super) mechanism: Offer,
    /// Whether the list of mechanisms was proved to be the one that was sent; only ours tells.
    pub(super) proved: Option<bool>,
}

/// One side of a context.
pub(super) trait NegotiateSide: Handshake {
    fn start_initiator(&mut self, setup: &Initiates) -> Result<(), Refusal>;
    fn start_acceptor(&mut self, setup: &Accepts) -> Result<(), Refusal>;
    fn facts(&mut self) -> Result<Facts, Refusal>;
    fn session_key(&mut self) -> Result<Vec<u8>, Refusal>;
    fn wrap(&mut self, seal: bool, message: &[u8]) -> Result<Vec<u8>, Refusal>;
    /// The message, and whether it was sealed.
    fn unwrap(&mut self, token: &[u8]) -> Result<(Vec<u8>, bool), Refusal>;
    fn mic(&mut self, message: &[u8]) -> Result<Vec<u8>, Refusal>;
    fn verify(&mut self, message: &[u8], mic: &[u8]) -> Result<(), Refusal>;
}
