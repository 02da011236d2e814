//! Why NTLM refuses.

use core::fmt;

use countersign_token::DecodeError;

use crate::status::{MajorStatus, SspiStatus};

/// Why NTLM ends a context. More may be added.
///
/// Unknown account, wrong password, and a missing or wrong MIC have one status on either face, so
/// that a peer that is told the status learns nothing of which it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum NtlmProblem {
    /// The account is not known, or its password is another.
    LogonDenied,
    /// Nobody could tell whether account and password are right.
    LogonUnavailable,
    /// The response announces a MIC and there is none, or it is wrong; or the server altered the
    /// messages (MS-NLMP §3.2.5.1.2).
    MicMismatch,
    /// The response has no MIC and the policy requires one.
    MicMissing,
    /// The response is neither of NTLMv2 nor of a version that the policy names.
    ResponseRefused,
    /// The NTLMv2 response does not decode.
    ResponseDefective(DecodeError),
    /// The initiator is a guest, or is to be taken for one, and the policy admits none.
    GuestRefused,
    /// The peer offers no extended session security.
    SessionSecurityRefused,
    /// The peer offers only keys that are weaker than the policy permits.
    StrengthRefused,
    /// The peer chose flags that were not offered to it.
    FlagsNotOffered,
    /// The peer knows neither of the two character sets (MS-NLMP §2.2.2.5).
    CharsetMissing,
    /// The peer exchanges no key in connectionless mode (MS-NLMP §3.2.5.2.1).
    KeyExchangeMissing,
    /// The time in the response is more than 36 hours away (MS-NLMP §3.2.5.1.2).
    TimeRefused,
    /// The encrypted session key is missing or has another length than 16 bytes.
    SessionKeyDefective,
    /// NTLMv1's response, which the caller named, has no place for the channel bindings, the target
    /// name or the machine that the caller gave.
    ResponseUnbound,
    /// The message came from this machine, by way of somebody else: a reflection.
    Reflected,
    /// The response is for another service, or names none and the policy wants it named.
    TargetRefused,
    /// A name has a character or a length that no account has.
    NameRefused,
}

impl NtlmProblem {
    pub(super) fn status(self) -> SspiStatus {
        type S = SspiStatus;
        match self {
            Self::LogonUnavailable => S::SEC_E_NO_AUTHENTICATING_AUTHORITY,
            Self::ResponseDefective(_)
            | Self::SessionKeyDefective
            | Self::FlagsNotOffered
            | Self::CharsetMissing => S::SEC_E_INVALID_TOKEN,
            Self::SessionSecurityRefused
            | Self::StrengthRefused
            | Self::KeyExchangeMissing
            | Self::ResponseUnbound => S::SEC_E_UNSUPPORTED_FUNCTION,
            Self::TargetRefused => S::SEC_E_TARGET_UNKNOWN,
            Self::TimeRefused => S::SEC_E_TIME_SKEW,
            _ => S::SEC_E_LOGON_DENIED,
        }
    }

    pub(super) fn major(self) -> MajorStatus {
        type M = MajorStatus;
        match self {
            Self::ResponseDefective(_)
            | Self::SessionKeyDefective
            | Self::FlagsNotOffered
            | Self::CharsetMissing => M::GSS_S_DEFECTIVE_TOKEN,
            Self::SessionSecurityRefused
            | Self::StrengthRefused
            | Self::KeyExchangeMissing
            | Self::ResponseUnbound => M::GSS_S_UNAVAILABLE,
            Self::TargetRefused => M::GSS_S_BAD_NAME,
            Self::LogonUnavailable | Self::TimeRefused => M::GSS_S_FAILURE,
            _ => M::GSS_S_UNAUTHORIZED,
        }
    }
}

impl From<NtlmProblem> for super::ErrorKind {
    fn from(problem: NtlmProblem) -> Self {
        Self::Ntlm(problem)
    }
}

impl From<NtlmProblem> for super::Error {
    fn from(problem: NtlmProblem) -> Self {
        Self::new(problem.into())
    }
}

impl fmt::Display for NtlmProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LogonDenied => "the account is unknown or its password is another: ask again",
            Self::LogonUnavailable => {
                "nobody could tell whether the password is right: look at the user store or the \
                 domain controller"
            }
            Self::MicMismatch => {
                "the MIC is not that of the messages: somebody altered them on the way, or the \
                 initiator is at fault"
            }
            Self::MicMissing => {
                "the response has no MIC, and without it anybody on the way can strip flags: \
                 upgrade the initiator, or name MicPolicy::IfPresent"
            }
            Self::ResponseRefused => {
                "the response is not NTLMv2: let the initiator use it \
                 (LmCompatibilityLevel 3 or more)"
            }
            Self::ResponseDefective(error) => {
                return write!(f, "the NTLMv2 response does not decode: {error}");
            }
            Self::GuestRefused => "guests are not admitted: give the account a password here",
            Self::SessionSecurityRefused => {
                "the peer offers no extended session security: upgrade it"
            }
            Self::StrengthRefused => {
                "the peer offers no key of 128 bits: upgrade it, or name a weaker strength in the \
                 policy"
            }
            Self::FlagsNotOffered => "the peer chose flags that were not offered to it",
            Self::CharsetMissing => "the peer offers neither Unicode nor OEM names",
            Self::KeyExchangeMissing => {
                "the peer exchanges no key, as it must in connectionless mode: upgrade it"
            }
            Self::TimeRefused => {
                "the response's time and the acceptor's differ by more than 36 hours: set the \
                 clocks, or somebody kept the response back"
            }
            Self::SessionKeyDefective => {
                "the encrypted session key is missing or not 16 bytes long"
            }
            Self::ResponseUnbound => {
                "NTLMv1's response has no place for channel bindings, a target name or a machine: use \
                 NTLMv2, or give none of them"
            }
            Self::Reflected => {
                "the message comes from this very machine by way of somebody else: a reflection"
            }
            Self::TargetRefused => {
                "the response is for another service than this: compare the initiator's target \
                 name with the listed services"
            }
            Self::NameRefused => "a name is longer than 256 characters or has control characters",
        })
    }
}
