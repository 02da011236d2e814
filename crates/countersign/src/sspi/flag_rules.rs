//! What each flag does with each package: the one table that the functions obey and that the guide
//! shows.

use super::flags::*;
use super::package::Package;
use super::{SecurityStatus, SspiError};
use countersign_context::Flags;

use Treatment::{Honoured, Ignored, Refused};

/// What a package does with a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Treatment {
    /// It has an effect.
    Honoured,
    /// It has none, as the documentation says or as it is the default.
    Ignored,
    /// The call fails with this status.
    Refused(SecurityStatus),
}

/// A flag and what the packages do with it.
#[derive(Debug, Clone, Copy)]
pub struct FlagRule {
    /// The constant.
    pub name: &'static str,
    /// Its value.
    pub value: u32,
    /// With `Negotiate`.
    pub negotiate: Treatment,
    /// With `Kerberos`.
    pub kerberos: Treatment,
    /// With `NTLM`.
    pub ntlm: Treatment,
    /// What else is to be known.
    pub note: &'static str,
}

impl FlagRule {
    /// What a package does with it.
    #[must_use]
    pub fn with(&self, package: Package) -> Treatment {
        match package {
            Package::Negotiate => self.negotiate,
            Package::Kerberos => self.kerberos,
            Package::Ntlm => self.ntlm,
        }
    }
}

/// `SEC_E_UNSUPPORTED_FUNCTION`: the flag is not valid with the package.
const UNSUPPORTED: Treatment = Refused(SecurityStatus::SEC_E_UNSUPPORTED_FUNCTION);

/// A row of the tables.
macro_rules! rules {
    ($($name:ident: $negotiate:expr, $kerberos:expr, $ntlm:expr, $note:literal;)*) => {
        &[$(FlagRule {
            name: stringify!($name),
            value: $name,
            negotiate: $negotiate,
            kerberos: $kerberos,
            ntlm: $ntlm,
            note: $note,
        }),*]
    };
}

/// `fContextReq` of `InitializeSecurityContext`.
pub const ISC_RULES: &[FlagRule] = rules! {
    ISC_REQ_DELEGATE: Honoured, Honoured, Ignored, "to services whose ticket is OK-AS-DELEGATE; the attributes tell";
    ISC_REQ_MUTUAL_AUTH: Honoured, Honoured, Ignored, "NTLM cannot; the attributes tell, `require_requested` refuses";
    ISC_REQ_REPLAY_DETECT: Honoured, Honoured, Honoured, "";
    ISC_REQ_SEQUENCE_DETECT: Honoured, Honoured, Honoured, "";
    ISC_REQ_CONFIDENTIALITY: Honoured, Honoured, Honoured, "";
    ISC_REQ_USE_SESSION_KEY: UNSUPPORTED, Honoured, UNSUPPORTED, "user-to-user";
    ISC_REQ_PROMPT_FOR_CREDS: UNSUPPORTED, UNSUPPORTED, UNSUPPORTED, "nobody is asked";
    ISC_REQ_USE_SUPPLIED_CREDS: Ignored, Ignored, Ignored, "credentials are those of the handle";
    ISC_REQ_ALLOCATE_MEMORY: Honoured, Honoured, Honoured, "";
    ISC_REQ_USE_DCE_STYLE: Honoured, Honoured, Honoured, "with Kerberos takes mutual authentication along";
    ISC_REQ_DATAGRAM: UNSUPPORTED, UNSUPPORTED, Honoured, "connectionless NTLM";
    ISC_REQ_CONNECTION: Honoured, Honoured, Honoured, "the default";
    ISC_REQ_CALL_LEVEL: Ignored, Ignored, Ignored, "reserved";
    ISC_REQ_FRAGMENT_SUPPLIED: UNSUPPORTED, UNSUPPORTED, UNSUPPORTED, "tokens come whole";
    ISC_REQ_EXTENDED_ERROR: Honoured, Honoured, Ignored, "the token of an error is put into the output buffer";
    ISC_REQ_STREAM: Ignored, Ignored, Ignored, "Schannel's";
    ISC_REQ_INTEGRITY: Honoured, Honoured, Honoured, "";
    ISC_REQ_IDENTIFY: Honoured, Honoured, Honoured, "";
    ISC_REQ_NULL_SESSION: UNSUPPORTED, UNSUPPORTED, Honoured, "anonymous NTLM";
    ISC_REQ_MANUAL_CRED_VALIDATION: Ignored, Ignored, Ignored, "Schannel's";
    ISC_REQ_RESERVED1: Ignored, Ignored, Ignored, "reserved";
    ISC_REQ_FRAGMENT_TO_FIT: Ignored, Ignored, Ignored, "a token that does not fit is SEC_E_BUFFER_TOO_SMALL";
    ISC_REQ_FORWARD_CREDENTIALS: Ignored, Ignored, Ignored, "CredSSP's";
    ISC_REQ_NO_INTEGRITY: Honoured, Honoured, Honoured, "ISC_REQ_INTEGRITY, REPLAY_DETECT and SEQUENCE_DETECT then ask for nothing; Negotiate asks for integrity all the same, for its own list";
    ISC_REQ_USE_HTTP_STYLE: Ignored, Ignored, Ignored, "Digest's";
    ISC_REQ_UNVERIFIED_TARGET_NAME: Honoured, Ignored, Honoured, "NTLM's response says so of the name; Kerberos has no place for it";
    ISC_REQ_CONFIDENTIALITY_ONLY: UNSUPPORTED, UNSUPPORTED, UNSUPPORTED, "what is encrypted is authenticated";
};

