//! The engine's one error type: what happened, what to call it on either face, what to tell the
//! peer.

use core::fmt;

use countersign_crypto::RandomError;
use countersign_token::DecodeError;

use crate::flags::Flags;
use crate::status::{MajorStatus, SspiStatus};

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

    pub(crate) fn with_token(kind: ErrorKind, token: Vec<u8>) -> Self {
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
    /// The peer asks for user-to-user authentication, which this context does not do.
    UserToUserUnsupported,
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
            Self::NoKey { .. } | Self::DefectiveTicket(_) => S::SEC_E_NO_CREDENTIALS,
            Self::EnctypeRefused { .. } => S::SEC_E_ALGORITHM_MISMATCH,
            Self::TicketModified
            | Self::AuthenticatorModified
            | Self::MessageModified
            | Self::MessageReflected => S::SEC_E_MESSAGE_ALTERED,
            Self::TicketExpired | Self::ContextExpired => S::SEC_E_CONTEXT_EXPIRED,
            Self::TicketNotYetValid | Self::ClockSkew => S::SEC_E_TIME_SKEW,
            Self::TransitRefused
            | Self::AddressMismatch
            | Self::AuthorizationDataRefused { .. }
            | Self::ClientMismatch
            | Self::Replayed
            | Self::DelegationDefective
            | Self::PeerError { .. } => S::SEC_E_LOGON_DENIED,
            Self::ReplayCacheUnavailable => S::SEC_E_INSUFFICIENT_MEMORY,
            Self::BindingsMismatch | Self::BindingsMissing => S::SEC_E_BAD_BINDINGS,
            Self::UserToUserUnsupported => S::SEC_E_UNSUPPORTED_FUNCTION,
            Self::DelegationRefused | Self::FlagsNotGranted(_) => S::SEC_E_SECURITY_QOS_FAILED,
            Self::MutualAuthenticationFailed => S::SEC_E_WRONG_PRINCIPAL,
            Self::AlreadyEstablished | Self::UnexpectedCall => S::SEC_E_INVALID_HANDLE,
            Self::ConfidentialityNotGranted | Self::IntegrityNotGranted => {
                S::SEC_E_QOP_NOT_SUPPORTED
            }
            Self::MessageDuplicate
            | Self::MessageOld
            | Self::MessageUnsequenced
            | Self::MessageGap => S::SEC_E_OUT_OF_SEQUENCE,
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
            Self::NotOurService | Self::NoKey { .. } => M::GSS_S_NO_CRED,
            Self::TicketExpired => M::GSS_S_CREDENTIALS_EXPIRED,
            Self::ContextExpired => M::GSS_S_CONTEXT_EXPIRED,
            Self::BindingsMismatch | Self::BindingsMissing | Self::ChecksumDefective(_) => {
                M::GSS_S_BAD_BINDINGS
            }
            Self::MessageModified | Self::MessageReflected | Self::ChecksumMissing => {
                M::GSS_S_BAD_SIG
            }
            Self::Replayed | Self::MessageDuplicate => M::GSS_S_DUPLICATE_TOKEN,
            Self::MessageOld => M::GSS_S_OLD_TOKEN,
            Self::MessageUnsequenced => M::GSS_S_UNSEQ_TOKEN,
            Self::MessageGap => M::GSS_S_GAP_TOKEN,
            Self::DelegationDefective | Self::DefectiveTicket(_) => M::GSS_S_DEFECTIVE_CREDENTIAL,
            Self::DelegationRefused | Self::AuthorizationDataRefused { .. } => {
                M::GSS_S_UNAUTHORIZED
            }
            Self::ConfidentialityNotGranted | Self::IntegrityNotGranted => M::GSS_S_BAD_QOP,
            Self::AlreadyEstablished | Self::UnexpectedCall => M::GSS_S_NO_CONTEXT,
            Self::UserToUserUnsupported => M::GSS_S_UNAVAILABLE,
            _ => M::GSS_S_FAILURE,
        }
    }

    /// The error code of RFC 4120 §7.5.9, where there is one.
    #[must_use]
    pub fn krb_error_code(self) -> Option<i32> {
        Some(match self {
            Self::PeerError { code } => code,
            Self::EnctypeRefused { .. } => 14,
            Self::TransitRefused => 28,
            Self::AuthenticatorModified | Self::TicketModified => 31,
            Self::TicketExpired => 32,
            Self::TicketNotYetValid => 33,
            Self::Replayed => 34,
            Self::NotOurService => 35,
            Self::ClientMismatch => 36,
            Self::ClockSkew => 37,
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
            Self::UserToUserUnsupported => 69,
            _ => return None,
        })
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self::new(kind)
    }
}

