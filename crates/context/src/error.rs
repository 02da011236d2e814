//! The engine's one error type: what happened, what to call it on either face, what to tell the
//! peer.

mod kdc;
mod kind;
mod negotiation;
mod ntlm;
mod pac;
mod text;

use core::fmt;

use countersign_crypto::RandomError;

use crate::status::{MajorStatus, SspiStatus};

pub use kdc::{KdcProblem, ReplyPart};
pub use kind::ErrorKind;
pub use negotiation::NegotiationProblem;
pub use ntlm::NtlmProblem;
pub use pac::{PacProblem, PacSignature};
pub use text::krb_error_name;

/// Why a context or a message was refused.
///
/// Contains no secret and no name that the peer chose.
#[derive(Clone, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    token: Option<Box<[u8]>>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind) -> Self {
        Self { kind, token: None }
    }

    /// An error with the token that tells the peer of it.
    #[must_use]
    pub fn with_token(kind: ErrorKind, token: Vec<u8>) -> Self {
        Self {
            kind,
            token: Some(token.into_boxed_slice()),
        }
    }

    /// What happened.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The token that tells the peer, where the protocol has one: send it, then close.
    #[must_use]
    pub fn token(&self) -> Option<&[u8]> {
        self.token.as_deref()
    }

    /// The status that `sspi.h` has for it.
    #[must_use]
    pub fn status(&self) -> SspiStatus {
        self.kind.status()
    }

    /// The major status that RFC 2744 has for it.
    #[must_use]
    pub fn major(&self) -> MajorStatus {
        self.kind.major()
    }

    /// The minor status: the KRB-ERROR code in the numbering of the `krb5` error table
    /// (-1765328384 + code) as an unsigned 32-bit number, zero where there is none.
    #[must_use]
    pub fn minor(&self) -> u32 {
        const ERROR_TABLE_BASE_KRB5: i32 = -1_765_328_384;
        self.krb_error_code().map_or(0, |code| {
            ERROR_TABLE_BASE_KRB5.wrapping_add(code).cast_unsigned()
        })
    }

    /// The error code of RFC 4120 §7.5.9, where there is one: ours, or the one in the KRB-ERROR
    /// that the peer sent.
    #[must_use]
    pub fn krb_error_code(&self) -> Option<i32> {
        self.kind.krb_error_code()
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self::new(kind)
    }
}

impl From<RandomError> for Error {
    fn from(_: RandomError) -> Self {
        Self::new(ErrorKind::Random)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.kind)
            .field("token", &self.token.as_ref().map(|token| token.len()))
            .finish()
    }
}

impl core::error::Error for Error {}
