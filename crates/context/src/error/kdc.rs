//! What can go wrong with a KDC.

use core::fmt;

use countersign_token::DecodeError;

use crate::status::{MajorStatus, SspiStatus};

/// Why a KDC exchange failed. More may be added.
///
/// What rests on a KRB-ERROR is nobody's word unless FAST protected the exchange: somebody on the
/// path may have written it. It can make an exchange fail, and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KdcProblem {
    /// No KDC of the realm was found, or none answered in time.
    Unreachable,
    /// The KDC answered with a KRB-ERROR that has no variant of its own here.
    Refused {
        /// Its code, RFC 4120 §7.5.9.
        code: i32,
        /// The NTSTATUS that Windows and Samba add (MS-KILE §2.2.1), where there is one.
        nt_status: Option<u32>,
    },
    /// The KDC knows no such client.
    ClientUnknown,
    /// The KDC knows no such service.
    ServiceUnknown,
    /// The password or the key is not the client's: the KDC says so, or its reply does not
    /// decrypt.
    WrongSecret,
    /// The client's account has expired.
    AccountExpired,
    /// The client's account is disabled.
    AccountDisabled,
    /// The client's account is locked after too many failures.
    AccountLocked,
    /// The client's account is disabled or locked; the KDC does not say which.
    AccountRevoked,
    /// The account may not log on at this time of day.
    LogonHours,
    /// The account may not log on from this workstation.
    WorkstationRefused,
    /// The password has expired or must be changed before it is used.
    PasswordExpired,
    /// The client, the KDC and the policy have no enctype in common; an account that has rc4-hmac
    /// keys only is refused so.
    EnctypesDisjoint,
    /// The KDC's clock differs too much.
    ClockSkew {
        /// Seconds that the KDC's clock is ahead of ours, negative when it is behind.
        offset: i64,
    },
    /// The KDC wants a kind of pre-authentication that is not there.
    PreauthenticationUnsupported,
    /// The secret holds no key of the enctype that the KDC chose.
    NoKeyOfEnctype {
        /// The assigned number.
        enctype: i32,
    },
    /// The KDC's parameters for making the key from the password are malformed, or cost more than
    /// is computed for anybody.
    KeyParameters,
    /// The KDC asks again and again.
    TooManyRounds,
    /// The KDC sends the client from realm to realm: too far, or in a circle.
    ReferralLoop,
    /// The KDC sends the client to another realm, which it did not ask for.
    ReferralRefused,
    /// The reply is neither what was asked for nor a KRB-ERROR, or does not decode.
    DefectiveReply(DecodeError),
    /// The reply is genuine, or claims to be, and is not the one to this request.
    ReplyMismatch(ReplyPart),
    /// The reply names another client than the request, and nothing proves that the KDC wrote the
    /// name.
    ClientNotVerified,
    /// The ticket for FAST armor is not one for the ticket-granting service of the client's realm.
    ArmorOfAnotherService,
    /// The answer to a request in FAST armor came without armor.
    Unarmored {
        /// The code of the KRB-ERROR that came instead, where it was one.
        code: Option<i32>,
    },
    /// The armored answer is altered, is of another request, or lacks what it must hold.
    ArmorDefective,
    /// The KDC did not prove that it knows the client's key.
    KdcNotProven,
}

/// The part of a KDC's reply that differs from the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReplyPart {
    /// The nonce: it is the reply to another request.
    Nonce,
    /// The client's name or realm.
    Client,
    /// The service's name or realm, in the encrypted part.
    Server,
    /// The names on the ticket, which are not those of the encrypted part.
    Ticket,
    /// The times.
    Times,
    /// The addresses.
    Addresses,
    /// The checksum over the request: somebody altered it on its way.
    Request,
}

/// NTSTATUS values that KDCs put beside an error, MS-ERREF §2.3.1.
mod nt_status {
    pub(super) const LOGON_HOURS: u32 = 0xc000_006f;
    pub(super) const WORKSTATION: u32 = 0xc000_0070;
    pub(super) const PASSWORD_EXPIRED: u32 = 0xc000_0071;
    pub(super) const ACCOUNT_DISABLED: u32 = 0xc000_0072;
    pub(super) const ACCOUNT_EXPIRED: u32 = 0xc000_0193;
    pub(super) const PASSWORD_MUST_CHANGE: u32 = 0xc000_0224;
    pub(super) const ACCOUNT_LOCKED: u32 = 0xc000_0234;
}