/// `fContextReq` of `AcceptSecurityContext`.
pub const ASC_RULES: &[FlagRule] = rules! {
    ASC_REQ_DELEGATE: Honoured, Honoured, Ignored, "the attributes tell whether the client did";
    ASC_REQ_MUTUAL_AUTH: Honoured, Honoured, Ignored, "the client decides; the attributes tell, `require_requested` refuses";
    ASC_REQ_REPLAY_DETECT: Honoured, Honoured, Honoured, "as the client asks; `require_requested` refuses less";
    ASC_REQ_SEQUENCE_DETECT: Honoured, Honoured, Honoured, "as the client asks; `require_requested` refuses less";
    ASC_REQ_CONFIDENTIALITY: Honoured, Honoured, Honoured, "as the client asks; `require_requested` refuses less";
    ASC_REQ_USE_SESSION_KEY: Ignored, Ignored, Ignored, "where the provider has a ticket for it, clients may";
    ASC_REQ_SESSION_TICKET: Ignored, Ignored, Ignored, "Schannel's";
    ASC_REQ_ALLOCATE_MEMORY: Honoured, Honoured, Honoured, "";
    ASC_REQ_USE_DCE_STYLE: Honoured, Honoured, Honoured, "as the client asks; `require_requested` refuses other";
    ASC_REQ_DATAGRAM: UNSUPPORTED, UNSUPPORTED, Honoured, "connectionless NTLM";
    ASC_REQ_CONNECTION: Honoured, Honoured, Honoured, "the default";
    ASC_REQ_CALL_LEVEL: Ignored, Ignored, Ignored, "reserved";
    ASC_REQ_FRAGMENT_SUPPLIED: UNSUPPORTED, UNSUPPORTED, UNSUPPORTED, "tokens come whole";
    ASC_REQ_EXTENDED_ERROR: Honoured, Honoured, Ignored, "the token of an error is put into the output buffer";
    ASC_REQ_STREAM: Ignored, Ignored, Ignored, "Schannel's";
    ASC_REQ_INTEGRITY: Honoured, Honoured, Honoured, "as the client asks; `require_requested` refuses less";
    ASC_REQ_LICENSING: Ignored, Ignored, Ignored, "reserved";
    ASC_REQ_IDENTIFY: Honoured, Honoured, Honoured, "the access token's level is SecurityIdentification at most";
    ASC_REQ_ALLOW_NULL_SESSION: Honoured, Honoured, Honoured, "admits anonymous clients: of NTLM, and of Kerberos as RFC 8062 has them";
    ASC_REQ_ALLOW_NON_USER_LOGONS: Ignored, Ignored, Ignored, "any principal may be a client";
    ASC_REQ_ALLOW_CONTEXT_REPLAY: Ignored, Ignored, Ignored, "deprecated; replays stay refused";
    ASC_REQ_FRAGMENT_TO_FIT: Ignored, Ignored, Ignored, "a token that does not fit is SEC_E_BUFFER_TOO_SMALL";
    ASC_REQ_NO_TOKEN: Honoured, Honoured, Honoured, "QuerySecurityContextToken and impersonation then fail with SEC_E_NO_IMPERSONATION";
    ASC_REQ_PROXY_BINDINGS: Ignored, Ignored, Ignored, "Digest's; with ALLOW_MISSING_BINDINGS SEC_E_SECURITY_QOS_FAILED";
    ASC_REQ_ALLOW_MISSING_BINDINGS: Honoured, Honoured, Honoured, "bindings that are sent must be right all the same";
};

/// The flags that the engine knows, under their numbers on either side.
struct Known {
    flag: Flags,
    isc_req: u32,
    isc_ret: u32,
    asc_req: u32,
    asc_ret: u32,
}

/// A row of [`KNOWN`].
macro_rules! known {
    ($($flag:ident: $isc_req:expr, $isc_ret:expr, $asc_req:expr, $asc_ret:expr;)*) => {
        [$(Known {
            flag: Flags::$flag,
            isc_req: $isc_req,
            isc_ret: $isc_ret,
            asc_req: $asc_req,
            asc_ret: $asc_ret,
        }),*]
    };
}