impl From<RandomError> for ErrorKind {
    fn from(_: RandomError) -> Self {
        Self::Random
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

impl fmt::Display for ErrorKind {
    #[allow(clippy::too_many_lines)] // one line a kind
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DefectiveToken(error) => return write!(f, "the token does not decode: {error}"),
            Self::TokenTooLarge { length, limit } => {
                return write!(
                    f,
                    "the token has {length} bytes and the policy allows {limit}: raise \
                     Policy::with_max_token if the peer is honest"
                );
            }
            Self::TokenMissing => "a token of the peer is needed and none was given",
            Self::TokenUnexpected => "an initiator's first step takes no token",
            Self::WrongMechanism => {
                "the token is of another mechanism: use the mechanism that its OID names"
            }
            Self::WrongTokenId { found: [a, b] } => {
                return write!(
                    f,
                    "token id {a:02x} {b:02x} is not the one that is due here"
                );
            }
            Self::FramingMismatch => {
                "the token's framing does not fit the context's style: DCE style has none, every \
                 other style has it"
            }
            Self::DefectiveTicket(error) => {
                return write!(f, "the ticket in the credential does not decode: {error}");
            }
            Self::DefectivePlaintext(error) => {
                return write!(
                    f,
                    "the decrypted part of the token does not decode: {error}"
                );
            }
            Self::NotOurService => {
                "the ticket is for a service that this acceptor does not answer for: compare the \
                 client's target name with the keytab and the listed service names"
            }
            Self::NoKey { kvno, enctype } => {
                f.write_str("the keytab has no key for the ticket: ")?;
                match kvno {
                    Some(kvno) => write!(f, "kvno {kvno}, ")?,
                    None => f.write_str("no kvno, ")?,
                }
                return write!(
                    f,
                    "enctype {enctype}; export the service's current keys to the keytab"
                );
            }
            Self::EnctypeRefused { enctype } => {
                return write!(
                    f,
                    "enctype {enctype} is not permitted: allow it by name in Policy::with_enctypes \
                     or give the account a stronger key"
                );
            }
            Self::TicketModified => {
                "the ticket does not decrypt: the keytab's key is not the one the KDC has for this \
                 service, or the ticket was altered"
            }
            Self::TicketExpired => "the ticket has expired: obtain a new one",
            Self::TicketNotYetValid => {
                "the ticket is not yet valid: check the clock, or validate a postdated ticket"
            }
            Self::TransitRefused => {
                "the ticket crossed realms on a path that no KDC has checked: configure the KDC to \
                 check it"
            }
            Self::AddressMismatch => "the ticket is bound to other network addresses",
            Self::AuthorizationDataRefused { ad_type } => {
                return write!(
                    f,
                    "authorization data of type {ad_type} restricts the ticket in a way that is \
                     not understood"
                );
            }
            Self::AuthenticatorModified => {
                "the message does not decrypt with the ticket's session key"
            }
            Self::ClientMismatch => "the authenticator names another client than the ticket",
            Self::ClockSkew => "the clocks of the two sides differ too much: synchronise them",
            Self::Replayed => "this authenticator has been used before",
            Self::ReplayCacheUnavailable => {
                "the replay cache is full or unavailable: enlarge it, or wait until entries expire"
            }
            Self::ChecksumMissing => "the authenticator carries no GSS-API checksum (type 0x8003)",
            Self::ChecksumDefective(error) => {
                return write!(f, "the authenticator's checksum does not decode: {error}");
            }
            Self::BindingsMismatch => {
                "the channel bindings differ: the two sides see different channels"
            }
            Self::BindingsMissing => {
                "the initiator sent no channel bindings and this acceptor requires them"
            }
            Self::UserToUserUnsupported => "user-to-user authentication was asked for",
            Self::DelegationDefective => "the delegated credential is not usable",
            Self::DelegationRefused => {
                "the service's ticket is not marked OK-AS-DELEGATE: permit delegation to it at the \
                 KDC"
            }
            Self::FlagsNotGranted(flags) => {
                return write!(f, "required and not granted: {flags}");
            }
            Self::MutualAuthenticationFailed => "the acceptor did not prove its identity",
            Self::PeerError { code } => {
                return write!(
                    f,
                    "the peer answered with Kerberos error {code} ({}), unauthenticated",
                    krb_error_name(*code)
                );
            }
            Self::AlreadyEstablished => "the context is established: it takes no further token",
            Self::UnexpectedCall => {
                "the context awaits something else: answer a Need with resume, a token with step"
            }
            Self::Overflow => "a length or a sequence number is at the end of its range",
            Self::Random => "the random source failed",
            Self::ContextExpired => "the context has expired: authenticate again",
            Self::ConfidentialityNotGranted => {
                "sealing was not granted: ask for Flags::CONFIDENTIALITY"
            }
            Self::IntegrityNotGranted => "signing was not granted: ask for Flags::INTEGRITY",
            Self::MessageModified => "the message was altered, or is not of this context",
            Self::MessageReflected => "the message was sent by this side",
            Self::MessageDuplicate => "the message is a duplicate",
            Self::MessageOld => "the message is too old to tell whether it is a duplicate",
            Self::MessageUnsequenced => "the message came after a later one",
            Self::MessageGap => "a message before this one is missing",
            Self::WrongProtection => "the message is not protected in the way that is due here",
            Self::BufferLayout => "the buffers do not have the layout that this call needs",
            Self::BufferTooSmall { needed } => {
                return write!(
                    f,
                    "an output buffer is too small: {needed} bytes are needed"
                );
            }
            Self::DefectiveExport => "the exported context does not decode",
            Self::Internal(what) => {
                return write!(f, "an error in this library, please report it: {what}");
            }
        })
    }
}

