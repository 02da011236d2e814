//! What an error tells a person, and what to do next.

use core::fmt;

use super::ErrorKind;

impl fmt::Display for ErrorKind {
    #[allow(clippy::too_many_lines)] // one line a kind
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DefectiveToken(error) => {
                return write!(
                    f,
                    "the token does not decode: {error}; look at it with `countersign inspect`"
                );
            }
            Self::TokenTooLarge { length, limit } => {
                return write!(
                    f,
                    "the token has {length} bytes and the policy allows {limit}: raise \
                     Policy::with_max_token if the peer is honest"
                );
            }
            Self::TokenMissing => "a token of the peer is needed and none was given: pass what it sent",
            Self::TokenUnexpected => "an initiator's first step takes no token",
            Self::WrongMechanism => {
                "the token is of another mechanism: use the mechanism that its OID names"
            }
            Self::WrongTokenId { found: [a, b] } => {
                return write!(
                    f,
                    "token id {a:02x} {b:02x} is not the one that is due here: feed each token to the \
                     context and the step that it is for"
                );
            }
            Self::FramingMismatch => {
                "the token's framing does not fit the context's style: DCE style has none, every \
                 other style has it"
            }
            Self::DefectiveTicket(error) => {
                return write!(f, "the ticket in the credential does not decode: {error}; obtain a new one");
            }
            Self::DefectivePlaintext(error) => {
                return write!(
                    f,
                    "the decrypted part of the token does not decode: {error}; its maker is at fault"
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
            Self::AddressMismatch => {
                "the ticket is bound to other network addresses: obtain one without addresses"
            }
            Self::AuthorizationDataRefused { ad_type } => {
                return write!(
                    f,
                    "authorization data of type {ad_type} restricts the ticket in a way that is \
                     not understood: have the KDC leave it out or mark it AD-IF-RELEVANT"
                );
            }
            Self::AuthenticatorModified => {
                "the message does not decrypt with the ticket's session key: it was altered, or its \
                 maker holds another ticket"
            }
            Self::ClientMismatch => {
                "the authenticator names another client than the ticket: obtain a new ticket"
            }
            Self::AnonymousRefused => {
                "the initiator is anonymous: admit such initiators with \
                 Policy::with_anonymous_initiators, or have it authenticate by name"
            }
            Self::ClockSkew => "the clocks of the two sides differ too much: synchronise them",
            Self::Replayed => {
                "this authenticator has been used before: make a new one for each context; if that \
                 was done, somebody replays them"
            }
            Self::ReplayCacheUnavailable => {
                "the replay cache is full or unavailable: enlarge it, or wait until entries expire"
            }
            Self::ChecksumMissing => {
                "the authenticator carries no GSS-API checksum (type 0x8003): it was made for \
                 another protocol"
            }
            Self::ChecksumDefective(error) => {
                return write!(f, "the authenticator's checksum does not decode: {error}");
            }
            Self::BindingsMismatch => {
                "the channel bindings differ: the two sides see different channels; compare which \
                 bindings each side takes, then look for who stands between"
            }
            Self::BindingsMissing => {
                "the initiator sent no channel bindings and this acceptor requires them: have it send \
                 them, or name Acceptor::channel_bindings_if_present"
            }
            Self::UserToUserUnsupported => {
                "user-to-user authentication was asked for and the acceptor has no \
                 ticket-granting ticket for it: give it one (AcceptorCredential::with_user_to_user), \
                 or use a ticket that is encrypted in the service's own key"
            }
            Self::PeerTicketUnfit => {
                "the ticket that the acceptor handed out for user-to-user is no ticket-granting \
                 ticket: have it hand out its own"
            }
            Self::UserToUserRequired => {
                "the acceptor has no key of its own: have the initiator ask for the acceptor's \
                 ticket-granting ticket and obtain a user-to-user ticket with it"
            }
            Self::ProxiedMessagesUnproven => {
                "the initiator did not prove that the messages passed on for it are those that it \
                 sent and received: try again; if it stays so, look for who stands between"
            }
            Self::DelegationDefective => {
                "the delegated credential does not decode, decrypt or belong to the initiator: have \
                 it delegate a forwarded ticket of its own, or none"
            }
            Self::DelegationRefused => {
                "the service's ticket is not marked OK-AS-DELEGATE: permit delegation to it at the \
                 KDC"
            }
            Self::FlagsNotGranted(flags) => {
                return write!(f, "required and not granted: {flags}; have the initiator ask for them, or require \
                     less");
            }
            Self::MutualAuthenticationFailed => {
                "the acceptor did not prove its identity: do not trust it; if it is the right one, \
                 compare its keys with the KDC's"
            }
            Self::PeerClockSkew { offset } => {
                return write!(
                    f,
                    "the peer says that its clock is {} s {} ours, too large a skew: synchronise \
                     the clocks, or begin again with a time that is moved by as much",
                    offset.unsigned_abs(),
                    if *offset < 0 { "behind" } else { "ahead of" },
                );
            }
            Self::PeerError { code } => {
                return write!(
                    f,
                    "the peer answered with Kerberos error {code} ({}), unauthenticated: {}",
                    krb_error_name(*code),
                    krb_error_advice(*code)
                );
            }
            Self::CredentialMissing => {
                "there is neither a ticket that is still good nor a secret to get one with: log on \
                 again"
            }
            Self::Kdc(problem) => return problem.fmt(f),
            Self::Pac(problem) => return problem.fmt(f),
            Self::AlreadyEstablished => "the context is established: it takes no further token",
            Self::UnexpectedCall => {
                "the context awaits something else: answer a Need with resume, a token with step"
            }
            Self::Overflow => "a length or a sequence number is at the end of its range: send less, or authenticate \
                 again",
            Self::Random => "the random source failed: repair it, then begin again",
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
            Self::NumberSpent => {
                "the number is not above those of earlier messages: number upwards, or send the \
                 earlier token again"
            }
            Self::WrongProtection => "the message is not protected in the way that is due here",
            Self::BufferLayout => "the buffers do not have the layout that this call needs",
            Self::BufferTooSmall { needed } => {
                return write!(
                    f,
                    "an output buffer is too small: {needed} bytes are needed"
                );
            }
            Self::DefectiveExport => "the exported context does not decode",
            Self::Negotiation(problem) => return problem.fmt(f),
            Self::Ntlm(problem) => return problem.fmt(f),
            Self::Custom(what) => what,
            Self::Unsupported => "the mechanism has no such function: ask a context of Kerberos",
            Self::Internal(what) => {
                return write!(f, "an error in this library, please report it: {what}");
            }
        })
    }
}