impl KdcProblem {
    /// What a KRB-ERROR means: its code (RFC 4120 §7.5.9) and the NTSTATUS beside it, if any.
    #[must_use]
    pub(crate) fn from_krb_error(code: i32, nt_status: Option<u32>) -> Self {
        match (code, nt_status) {
            (1 | 12 | 18 | 23, Some(nt_status::ACCOUNT_EXPIRED)) => Self::AccountExpired,
            (12 | 18, Some(nt_status::ACCOUNT_DISABLED)) => Self::AccountDisabled,
            (12 | 18, Some(nt_status::ACCOUNT_LOCKED)) => Self::AccountLocked,
            (12 | 18, Some(nt_status::LOGON_HOURS)) => Self::LogonHours,
            (12 | 18, Some(nt_status::WORKSTATION)) => Self::WorkstationRefused,
            (
                12 | 18 | 23 | 24,
                Some(nt_status::PASSWORD_EXPIRED | nt_status::PASSWORD_MUST_CHANGE),
            ) => Self::PasswordExpired,
            (1, _) => Self::AccountExpired,
            (6, _) => Self::ClientUnknown,
            (7, _) => Self::ServiceUnknown,
            (14, _) => Self::EnctypesDisjoint,
            (18, _) => Self::AccountRevoked,
            (23, _) => Self::PasswordExpired,
            (24 | 31, None) | (24, _) => Self::WrongSecret,
            _ => Self::Refused { code, nt_status },
        }
    }

    pub(super) fn status(self) -> SspiStatus {
        type S = SspiStatus;
        match self {
            Self::Unreachable => S::SEC_E_NO_AUTHENTICATING_AUTHORITY,
            Self::ServiceUnknown => S::SEC_E_TARGET_UNKNOWN,
            Self::ClockSkew { .. } => S::SEC_E_TIME_SKEW,
            Self::EnctypesDisjoint | Self::NoKeyOfEnctype { .. } => S::SEC_E_ALGORITHM_MISMATCH,
            Self::DefectiveReply(_) => S::SEC_E_INVALID_TOKEN,
            Self::ReplyMismatch(_)
            | Self::Unarmored { .. }
            | Self::ArmorDefective
            | Self::ClientNotVerified
            | Self::KdcNotProven => S::SEC_E_MESSAGE_ALTERED,
            Self::PreauthenticationUnsupported => S::SEC_E_UNSUPPORTED_FUNCTION,
            Self::ArmorOfAnotherService => S::SEC_E_NO_CREDENTIALS,
            _ => S::SEC_E_LOGON_DENIED,
        }
    }

    pub(super) fn major(self) -> MajorStatus {
        type M = MajorStatus;
        match self {
            Self::DefectiveReply(_) => M::GSS_S_DEFECTIVE_TOKEN,
            Self::ReplyMismatch(_) | Self::ArmorDefective | Self::KdcNotProven => M::GSS_S_BAD_SIG,
            Self::PasswordExpired | Self::AccountExpired => M::GSS_S_CREDENTIALS_EXPIRED,
            Self::ArmorOfAnotherService => M::GSS_S_NO_CRED,
            _ => M::GSS_S_FAILURE,
        }
    }

    pub(super) fn krb_error_code(self) -> Option<i32> {
        Some(match self {
            Self::Refused { code, .. } => code,
            Self::Unarmored { code } => return code,
            Self::AccountExpired => 1,
            Self::ClientUnknown => 6,
            Self::ServiceUnknown => 7,
            Self::EnctypesDisjoint | Self::NoKeyOfEnctype { .. } => 14,
            Self::AccountDisabled
            | Self::AccountLocked
            | Self::AccountRevoked
            | Self::LogonHours
            | Self::WorkstationRefused => 18,
            Self::PasswordExpired => 23,
            Self::WrongSecret => 24,
            Self::ClockSkew { .. } => 37,
            Self::ReferralLoop | Self::ReferralRefused => 68,
            _ => return None,
        })
    }
}

impl From<KdcProblem> for super::ErrorKind {
    fn from(problem: KdcProblem) -> Self {
        Self::Kdc(problem)
    }
}