const KNOWN: [Known; 10] = known! {
    DELEGATION: ISC_REQ_DELEGATE, ISC_RET_DELEGATE, ASC_REQ_DELEGATE, ASC_RET_DELEGATE;
    MUTUAL: ISC_REQ_MUTUAL_AUTH, ISC_RET_MUTUAL_AUTH, ASC_REQ_MUTUAL_AUTH, ASC_RET_MUTUAL_AUTH;
    REPLAY: ISC_REQ_REPLAY_DETECT, ISC_RET_REPLAY_DETECT, ASC_REQ_REPLAY_DETECT, ASC_RET_REPLAY_DETECT;
    SEQUENCE: ISC_REQ_SEQUENCE_DETECT, ISC_RET_SEQUENCE_DETECT, ASC_REQ_SEQUENCE_DETECT, ASC_RET_SEQUENCE_DETECT;
    CONFIDENTIALITY: ISC_REQ_CONFIDENTIALITY, ISC_RET_CONFIDENTIALITY, ASC_REQ_CONFIDENTIALITY, ASC_RET_CONFIDENTIALITY;
    INTEGRITY: ISC_REQ_INTEGRITY, ISC_RET_INTEGRITY, ASC_REQ_INTEGRITY, ASC_RET_INTEGRITY;
    ANONYMOUS: 0, ISC_RET_NULL_SESSION, 0, ASC_RET_NULL_SESSION;
    DCE_STYLE: ISC_REQ_USE_DCE_STYLE, ISC_RET_USED_DCE_STYLE, ASC_REQ_USE_DCE_STYLE, ASC_RET_USED_DCE_STYLE;
    IDENTIFY: ISC_REQ_IDENTIFY, ISC_RET_IDENTIFY, 0, ASC_RET_IDENTIFY;
    EXTENDED_ERROR: ISC_REQ_EXTENDED_ERROR, ISC_RET_EXTENDED_ERROR, 0, ASC_RET_EXTENDED_ERROR;
};

/// What `ISC_REQ_NO_INTEGRITY` undoes.
const INTEGRITY: Flags = Flags::INTEGRITY.union(Flags::REPLAY).union(Flags::SEQUENCE);

/// Which side's flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Initiator,
    Acceptor,
}

impl Side {
    /// Refuses flags that the package refuses, and bits that are no flag.
    pub(super) fn check(self, package: Package, requested: u32) -> Result<(), SspiError> {
        let rules = match self {
            Self::Initiator => ISC_RULES,
            Self::Acceptor => ASC_RULES,
        };
        let mut rest = requested;
        for rule in rules.iter().filter(|rule| requested & rule.value != 0) {
            if let Refused(status) = rule.with(package) {
                return Err(status.into());
            }
            rest &= !rule.value;
        }
        let contrary = ASC_REQ_PROXY_BINDINGS | ASC_REQ_ALLOW_MISSING_BINDINGS;
        if self == Self::Acceptor && requested & contrary == contrary {
            return Err(SecurityStatus::SEC_E_SECURITY_QOS_FAILED.into());
        }
        match rest {
            0 => Ok(()),
            _ => Err(SecurityStatus::SEC_E_UNSUPPORTED_FUNCTION.into()),
        }
    }

    /// What the engine is asked for.
    pub(super) fn flags(self, requested: u32) -> Flags {
        let asked = |known: &&Known| {
            let bit = match self {
                Self::Initiator => known.isc_req,
                Self::Acceptor => known.asc_req,
            };
            bit != 0 && requested & bit == bit
        };
        let flags = KNOWN
            .iter()
            .filter(asked)
            .fold(Flags::NONE, |all, known| all | known.flag);
        if self == Self::Initiator && requested & ISC_REQ_NO_INTEGRITY != 0 {
            flags.difference(INTEGRITY)
        } else {
            flags
        }
    }

    /// The attributes that tell what was granted.
    pub(super) fn attributes(self, granted: Flags) -> u32 {
        KNOWN
            .iter()
            .filter(|known| granted.contains(known.flag))
            .fold(0, |all, known| {
                all | match self {
                    Self::Initiator => known.isc_ret,
                    Self::Acceptor => known.asc_ret,
                }
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flag_of_the_header_has_one_row_and_one_bit() {
        for rules in [ISC_RULES, ASC_RULES] {
            let mut seen = 0u32;
            for rule in rules {
                assert_eq!(rule.value.count_ones(), 1, "{}", rule.name);
                assert_eq!(seen & rule.value, 0, "{}", rule.name);
                seen |= rule.value;
            }
        }
    }

    #[test]
    fn flags_of_both_sides_come_back_as_the_attributes_of_their_names() {
        for known in KNOWN {
            for (side, request, returned) in [
                (Side::Initiator, known.isc_req, known.isc_ret),
                (Side::Acceptor, known.asc_req, known.asc_ret),
            ] {
                assert_eq!(side.attributes(known.flag), returned);
                if request != 0 {
                    assert_eq!(side.flags(request), known.flag);
                }
            }
        }
    }

    #[test]
    fn no_integrity_undoes_what_asks_for_integrity_and_leaves_the_rest() {
        let all = ISC_REQ_INTEGRITY | ISC_REQ_SEQUENCE_DETECT | ISC_REQ_MUTUAL_AUTH;
        assert_eq!(
            Side::Initiator.flags(all),
            INTEGRITY.difference(Flags::REPLAY) | Flags::MUTUAL
        );
        assert_eq!(
            Side::Initiator.flags(all | ISC_REQ_NO_INTEGRITY),
            Flags::MUTUAL
        );
    }
}