/// What to do about an error code of RFC 4120 §7.5.9 that a peer sent.
pub(super) fn krb_error_advice(code: i32) -> &'static str {
    match code {
        14 => "the two sides permit no enctype in common; compare their policies",
        31 | 41 | 44 | 45 => {
            "its keys are not those that the ticket was made with; renew its keytab, or obtain a \
             new ticket"
        }
        32 => "obtain a new ticket, or set its clock",
        33 | 37 => "set both clocks",
        34 => "it has seen this token before; make a new one for each context",
        67 => "it has no ticket for user-to-user; use an ordinary ticket for it",
        69 => "it has no key of its own; obtain a user-to-user ticket for it",
        35 => "it does not answer for the target's name; compare that with its keytab",
        _ => "look into its log",
    }
}

/// The name that RFC 4120 §7.5.9 gives an error code.
#[must_use]
pub fn krb_error_name(code: i32) -> &'static str {
    match code {
        1 => "KDC_ERR_NAME_EXP",
        2 => "KDC_ERR_SERVICE_EXP",
        3 => "KDC_ERR_BAD_PVNO",
        4 => "KDC_ERR_C_OLD_MAST_KVNO",
        5 => "KDC_ERR_S_OLD_MAST_KVNO",
        6 => "KDC_ERR_C_PRINCIPAL_UNKNOWN",
        7 => "KDC_ERR_S_PRINCIPAL_UNKNOWN",
        8 => "KDC_ERR_PRINCIPAL_NOT_UNIQUE",
        9 => "KDC_ERR_NULL_KEY",
        10 => "KDC_ERR_CANNOT_POSTDATE",
        11 => "KDC_ERR_NEVER_VALID",
        12 => "KDC_ERR_POLICY",
        13 => "KDC_ERR_BADOPTION",
        14 => "KDC_ERR_ETYPE_NOSUPP",
        15 => "KDC_ERR_SUMTYPE_NOSUPP",
        16 => "KDC_ERR_PADATA_TYPE_NOSUPP",
        17 => "KDC_ERR_TRTYPE_NOSUPP",
        18 => "KDC_ERR_CLIENT_REVOKED",
        19 => "KDC_ERR_SERVICE_REVOKED",
        20 => "KDC_ERR_TGT_REVOKED",
        21 => "KDC_ERR_CLIENT_NOTYET",
        22 => "KDC_ERR_SERVICE_NOTYET",
        23 => "KDC_ERR_KEY_EXPIRED",
        24 => "KDC_ERR_PREAUTH_FAILED",
        25 => "KDC_ERR_PREAUTH_REQUIRED",
        26 => "KDC_ERR_SERVER_NOMATCH",
        27 => "KDC_ERR_MUST_USE_USER2USER",
        28 => "KDC_ERR_PATH_NOT_ACCEPTED",
        29 => "KDC_ERR_SVC_UNAVAILABLE",
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
        51 => "KRB_AP_PATH_NOT_ACCEPTED",
        52 => "KRB_ERR_RESPONSE_TOO_BIG",
        60 => "KRB_ERR_GENERIC",
        61 => "KRB_ERR_FIELD_TOOLONG",
        67 => "KRB_AP_ERR_NO_TGT",
        68 => "KDC_ERR_WRONG_REALM",
        69 => "KRB_AP_ERR_USER_TO_USER_REQUIRED",
        // RFC 6113 §5.
        90 => "KDC_ERR_PREAUTH_EXPIRED",
        91 => "KDC_ERR_MORE_PREAUTH_DATA_REQUIRED",
        92 => "KDC_ERR_PREAUTH_BAD_AUTHENTICATION_SET",
        93 => "KDC_ERR_UNKNOWN_CRITICAL_FAST_OPTIONS",
        _ => "unnamed",
    }
}
