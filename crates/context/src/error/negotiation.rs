//! Why a negotiation fails.

use core::fmt;

use crate::status::{MajorStatus, SspiStatus};

/// Why a negotiation of the mechanism ends a context. More may be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum NegotiationProblem {
    /// This side offers no mechanism.
    NothingOffered,
    /// The initiator offers no mechanism that this acceptor has.
    NothingInCommon,
    /// The acceptor chose a mechanism that was not offered, or another than before.
    NotOffered,
    /// The peer refuses and does not say why. Nobody has authenticated that.
    Rejected,
    /// The peer's token has a state or a part that cannot be where it is (RFC 4178 §4.2.2).
    UnexpectedState,
    /// The peer goes on after the end.
    TokenAfterEnd,
    /// The list of mechanisms was not proved where it must be (RFC 4178 §5).
    MicMissing,
    /// The peer saw another list of mechanisms: somebody on the way altered it.
    MicMismatch,
    /// A second proof of the list.
    MicRepeated,
    /// The list must be proved and the mechanism protects nothing.
    Unprotected,
}

impl NegotiationProblem {
    pub(super) fn status(self) -> SspiStatus {
        type S = SspiStatus;
        match self {
            Self::NothingOffered => S::SEC_E_NO_CREDENTIALS,
            Self::Rejected => S::SEC_E_LOGON_DENIED,
            Self::MicMismatch | Self::MicMissing => S::SEC_E_MESSAGE_ALTERED,
            Self::Unprotected => S::SEC_E_QOP_NOT_SUPPORTED,
            _ => S::SEC_E_INVALID_TOKEN,
        }
    }

    pub(super) fn major(self) -> MajorStatus {
        type M = MajorStatus;
        match self {
            Self::NothingOffered => M::GSS_S_NO_CRED,
            Self::NothingInCommon | Self::NotOffered => M::GSS_S_BAD_MECH,
            Self::Rejected => M::GSS_S_FAILURE,
            Self::MicMismatch | Self::MicMissing | Self::MicRepeated => M::GSS_S_BAD_SIG,
            Self::Unprotected => M::GSS_S_BAD_QOP,
            Self::UnexpectedState | Self::TokenAfterEnd => M::GSS_S_DEFECTIVE_TOKEN,
        }
    }
}

impl From<NegotiationProblem> for super::ErrorKind {
    fn from(problem: NegotiationProblem) -> Self {
        Self::Negotiation(problem)
    }
}

impl From<NegotiationProblem> for super::Error {
    fn from(problem: NegotiationProblem) -> Self {
        Self::new(problem.into())
    }
}

impl fmt::Display for NegotiationProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NothingOffered => "no mechanism is offered: offer one",
            Self::NothingInCommon => {
                "the initiator offers no mechanism that this acceptor has: compare what both offer"
            }
            Self::NotOffered => "the acceptor chose a mechanism that was not offered to it",
            Self::Rejected => {
                "the acceptor refuses and does not say why: look into its log, and compare what \
                 both offer"
            }
            Self::UnexpectedState => "the negotiation's token has a part that is not due there",
            Self::TokenAfterEnd => "the peer goes on with a negotiation that is over",
            Self::MicMissing => {
                "the peer did not prove that it saw the same list of mechanisms: it must (RFC 4178 \
                 section 5)"
            }
            Self::MicMismatch => {
                "the peer saw another list of mechanisms: somebody on the way altered it"
            }
            Self::MicRepeated => "the peer proves the list of mechanisms twice",
            Self::Unprotected => {
                "the mechanism protects nothing, so that the list of mechanisms cannot be proved: \
                 offer it first, or alone"
            }
        })
    }
}