impl fmt::Display for KdcProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unreachable => {
                "no KDC of the realm answered: check the realm's name, the addresses of its KDCs \
                 and the network"
            }
            Self::Refused { code, nt_status } => {
                write!(
                    f,
                    "the KDC refused with error {code} ({})",
                    super::krb_error_name(*code)
                )?;
                if let Some(status) = nt_status {
                    write!(f, ", NTSTATUS {status:#010x}")?;
                }
                return write!(f, ": {}", super::text::krb_error_advice(*code));
            }
            Self::ClientUnknown => {
                "the KDC knows no such client: check the spelling of the name and of the realm"
            }
            Self::ServiceUnknown => {
                "the KDC knows no such service: compare the name with the service's principals, \
                 and register it if it is missing"
            }
            Self::WrongSecret => {
                "the password or the key is not the client's: try again, or export the keytab anew"
            }
            Self::AccountExpired => "the account has expired: have an administrator extend it",
            Self::AccountDisabled => "the account is disabled: have an administrator enable it",
            Self::AccountLocked => {
                "the account is locked after too many wrong passwords: wait, or have an \
                 administrator unlock it"
            }
            Self::AccountRevoked => {
                "the account is disabled or locked: ask an administrator which, and wait if it is \
                 locked"
            }
            Self::LogonHours => "the account may not log on at this time: try within its hours",
            Self::WorkstationRefused => {
                "the account may not log on from this machine: use one that it is permitted"
            }
            Self::PasswordExpired => {
                "the password has expired or must be changed: change it, then try again"
            }
            Self::EnctypesDisjoint => {
                "the account, the KDC and the policy have no enctype in common: change the \
                 account's password so that it gets AES keys, or name the enctype in \
                 Policy::with_enctypes"
            }
            Self::ClockSkew { offset } => {
                return write!(
                    f,
                    "the KDC's clock is {} s {} ours: synchronise the clocks",
                    offset.unsigned_abs(),
                    if *offset < 0 { "behind" } else { "ahead of" },
                );
            }
            Self::PreauthenticationUnsupported => {
                "the KDC wants a kind of pre-authentication that is not supported, or supports \
                 none that the secret can do: permit encrypted timestamps or encrypted challenges \
                 to the account"
            }
            Self::NoKeyOfEnctype { enctype } => {
                return write!(
                    f,
                    "the KDC wants a key of enctype {enctype} and the keytab or the given keys \
                     have none: export the account's current keys"
                );
            }
            Self::KeyParameters => {
                "the KDC's parameters for making the key from the password are malformed or \
                 absurd: look at the account's salt and iteration count, or for who stands between"
            }
            Self::TooManyRounds => "the KDC asks again without end: look into its log",
            Self::ReferralLoop => {
                "the KDCs send the client in a circle or too far: name the client's own realm"
            }
            Self::ReferralRefused => {
                "the KDC says that the client is of another realm: name that realm, or permit \
                 canonicalization"
            }
            Self::DefectiveReply(error) => {
                return write!(f, "the KDC's reply does not decode: {error}");
            }
            Self::ReplyMismatch(part) => {
                return write!(
                    f,
                    "the KDC's reply is not the one to this request, {part} differ: try again; if \
                     it stays so, look for who stands between"
                );
            }
            Self::ClientNotVerified => {
                "nothing proves whom the KDC's reply is for: name the client as the KDC does, or \
                 use FAST"
            }
            Self::ArmorOfAnotherService => {
                "the armor ticket is not for the ticket-granting service of the client's realm: \
                 obtain that one first"
            }
            Self::Unarmored { code: Some(code) } => {
                return write!(
                    f,
                    "the answer to an armored request came without armor, error {code} ({}): check \
                     that the KDC has FAST and that the armor ticket is still good",
                    super::krb_error_name(*code)
                );
            }
            Self::Unarmored { code: None } => {
                "the answer to an armored request came without armor: check that the KDC has FAST, \
                 or look for who stands between"
            }
            Self::ArmorDefective => {
                "the armored answer was altered or belongs to another request: try again; if it \
                 stays so, look for who stands between"
            }
            Self::KdcNotProven => {
                "the KDC did not prove that it knows the client's key: do not trust its answer"
            }
        })
    }
}

impl fmt::Display for ReplyPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nonce => "the nonces",
            Self::Client => "the client's names",
            Self::Server => "the service's names",
            Self::Ticket => "the names on the ticket",
            Self::Times => "the times",
            Self::Addresses => "the addresses",
            Self::Request => "the requests that were sent and received",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_refused_account_has_a_problem_of_its_own() {
        type P = KdcProblem;
        for (code, nt_status, expected) in [
            (1, None, P::AccountExpired),
            (6, None, P::ClientUnknown),
            (7, None, P::ServiceUnknown),
            (14, None, P::EnctypesDisjoint),
            (18, None, P::AccountRevoked),
            (18, Some(0xc000_0072), P::AccountDisabled),
            (18, Some(0xc000_0193), P::AccountExpired),
            (18, Some(0xc000_0234), P::AccountLocked),
            (18, Some(0xc000_006f), P::LogonHours),
            (12, Some(0xc000_0070), P::WorkstationRefused),
            (23, None, P::PasswordExpired),
            (23, Some(0xc000_0224), P::PasswordExpired),
            (24, None, P::WrongSecret),
            (24, Some(0xc000_006a), P::WrongSecret),
        ] {
            assert_eq!(KdcProblem::from_krb_error(code, nt_status), expected);
            assert!(expected.krb_error_code().is_some(), "{expected:?}");
        }
        let other = KdcProblem::from_krb_error(60, Some(1));
        let refused = P::Refused {
            code: 60,
            nt_status: Some(1),
        };
        assert_eq!(other, refused);
        assert!(other.to_string().contains("NTSTATUS 0x00000001"), "{other}");
    }
}