/// The name that RFC 4120 §7.5.9 gives an error code.
#[must_use]
pub fn krb_error_name(code: i32) -> &'static str {
    match code {
        6 => "KDC_ERR_C_PRINCIPAL_UNKNOWN",
        7 => "KDC_ERR_S_PRINCIPAL_UNKNOWN",
        12 => "KDC_ERR_POLICY",
        14 => "KDC_ERR_ETYPE_NOSUPP",
        18 => "KDC_ERR_CLIENT_REVOKED",
        23 => "KDC_ERR_KEY_EXPIRED",
        24 => "KDC_ERR_PREAUTH_FAILED",
        25 => "KDC_ERR_PREAUTH_REQUIRED",
        28 => "KDC_ERR_PATH_NOT_ACCEPTED",
        31 => "KRB_AP_ERR_BAD_INTEGRITY",
        32 => "KRB_AP_ERR_TKT_EXPIRED",
        33 => "KRB_AP_ERR_TKT_NYV",
        34 => "KRB_AP_ERR_REPEAT",
        35 => "KRB_AP_ERR_NOT_US",
        36 => "KRB_AP_ERR_BADMATCH",
        37 => "KRB_AP_ERR_SKEW",
        38 => "KRB_AP_ERR_BADADDR",
        39 => "KRB_AP_ERR_BADVERSION",
        40 => "KRB_AP_ERR_MSG_TYPE",
        41 => "KRB_AP_ERR_MODIFIED",
        42 => "KRB_AP_ERR_BADORDER",
        44 => "KRB_AP_ERR_BADKEYVER",
        45 => "KRB_AP_ERR_NOKEY",
        46 => "KRB_AP_ERR_MUT_FAIL",
        47 => "KRB_AP_ERR_BADDIRECTION",
        48 => "KRB_AP_ERR_METHOD",
        49 => "KRB_AP_ERR_BADSEQ",
        50 => "KRB_AP_ERR_INAPP_CKSUM",
        52 => "KRB_ERR_RESPONSE_TOO_BIG",
        60 => "KRB_ERR_GENERIC",
        61 => "KRB_ERR_FIELD_TOOLONG",
        68 => "KDC_ERR_WRONG_REALM",
        69 => "KRB_AP_ERR_USER_TO_USER_REQUIRED",
        _ => "unnamed",
    }
}
