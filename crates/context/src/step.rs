//! The step function's vocabulary.

mod debug;

use countersign_token::oid::Oid;

use crate::environment::Environment;
use crate::error::Error;
use crate::kerberos::kdc::{KdcAnswer, KdcRequest};
#[cfg(feature = "ntlm")]
use crate::ntlm::{Logon, LogonRequest};
use crate::security_context::{SecurityContext, SessionKey};

/// What the caller does next.
///
/// Printed by `Debug`, a token is its kind and its length.
#[must_use = "a step tells what to send and whether the context is established"]
pub enum Step {
    /// Send the token and keep the context until the peer answers.
    Continue {
        /// For the peer.
        token: Vec<u8>,
    },
    /// Obtain what the engine cannot do without I/O, then call [`Mechanism::resume`].
    Need(Need),
    /// The context is established.
    Established {
        /// To be sent before anything else, if present.
        token: Option<Vec<u8>>,
        /// Protects messages.
        context: Box<SecurityContext>,
    },
}

/// What the engine cannot do without I/O.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Need {
    /// A verdict of an external replay cache, answered with [`Answer::Replay`].
    Replay(ReplayQuery),
    /// A reply of a realm's KDC, answered with [`Answer::Kdc`].
    Kdc(KdcRequest),
    /// Whether an initiator's NTLM response is right, answered with [`Answer::Logon`].
    #[cfg(feature = "ntlm")]
    Logon(LogonRequest),
}

/// Identifies an authenticator in a replay cache outside of this process.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ReplayQuery {
    /// 16 bytes, different for different authenticators.
    pub tag: [u8; 16],
    /// The tag may be forgotten after this time: unix seconds.
    pub expires: i64,
}

/// The caller's answer to a [`Need`].
#[derive(Debug)]
#[non_exhaustive]
pub enum Answer {
    /// The external replay cache's verdict.
    Replay(ReplayVerdict),
    /// What came of the request.
    Kdc(KdcAnswer),
    /// What a user store or a domain controller says.
    #[cfg(feature = "ntlm")]
    Logon(Logon),
}

/// What a replay cache says of an authenticator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplayVerdict {
    /// Never seen, and now stored.
    Fresh,
    /// Seen before.
    Replayed,
    /// The cache cannot tell; the context is refused.
    Unavailable,
}

/// One side of an authentication mechanism, driven token by token.
///
/// Half-open mechanisms are owned, `Send + Sync + 'static`, hold no thread and no lock, and can be
/// parked in a map until the peer's next token arrives. After an error or success every further
/// call returns an error that says so; nothing restarts.
pub trait Mechanism: core::fmt::Debug + Send + Sync + 'static {
    /// The object identifier of the mechanism.
    fn mechanism(&self) -> Oid<'static>;

    /// Further identifiers under which Negotiate offers or takes it: Kerberos has that of Windows
    /// 2000.
    fn aliases(&self) -> &'static [Oid<'static>] {
        &[]
    }

    /// Feeds the peer's token; `None` only for the first step of the side that speaks first: the
    /// initiator, or in NTLM's connectionless mode the acceptor. An empty token is not an absent one.
    ///
    /// # Errors
    /// Whatever is wrong with the peer, its token or the caller's use; [`Error::token`] may hold a
    /// token that tells the peer.
    fn step(&mut self, token: Option<&[u8]>, env: &mut Environment<'_>) -> Result<Step, Error>;

    /// The session key, as soon as it exists: for protocols that need it before the last token
    /// (SMB, through SPNEGO). Until the context is established, nobody has proved to hold it.
    fn session_key(&self) -> Option<SessionKey<'_>> {
        None
    }

    /// Asks for [`Flags::INTEGRITY`](crate::Flags::INTEGRITY) too, without requiring it: Negotiate
    /// calls it, as it proves by a MIC which mechanisms were to choose from.
    fn ask_integrity(&mut self) {}

    /// Answers a [`Step::Need`].
    ///
    /// # Errors
    /// As for [`step`](Self::step); an answer that nothing asked for is an error too.
    fn resume(&mut self, answer: Answer, env: &mut Environment<'_>) -> Result<Step, Error>;
}
