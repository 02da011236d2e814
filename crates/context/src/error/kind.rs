//! What can happen, and its number on either face and in KRB-ERROR.

use countersign_crypto::RandomError;
use countersign_token::DecodeError;

use super::{KdcProblem, NegotiationProblem, NtlmProblem, PacProblem};
use crate::flags::Flags;
use crate::status::{MajorStatus, SspiStatus};

/// What happened. More kinds may be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The token does not decode.
    DefectiveToken(DecodeError),
    /// The token is longer than the policy allows.
    TokenTooLarge {
        /// Its length in bytes.
        length: usize,
        /// The policy's limit in bytes.
        limit: usize,
    },
    /// A token was expected and none was given.
    TokenMissing,
    /// A token was given and none was expected.
    TokenUnexpected,
    /// The token is of another mechanism.
    WrongMechanism,
    /// The token is of this mechanism but not the one that is due.
    WrongTokenId {
        /// The id found, big-endian as sent.
        found: [u8; 2],
    },
    /// A token came in GSS-API framing where DCE style has none, or bare where framing is due.
    FramingMismatch,
    /// The caller's ticket does not decode.
    DefectiveTicket(DecodeError),
    /// The decrypted part of a token does not decode.
    DefectivePlaintext(DecodeError),
    /// The ticket is for a service that this acceptor does not answer for.
    NotOurService,
    /// The keytab has no key of this version and enctype for the ticket's service.
    NoKey {
        /// The key version number that the ticket names.
        kvno: Option<u32>,
        /// The ticket's enctype.
        enctype: i32,
    },
    /// The policy permits no such enctype.
    EnctypeRefused {
        /// The assigned number.
        enctype: i32,
    },
    /// The ticket does not decrypt with the service's key.
    TicketModified,
    /// The ticket has expired.
    TicketExpired,
    /// The ticket is not yet valid.
    TicketNotYetValid,
    /// The ticket crossed realms on a path that no KDC has checked.
    TransitRefused,
    /// The ticket is bound to other addresses than the peer's.
    AddressMismatch,
    /// The ticket or the authenticator holds authorization data that must be understood and is
    /// not.
    AuthorizationDataRefused {
        /// The type of the element, RFC 4120 §7.5.4.
        ad_type: i32,
    },
    /// The authenticator or AP-REP does not decrypt with the session key.
    AuthenticatorModified,
    /// The authenticator names another client than the ticket.
    ClientMismatch,
    /// The initiator is anonymous and the policy admits none that are.
    AnonymousRefused,
    /// The clocks differ by more than the policy allows.
    ClockSkew,
    /// The authenticator has been used before.
    Replayed,
    /// The replay cache cannot remember more; the context is refused rather than left unchecked.
    ReplayCacheUnavailable,
    /// The authenticator carries no checksum, or one that is not of type 0x8003.
    ChecksumMissing,
    /// The authenticator's checksum does not decode.
    ChecksumDefective(DecodeError),
    /// The channel bindings are not the same on both sides.
    BindingsMismatch,
    /// The acceptor requires channel bindings and the initiator sent none.
    BindingsMissing,
    /// The peer asks for user-to-user authentication, and the acceptor has no ticket for it.
    UserToUserUnsupported,
    /// The ticket that the acceptor handed out for user-to-user is no ticket-granting ticket.
    PeerTicketUnfit,
    /// The acceptor has no long-term key: it accepts user-to-user authentication only.
    UserToUserRequired,
    /// The initiator did not prove that the messages that IAKERB passed on are those that it sent and
    /// received.
    ProxiedMessagesUnproven,
    /// The delegated credential does not decode, decrypt or belong to the initiator.
    DelegationDefective,
    /// The caller asked to delegate and the ticket is not marked OK-AS-DELEGATE.
    DelegationRefused,
    /// Flags that are required and were not granted.
    FlagsNotGranted(Flags),
    /// The acceptor did not prove its identity.
    MutualAuthenticationFailed,
    /// The peer sent a KRB-ERROR. It is not authenticated.
    PeerError {
        /// Its code, RFC 4120 §7.5.9.
        code: i32,
    },
    /// The peer's clock differs too much, says its KRB-ERROR. It is not authenticated.
    PeerClockSkew {
        /// Seconds that the peer's clock is ahead of ours, negative when it is behind.
        offset: i64,
    },
    /// The client's credential holds neither a ticket that is still good nor a secret to get one.
    CredentialMissing,
    /// An exchange with a KDC failed.
    Kdc(KdcProblem),
    /// The ticket's PAC is refused.
    Pac(PacProblem),
    /// The negotiation of the mechanism failed.
    Negotiation(NegotiationProblem),
    /// NTLM refuses.
    Ntlm(NtlmProblem),
    /// A mechanism that the program brought along refuses; what it says of it.
    Custom(&'static str),
    /// The mechanism has no such function.
    Unsupported,
    /// The context is established already.
    AlreadyEstablished,
    /// An answer was given that nothing asked for, or a step taken while an answer is due.
    UnexpectedCall,
    /// A number does not fit: a length beyond the format, a sequence number at its end.
    Overflow,
    /// The random source failed.
    Random,
    /// The context has expired.
    ContextExpired,
    /// Sealing was not granted to this context.
    ConfidentialityNotGranted,
    /// Signing was not granted to this context.
    IntegrityNotGranted,
    /// The message was altered: its checksum does not match.
    MessageModified,
    /// The message was sent by this side.
    MessageReflected,
    /// The message is a duplicate.
    MessageDuplicate,
    /// The message is too old to tell whether it is a duplicate.
    MessageOld,
    /// The message came after a later one.
    MessageUnsequenced,
    /// A message before this one is missing.
    MessageGap,
    /// The number that the application gives a message may have been used already.
    NumberSpent,
    /// The message is sealed where a plain one is due, or the reverse.
    WrongProtection,
    /// The buffers do not have the layout that the call needs.
    BufferLayout,
    /// An output buffer is too small.
    BufferTooSmall {
        /// Bytes that it must have.
        needed: usize,
    },
    /// The exported context does not decode.
    DefectiveExport,
    /// An error in this library; please report it.
    Internal(&'static str),
}

impl ErrorKind {
    /// The status that `sspi.h` has for it.
    #[must_use]
    pub fn status(self) -> SspiStatus {
        type S = SspiStatus;
        match self {
            Self::DefectiveToken(_)
            | Self::TokenTooLarge { .. }
            | Self::TokenMissing
            | Self::TokenUnexpected
            | Self::WrongMechanism
            | Self::WrongTokenId { .. }
            | Self::FramingMismatch
            | Self::DefectivePlaintext(_)
            | Self::ChecksumMissing
            | Self::ChecksumDefective(_)
            | Self::WrongProtection
            | Self::DefectiveExport => S::SEC_E_INVALID_TOKEN,
            Self::NotOurService => S::SEC_E_WRONG_PRINCIPAL,
            Self::NoKey { .. } | Self::DefectiveTicket(_) | Self::CredentialMissing => {
                S::SEC_E_NO_CREDENTIALS
            }
            Self::EnctypeRefused { .. } => S::SEC_E_ALGORITHM_MISMATCH,
            Self::TicketModified
            | Self::AuthenticatorModified
            | Self::ProxiedMessagesUnproven
            | Self::MessageModified
            | Self::MessageReflected => S::SEC_E_MESSAGE_ALTERED,
            Self::TicketExpired | Self::ContextExpired => S::SEC_E_CONTEXT_EXPIRED,
            Self::TicketNotYetValid | Self::ClockSkew | Self::PeerClockSkew { .. } => {
                S::SEC_E_TIME_SKEW
            }
            Self::TransitRefused
            | Self::AddressMismatch
            | Self::AuthorizationDataRefused { .. }
            | Self::ClientMismatch
            | Self::AnonymousRefused
            | Self::Replayed
            | Self::PeerTicketUnfit
            | Self::DelegationDefective
            | Self::PeerError { .. }
            | Self::Custom(_) => S::SEC_E_LOGON_DENIED,
            Self::ReplayCacheUnavailable => S::SEC_E_INSUFFICIENT_MEMORY,
            Self::BindingsMismatch | Self::BindingsMissing => S::SEC_E_BAD_BINDINGS,
            Self::UserToUserUnsupported | Self::Unsupported => S::SEC_E_UNSUPPORTED_FUNCTION,
            Self::UserToUserRequired => S::SEC_E_NO_CREDENTIALS,
            Self::DelegationRefused | Self::FlagsNotGranted(_) => S::SEC_E_SECURITY_QOS_FAILED,
            Self::MutualAuthenticationFailed => S::SEC_E_WRONG_PRINCIPAL,
            Self::Kdc(problem) => problem.status(),
            Self::Pac(problem) => problem.status(),
            Self::Negotiation(problem) => problem.status(),
            Self::Ntlm(problem) => problem.status(),
            Self::AlreadyEstablished | Self::UnexpectedCall => S::SEC_E_INVALID_HANDLE,
            Self::ConfidentialityNotGranted | Self::IntegrityNotGranted => {
                S::SEC_E_QOP_NOT_SUPPORTED
            }
            Self::MessageDuplicate
            | Self::MessageOld
            | Self::MessageUnsequenced
            | Self::MessageGap
            | Self::NumberSpent => S::SEC_E_OUT_OF_SEQUENCE,
            Self::BufferLayout => S::SEC_E_INVALID_PARAMETER,
            Self::BufferTooSmall { .. } => S::SEC_E_BUFFER_TOO_SMALL,
            Self::Overflow | Self::Random | Self::Internal(_) => S::SEC_E_INTERNAL_ERROR,
        }
    }

    /// The major status that RFC 2744 has for it.
    #[must_use]
    pub fn major(self) -> MajorStatus {
        type M = MajorStatus;
        match self {
            Self::DefectiveToken(_)
            | Self::TokenTooLarge { .. }
            | Self::TokenMissing
            | Self::TokenUnexpected
            | Self::WrongTokenId { .. }
            | Self::FramingMismatch
            | Self::DefectivePlaintext(_)
            | Self::WrongProtection
            | Self::DefectiveExport => M::GSS_S_DEFECTIVE_TOKEN,
            Self::WrongMechanism => M::GSS_S_BAD_MECH,
            Self::NotOurService
            | Self::NoKey { .. }
            | Self::UserToUserRequired
            | Self::CredentialMissing => M::GSS_S_NO_CRED,
            Self::TicketExpired => M::GSS_S_CREDENTIALS_EXPIRED,
            Self::ContextExpired => M::GSS_S_CONTEXT_EXPIRED,
            Self::BindingsMismatch | Self::BindingsMissing | Self::ChecksumDefective(_) => {
                M::GSS_S_BAD_BINDINGS
            }
            Self::MessageModified
            | Self::MessageReflected
            | Self::ChecksumMissing
            | Self::ProxiedMessagesUnproven => M::GSS_S_BAD_SIG,
            Self::Replayed | Self::MessageDuplicate => M::GSS_S_DUPLICATE_TOKEN,
            Self::MessageOld => M::GSS_S_OLD_TOKEN,
            Self::MessageUnsequenced | Self::NumberSpent => M::GSS_S_UNSEQ_TOKEN,
            Self::MessageGap => M::GSS_S_GAP_TOKEN,
            Self::DelegationDefective | Self::DefectiveTicket(_) => M::GSS_S_DEFECTIVE_CREDENTIAL,
            Self::DelegationRefused
            | Self::AnonymousRefused
            | Self::AuthorizationDataRefused { .. } => M::GSS_S_UNAUTHORIZED,
            Self::ConfidentialityNotGranted | Self::IntegrityNotGranted => M::GSS_S_BAD_QOP,
            Self::Kdc(problem) => problem.major(),
            Self::Pac(problem) => problem.major(),
            Self::Negotiation(problem) => problem.major(),
            Self::Ntlm(problem) => problem.major(),
            Self::AlreadyEstablished | Self::UnexpectedCall => M::GSS_S_NO_CONTEXT,
            Self::UserToUserUnsupported | Self::Unsupported => M::GSS_S_UNAVAILABLE,
            _ => M::GSS_S_FAILURE,
        }
    }

    /// The error code of RFC 4120 §7.5.9, where there is one.
    #[must_use]
    pub fn krb_error_code(self) -> Option<i32> {
        Some(match self {
            Self::PeerError { code } => code,
            Self::Kdc(problem) => return problem.krb_error_code(),
            Self::Pac(problem) => problem.krb_error_code(),
            Self::AnonymousRefused => 12,
            Self::EnctypeRefused { .. } => 14,
            Self::TransitRefused => 28,
            Self::AuthenticatorModified | Self::TicketModified | Self::ProxiedMessagesUnproven => {
                31
            }
            Self::TicketExpired => 32,
            Self::TicketNotYetValid => 33,
            Self::Replayed => 34,
            Self::NotOurService => 35,
            Self::ClientMismatch => 36,
            Self::ClockSkew | Self::PeerClockSkew { .. } => 37,
            Self::AddressMismatch => 38,
            Self::DefectiveToken(_) | Self::WrongTokenId { .. } | Self::FramingMismatch => 40,
            Self::MessageModified => 41,
            Self::NoKey { .. } => 45,
            Self::MutualAuthenticationFailed => 46,
            Self::ChecksumMissing | Self::ChecksumDefective(_) => 50,
            Self::DefectivePlaintext(_)
            | Self::AuthorizationDataRefused { .. }
            | Self::ReplayCacheUnavailable
            | Self::BindingsMismatch
            | Self::BindingsMissing
            | Self::DelegationDefective
            | Self::FlagsNotGranted(_) => 60,
            Self::UserToUserUnsupported => 67,
            Self::UserToUserRequired => 69,
            _ => return None,
        })
    }
}

impl From<RandomError> for ErrorKind {
    fn from(_: RandomError) -> Self {
        Self::Random
    }
}
