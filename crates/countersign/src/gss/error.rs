//! Why a call failed: major status, minor status, and what is behind them.

use core::fmt;

use crate::credential;
use crate::credential::krb5_conf::ConfError;
use crate::handshake::cache::CacheError;
use crate::{Error, ErrorKind, MajorStatus};

/// Why a call failed.
///
/// ```
/// use countersign::MajorStatus;
/// use countersign::gss::{import_name, oid};
///
/// let error = import_name(b"1000", Some(oid::GSS_C_NT_STRING_UID_NAME)).unwrap_err();
/// assert_eq!(error.major(), MajorStatus::GSS_S_BAD_NAMETYPE);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct GssError {
    major: MajorStatus,
    minor: u32,
    cause: Cause,
    token: Option<Box<[u8]>>,
}

/// What is behind a [`GssError`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// The engine refused.
    Engine(ErrorKind),
    /// A name, a key or a ticket is malformed or missing.
    Credential(credential::Error),
    /// A credential cache or a keytab cannot be used.
    Cache(CacheError),
    /// `krb5.conf` cannot be used.
    Configuration(ConfError),
    /// The call itself is wrong.
    Call(Problem),
}

macro_rules! problems {
    ($($(#[$doc:meta])* $name:ident: $major:ident, $minor:expr, $text:literal;)*) => {
        /// What is wrong with a call, found by this face before or beside the engine.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Problem {
            $($(#[$doc])* $name,)*
        }

        impl Problem {
            /// Every problem.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The major status that RFC 2744 has for it.
            #[must_use]
            pub const fn major(self) -> MajorStatus {
                match self {
                    $(Self::$name => MajorStatus::$major,)*
                }
            }

            /// The minor status that MIT krb5 has for it, from the tables `ggss`, `k5g` and `krb5`; zero
            /// where it has none.
            #[must_use]
            pub const fn minor(self) -> u32 {
                match self {
                    $(Self::$name => $minor,)*
                }
            }

            const fn text(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

/// The first number of MIT's table `ggss`, -2045022976.
const GGSS: u32 = 0x861b_6d00;
/// The first number of MIT's table `k5g`, 39756032.
const K5G: u32 = 0x025e_a100;

problems! {
    /// A host-based name is not `service@host`.
    ServiceName: GSS_S_BAD_NAME, GGSS, "the name is no service@host: write one";
    /// The name is of no form that its type has.
    MalformedName: GSS_S_BAD_NAME, 0, "the name is malformed: compare it with the type that it is given";
    /// The name has no realm and the configuration no default realm.
    RealmMissing: GSS_S_BAD_NAME, 0, "the name has no realm: write one behind an @, or set default_realm";
    /// The name is of another mechanism, or of none that can be used here.
    NameOfOtherMechanism: GSS_S_BAD_NAME, 0, "the name is of another mechanism: import it anew for this one";
    /// Names of this type are not supported.
    NameType: GSS_S_BAD_NAMETYPE, 0, "names of this type are not supported: import a user or a service";
    /// The name was not canonicalized.
    NameNotMn: GSS_S_NAME_NOT_MN, 0, "the name is not of one mechanism: call canonicalize_name first";
    /// The name has no such attribute.
    AttributeMissing: GSS_S_UNAVAILABLE, 0, "the name has no such attribute: inquire_name tells which it has";
    /// Attributes of names are the KDC's word and nobody else's.
    AttributeReadOnly: GSS_S_UNAUTHORIZED, 0, "attributes are what the KDC says: they cannot be changed";
    /// The name stands for no local account.
    LocalNameMissing: GSS_S_FAILURE, krb5::NO_LOCALNAME, "the name stands for no local account: name its realm, or map it";
    /// There is no mechanism of this identifier, or not in this build.
    Mechanism: GSS_S_BAD_MECH, GGSS + 11, "there is no such mechanism here: indicate_mechs tells which there are";
    /// The credential is for other mechanisms.
    MechanismOfCredential: GSS_S_BAD_MECH, GGSS + 11, "the credential is not for this mechanism: acquire one that is";
    /// The credential is for the other side.
    Usage: GSS_S_NO_CRED, GGSS + 7, "the credential is for the other side: acquire it with the usage that this call needs";
    /// The provider has nothing to make the credential of.
    NoCredential: GSS_S_NO_CRED, 0, "there is nothing to authenticate with: give the provider a keytab, tickets or users, or name a password";
    /// The tickets are of another client than the one that is wanted.
    CacheOfAnother: GSS_S_NO_CRED, K5G, "the credential cache is of another principal: name the right cache or the right client";
    /// The keytab has no key for the service that is wanted.
    KeytabOfAnother: GSS_S_NO_CRED, K5G + 1, "the keytab has no key of this principal: compare it with the services that are in it";
    /// The cache has no ticket-granting ticket and no other that helps.
    TicketMissing: GSS_S_NO_CRED, K5G + 2, "the credential cache has no ticket-granting ticket: log on again";
    /// The tickets have expired.
    CredentialExpired: GSS_S_CREDENTIALS_EXPIRED, 0, "the tickets have expired: log on again";
    /// The credential has an element of this mechanism already.
    DuplicateElement: GSS_S_DUPLICATE_ELEMENT, 0, "the credential has an element of this mechanism already";
    /// A credential store is not named by this key.
    StoreKey: GSS_S_UNAVAILABLE, 0, "a credential store has no such key: use ccache, client_keytab, keytab, password, nt_hash or rcache";
    /// Two entries of a credential store contradict each other.
    StoreConflict: GSS_S_CALL_BAD_STRUCTURE, 0, "the entries of the credential store contradict each other: name each key once, and one source of the client";
    /// There is no context yet, or none any more.
    ContextMissing: GSS_S_NO_CONTEXT, 0, "there is no context: begin with init_sec_context or accept_sec_context";
    /// The context is not established.
    ContextIncomplete: GSS_S_NO_CONTEXT, K5G + 7, "the context is not established: exchange the remaining tokens first";
    /// The context is established and takes no further token.
    ContextEstablished: GSS_S_NO_CONTEXT, K5G + 4, "the context is established: it takes no further token";
    /// The context is the other side's.
    ContextOfOtherSide: GSS_S_NO_CONTEXT, K5G + 8, "the context is of the other side: initiators call init_sec_context, acceptors accept_sec_context";
    /// The context has expired.
    ContextExpired: GSS_S_CONTEXT_EXPIRED, 0, "the context has expired: authenticate again";
    /// Only the default quality of protection is known.
    Qop: GSS_S_BAD_QOP, GGSS + 8, "only the default quality of protection is known: use 0";
    /// Nothing is known of this object.
    ObjectUnknown: GSS_S_UNAVAILABLE, 0, "nothing is known of the object in this context";
    /// The function makes no sense with this mechanism or is not to be had.
    Unavailable: GSS_S_UNAVAILABLE, 0, "the mechanism has no such function";
    /// The mechanism cannot keep the initiator anonymous.
    Anonymity: GSS_S_UNAVAILABLE, 0, "the mechanism cannot keep the initiator anonymous: nothing was sent; ask by name, or use another mechanism";
    /// No such attribute of mechanisms.
    MechanismAttribute: GSS_S_BAD_MECH_ATTR, 0, "there is no such attribute of mechanisms";
    /// The status is none that can be displayed.
    StatusUnknown: GSS_S_BAD_STATUS, 0, "the status is none that is known";
    /// The message is none of RFC 4752's, or not the one that is due.
    SaslMessage: GSS_S_DEFECTIVE_TOKEN, 0, "the token holds no message of SASL's GSSAPI mechanism, or not the one that is due";
    /// No security layer of SASL is left that both sides can do.
    SaslLayer: GSS_S_BAD_QOP, 0, "no security layer is left: offer more, or ask for GSS_C_INTEG_FLAG and GSS_C_CONF_FLAG";
    /// The token ends no context.
    ContextToken: GSS_S_DEFECTIVE_TOKEN, GGSS + 12, "established contexts take no further token: close the connection instead";
}

impl GssError {
    /// The major status of RFC 2744 §3.9.1. It always is an error by `GSS_ERROR`: where RFC 2744 has
    /// a supplementary bit alone for what is fatal (`GSS_S_DUPLICATE_TOKEN` during establishment),
    /// `GSS_S_FAILURE` stands beside it.
    #[must_use]
    pub fn major(&self) -> MajorStatus {
        self.major
    }

    /// The minor status: what the mechanism calls it, in MIT's numbers; zero where there is none.
    #[must_use]
    pub fn minor(&self) -> u32 {
        self.minor
    }

    /// What is behind it.
    #[must_use]
    pub fn cause(&self) -> &Cause {
        &self.cause
    }

    /// The token that tells the peer, where the mechanism has one: send it, then close.
    #[must_use]
    pub fn token(&self) -> Option<&[u8]> {
        self.token.as_deref()
    }

    fn new(major: MajorStatus, minor: u32, cause: Cause) -> Self {
        let major = if major.is_error() {
            major
        } else {
            MajorStatus(major.0 | MajorStatus::GSS_S_FAILURE.0)
        };
        Self {
            major,
            minor,
            cause,
            token: None,
        }
    }
}

/// Codes of MIT's table `krb5` above those of RFC 4120: what a library tells, no peer.
mod krb5 {
    const TABLE: i32 = -1_765_328_384;
    pub(super) const PARSE_MALFORMED: u32 = (TABLE + 134).cast_unsigned();
    pub(super) const CONFIG_BADFORMAT: u32 = (TABLE + 136).cast_unsigned();
    pub(super) const CC_NOTFOUND: u32 = (TABLE + 141).cast_unsigned();
    pub(super) const KDC_UNREACH: u32 = (TABLE + 156).cast_unsigned();
    pub(super) const NO_LOCALNAME: u32 = (TABLE + 157).cast_unsigned();
    pub(super) const KT_NOTFOUND: u32 = (TABLE + 181).cast_unsigned();
    pub(super) const FCC_NOFILE: u32 = (TABLE + 195).cast_unsigned();
}

/// Their texts.
pub(super) const LIBRARY: [(u32, &str); 7] = [
    (krb5::PARSE_MALFORMED, "the name is malformed"),
    (krb5::CONFIG_BADFORMAT, "krb5.conf is malformed"),
    (
        krb5::CC_NOTFOUND,
        "there is no ticket that is still good: log on again",
    ),
    (krb5::KDC_UNREACH, "no KDC of the realm can be reached"),
    (krb5::NO_LOCALNAME, "the name stands for no local account"),
    (krb5::KT_NOTFOUND, "the keytab has no such key"),
    (
        krb5::FCC_NOFILE,
        "there is no such credential cache: log on first",
    ),
];

impl From<Error> for GssError {
    fn from(error: Error) -> Self {
        let kind = error.kind();
        let minor = match (error.minor(), kind) {
            (0, ErrorKind::Kdc(crate::context::KdcProblem::Unreachable)) => krb5::KDC_UNREACH,
            (0, ErrorKind::CredentialMissing) => krb5::CC_NOTFOUND,
            (minor, _) => minor,
        };
        Self {
            token: error.token().map(Into::into),
            ..Self::new(error.major(), minor, Cause::Engine(kind))
        }
    }
}

impl From<ErrorKind> for GssError {
    fn from(kind: ErrorKind) -> Self {
        Error::from(kind).into()
    }
}

impl From<Problem> for GssError {
    fn from(problem: Problem) -> Self {
        Self::new(problem.major(), problem.minor(), Cause::Call(problem))
    }
}

impl From<credential::Error> for GssError {
    fn from(error: credential::Error) -> Self {
        let (major, minor) = match error {
            credential::Error::Name { .. } => (MajorStatus::GSS_S_BAD_NAME, krb5::PARSE_MALFORMED),
            credential::Error::NotFound(_) => (MajorStatus::GSS_S_NO_CRED, krb5::KT_NOTFOUND),
            _ => (MajorStatus::GSS_S_DEFECTIVE_CREDENTIAL, 0),
        };
        Self::new(major, minor, Cause::Credential(error))
    }
}

impl From<CacheError> for GssError {
    fn from(error: CacheError) -> Self {
        let (major, minor) = match error {
            CacheError::Absent => (MajorStatus::GSS_S_NO_CRED, krb5::FCC_NOFILE),
            CacheError::Format(_) => (MajorStatus::GSS_S_DEFECTIVE_CREDENTIAL, 0),
            _ => (MajorStatus::GSS_S_FAILURE, 0),
        };
        Self::new(major, minor, Cause::Cache(error))
    }
}

impl From<ConfError> for GssError {
    fn from(error: ConfError) -> Self {
        Self::new(
            MajorStatus::GSS_S_FAILURE,
            krb5::CONFIG_BADFORMAT,
            Cause::Configuration(error),
        )
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Engine(kind) => kind.fmt(f),
            Self::Credential(error) => error.fmt(f),
            Self::Cache(error) => error.fmt(f),
            Self::Configuration(error) => error.fmt(f),
            Self::Call(problem) => problem.fmt(f),
        }
    }
}

/// What to do next.
impl fmt::Display for GssError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cause.fmt(f)
    }
}

impl fmt::Debug for GssError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GssError")
            .field("major", &self.major)
            .field("minor", &format_args!("{:#010x}", self.minor))
            .field("cause", &self.cause)
            .field("token", &self.token.as_ref().map(|token| token.len()))
            .finish()
    }
}

impl core::error::Error for GssError {}
