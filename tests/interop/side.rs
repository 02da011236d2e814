//! One side of a security context, whoever implements it. A scenario is written once against this
//! trait and runs between the C program and itself (the control), and between it and our library.

use std::path::{Path, PathBuf};

/// What an initiator is to do.
#[derive(Clone, Debug, Default)]
pub(crate) struct InitiatorSetup {
    /// The host part of the service name: `aes256-sha1.peer.test`.
    pub(crate) host: String,
    pub(crate) flags: Vec<&'static str>,
    pub(crate) ccache: PathBuf,
    pub(crate) bindings: Option<Bindings>,
    /// IAKERB: the tickets are obtained through the acceptor, with alice's key in this keytab.
    pub(crate) through_acceptor: Option<PathBuf>,
}

/// What an acceptor is to do.
#[derive(Clone, Debug, Default)]
pub(crate) struct AcceptorSetup {
    pub(crate) keytab: PathBuf,
    pub(crate) bindings: Option<Bindings>,
    /// IAKERB: messages to KDCs are passed on.
    pub(crate) passes_on: bool,
}

/// Channel bindings (RFC 2744 §3.11).
#[derive(Clone, Debug, Default)]
pub(crate) struct Bindings {
    pub(crate) initiator_address: Option<(u32, Vec<u8>)>,
    pub(crate) acceptor_address: Option<(u32, Vec<u8>)>,
    pub(crate) application_data: Vec<u8>,
}

/// What one step came to.
#[derive(Debug)]
pub(crate) struct Stepped {
    pub(crate) token: Option<Vec<u8>>,
    pub(crate) complete: bool,
}

/// Why a side refused, and the token that tells its peer.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) reason: String,
    pub(crate) token: Option<Vec<u8>>,
}

impl From<String> for Refusal {
    fn from(reason: String) -> Self {
        Self {
            reason,
            token: None,
        }
    }
}

impl From<Refusal> for String {
    fn from(refusal: Refusal) -> Self {
        refusal.reason
    }
}

/// What a side says of its established context.
#[derive(Debug)]
pub(crate) struct Facts {
    /// The initiator's principal.
    pub(crate) source: String,
    /// The acceptor's principal, `None` if this side does not tell.
    pub(crate) target: Option<String>,
    /// Granted flags by name.
    pub(crate) flags: Vec<String>,
    /// Seconds left.
    pub(crate) lifetime: u64,
    /// Whether a credential was delegated to this side.
    pub(crate) delegated: bool,
}

/// An opened message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Opened {
    pub(crate) message: Vec<u8>,
    pub(crate) sealed: bool,
    /// `none`, `duplicate`, `old`, `unseq` or `gap`.
    pub(crate) order: String,
}

/// What a buffer of a scattered message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Header,
    Data,
    SignOnly,
    Padding,
    Trailer,
    Mic,
    /// A whole token in one buffer; only to open.
    Stream,
}

/// A scattered message: kinds and contents in order. What the mechanism fills in starts empty.
pub(crate) type Scattered = Vec<(Kind, Vec<u8>)>;

/// The contents of the buffers of that kind, one after the other.
pub(crate) fn gather(message: &Scattered, kinds: &[Kind]) -> Vec<u8> {
    message
        .iter()
        .filter(|(kind, _)| kinds.contains(kind))
        .flat_map(|(_, c)| c.clone())
        .collect()
}

/// One side of a handshake, of whatever mechanism.
pub(crate) trait Handshake {
    fn step(&mut self, token: Option<&[u8]>) -> Result<Stepped, Refusal>;
}

/// One side of a Kerberos context.
pub(crate) trait Side: Handshake {
    fn start_initiator(&mut self, setup: &InitiatorSetup) -> Result<(), Refusal>;
    fn start_acceptor(&mut self, setup: &AcceptorSetup) -> Result<(), Refusal>;
    fn facts(&mut self) -> Result<Facts, Refusal>;
    /// The RFC 2743 §3.2 exported name of the initiator.
    fn exported_source(&mut self) -> Result<Vec<u8>, Refusal>;
    /// The key that SSPI calls the session key, and its enctype.
    fn session_key(&mut self) -> Result<(i32, Vec<u8>), Refusal>;
    /// Writes the credential that was delegated to this side as a credential cache.
    fn store_delegated(&mut self, to: &Path) -> Result<(), Refusal>;
    /// Export and import within this side.
    fn pass_on(&mut self) -> Result<(), Refusal>;
    fn wrap(&mut self, seal: bool, message: &[u8]) -> Result<Vec<u8>, Refusal>;
    fn unwrap(&mut self, token: &[u8]) -> Result<Opened, Refusal>;
    fn mic(&mut self, message: &[u8]) -> Result<Vec<u8>, Refusal>;
    /// The order information of a valid MIC.
    fn verify(&mut self, message: &[u8], mic: &[u8]) -> Result<String, Refusal>;
    fn wrap_aead(&mut self, seal: bool, aad: &[u8], message: &[u8]) -> Result<Vec<u8>, Refusal>;
    fn unwrap_aead(&mut self, aad: &[u8], token: &[u8]) -> Result<Opened, Refusal>;
    fn wrap_iov(&mut self, seal: bool, message: Scattered) -> Result<Scattered, Refusal>;
    fn unwrap_iov(&mut self, message: Scattered) -> Result<(Scattered, bool), Refusal>;
    fn mic_iov(&mut self, message: Scattered) -> Result<Scattered, Refusal>;
    fn verify_iov(&mut self, message: Scattered) -> Result<(), Refusal>;
    fn prf(&mut self, full: bool, seed: &[u8], length: usize) -> Result<Vec<u8>, Refusal>;
    /// The longest message whose token is no longer than `output`.
    fn size_limit(&mut self, seal: bool, output: usize) -> Result<usize, Refusal>;
}
