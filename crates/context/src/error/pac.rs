//! What can be wrong with a PAC.

use core::fmt;

use countersign_token::DecodeError;

use crate::status::{MajorStatus, SspiStatus};

/// A signature of MS-PAC §2.8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PacSignature {
    /// Over the PAC, with the key that the ticket is sealed in.
    Server,
    /// Over the server's signature, with the ticket-granting key.
    Kdc,
    /// Over the ticket without the PAC, with the ticket-granting key.
    Ticket,
    /// Over the PAC, with the ticket-granting key: the extended KDC signature.
    Full,
}

impl fmt::Display for PacSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Server => "server's",
            Self::Kdc => "KDC's",
            Self::Ticket => "ticket's",
            Self::Full => "extended KDC",
        })
    }
}

/// Why a ticket's PAC, or its absence, ends the context. More may be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PacProblem {
    /// [`PacPolicy::Required`](crate::PacPolicy::Required), and the ticket has none.
    Missing,
    /// [`PacPolicy::Required`](crate::PacPolicy::Required), and the PAC does not say who the client
    /// is in a domain's terms.
    LogonInfoMissing,
    /// The ticket has more than one.
    Repeated,
    /// It does not decode.
    Malformed(DecodeError),
    /// It does not say which ticket it belongs to.
    ClientInfoMissing,
    /// It belongs to the ticket of another client, or of another time.
    ClientMismatch,
    /// A signature that must be there is not.
    SignatureMissing {
        /// Which.
        signature: PacSignature,
    },
    /// A signature is of a type that no key at hand makes: unkeyed, of another enctype than the
    /// key's, or by a domain controller whose key is not given.
    SignatureTypeRefused {
        /// Which.
        signature: PacSignature,
        /// The checksum type (IANA "Kerberos Checksum Type Numbers").
        signature_type: i32,
    },
    /// A signature is not what the key makes.
    SignatureWrong {
        /// Which.
        signature: PacSignature,
    },
}

impl PacProblem {
    pub(super) fn status(self) -> SspiStatus {
        type S = SspiStatus;
        match self {
            Self::Malformed(_) => S::SEC_E_INVALID_TOKEN,
            Self::SignatureTypeRefused { .. } | Self::SignatureWrong { .. } => {
                S::SEC_E_MESSAGE_ALTERED
            }
            _ => S::SEC_E_LOGON_DENIED,
        }
    }

    pub(super) fn major(self) -> MajorStatus {
        type M = MajorStatus;
        match self {
            Self::Malformed(_) => M::GSS_S_DEFECTIVE_TOKEN,
            Self::SignatureTypeRefused { .. } | Self::SignatureWrong { .. } => M::GSS_S_BAD_SIG,
            _ => M::GSS_S_UNAUTHORIZED,
        }
    }

    /// RFC 4120 §7.5.9: KRB_AP_ERR_BADMATCH, KRB_AP_ERR_INAPP_CKSUM, KRB_AP_ERR_MODIFIED, else
    /// KRB_ERR_GENERIC.
    pub(super) fn krb_error_code(self) -> i32 {
        match self {
            Self::ClientMismatch => 36,
            Self::SignatureTypeRefused { .. } => 50,
            Self::SignatureWrong { .. } => 41,
            _ => 60,
        }
    }
}

impl From<PacProblem> for super::ErrorKind {
    fn from(problem: PacProblem) -> Self {
        Self::Pac(problem)
    }
}

impl fmt::Display for PacProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str(
                "the ticket has no PAC and one is required: let the account's KDC add it, or \
                 require none",
            ),
            Self::LogonInfoMissing => f.write_str(
                "the PAC names no SID and one is required: the client's KDC is no domain \
                 controller; require no PAC if names are enough",
            ),
            Self::Repeated => f.write_str("the ticket has two PACs: look at its KDC"),
            Self::Malformed(error) => write!(f, "the PAC is malformed: {error}"),
            Self::ClientInfoMissing => {
                f.write_str("the PAC does not say which ticket it belongs to: look at its KDC")
            }
            Self::ClientMismatch => f.write_str(
                "the PAC belongs to another ticket: refuse the client, or look at its KDC",
            ),
            Self::SignatureMissing { signature } => {
                write!(f, "the PAC has no {signature} signature: look at its KDC")
            }
            Self::SignatureTypeRefused {
                signature,
                signature_type,
            } => write!(
                f,
                "the PAC's {signature} signature is of type {signature_type}, which no key at \
                 hand makes: refuse the client, or give the key of the KDC that signed"
            ),
            Self::SignatureWrong { signature } => write!(
                f,
                "the PAC's {signature} signature is wrong: refuse the client, or look at the \
                 KDC's key"
            ),
        }
    }
}
