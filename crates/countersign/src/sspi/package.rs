//! Packages: what there is to choose from by name.
//!
//! | package | `wRPCID` | tokens |
//! |---|---|---|
//! | `Negotiate` | 9 | SPNEGO (RFC 4178) around those of the others |
//! | `Kerberos` | 16 | RFC 4121 |
//! | `NTLM` | 10 | MS-NLMP; only with the feature `ntlm` |

use core::fmt;

use countersign_context::Policy;
use countersign_context::token::oid::Oid;

use super::{SecurityStatus, SspiError};

macro_rules! numbers {
    ($type:ty: $($(#[$doc:meta])* $name:ident = $value:literal;)*) => {
        $($(#[$doc])* pub const $name: $type = $value;)*
    };
}

/// `NEGOSSP_NAME`.
pub const NEGOSSP_NAME: &str = "Negotiate";
/// `MICROSOFT_KERBEROS_NAME`.
pub const MICROSOFT_KERBEROS_NAME: &str = "Kerberos";
/// `NTLMSP_NAME`.
pub const NTLMSP_NAME: &str = "NTLM";

numbers! { u16:
    /// `RPC_C_AUTHN_GSS_NEGOTIATE`.
    RPC_C_AUTHN_GSS_NEGOTIATE = 9;
    /// `RPC_C_AUTHN_WINNT`.
    RPC_C_AUTHN_WINNT = 10;
    /// `RPC_C_AUTHN_GSS_KERBEROS`.
    RPC_C_AUTHN_GSS_KERBEROS = 16;
    /// No RPC authentication service.
    SECPKG_ID_NONE = 0xFFFF;
}

numbers! { u32:
    /// `MakeSignature` and `VerifySignature`.
    SECPKG_FLAG_INTEGRITY = 0x0000_0001;
    /// `EncryptMessage` and `DecryptMessage`.
    SECPKG_FLAG_PRIVACY = 0x0000_0002;
    /// The token buffer alone is looked at.
    SECPKG_FLAG_TOKEN_ONLY = 0x0000_0004;
    /// Datagrams.
    SECPKG_FLAG_DATAGRAM = 0x0000_0008;
    /// Connections.
    SECPKG_FLAG_CONNECTION = 0x0000_0010;
    /// Several legs may be needed.
    SECPKG_FLAG_MULTI_REQUIRED = 0x0000_0020;
    /// No server side.
    SECPKG_FLAG_CLIENT_ONLY = 0x0000_0040;
    /// Errors can be told to the peer.
    SECPKG_FLAG_EXTENDED_ERROR = 0x0000_0080;
    /// The client can be impersonated.
    SECPKG_FLAG_IMPERSONATION = 0x0000_0100;
    /// Names of Windows are targets.
    SECPKG_FLAG_ACCEPT_WIN32_NAME = 0x0000_0200;
    /// Streams.
    SECPKG_FLAG_STREAM = 0x0000_0400;
    /// Can be negotiated.
    SECPKG_FLAG_NEGOTIABLE = 0x0000_0800;
    /// Tokens are those of GSS-API.
    SECPKG_FLAG_GSS_COMPATIBLE = 0x0000_1000;
    /// `LsaLogonUser`.
    SECPKG_FLAG_LOGON = 0x0000_2000;
    /// Buffers are ASCII.
    SECPKG_FLAG_ASCII_BUFFERS = 0x0000_4000;
    /// Tokens can be sent in fragments.
    SECPKG_FLAG_FRAGMENT = 0x0000_8000;
    /// Mutual authentication.
    SECPKG_FLAG_MUTUAL_AUTH = 0x0001_0000;
    /// Delegation.
    SECPKG_FLAG_DELEGATION = 0x0002_0000;
    /// `SECBUFFER_READONLY_WITH_CHECKSUM`.
    SECPKG_FLAG_READONLY_WITH_CHECKSUM = 0x0004_0000;
}

/// One of the packages.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Package {
    /// The mechanism is negotiated.
    Negotiate,
    /// Kerberos alone.
    Kerberos,
    /// NTLM alone.
    Ntlm,
}

impl Package {
    /// Those of this build, `Negotiate` first.
    pub const ALL: &'static [Self] = &[
        Self::Negotiate,
        Self::Kerberos,
        #[cfg(feature = "ntlm")]
        Self::Ntlm,
    ];

    /// The package of this name, in any case of letters; `None` where this build has none.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        let mut all = Self::ALL.iter().copied();
        all.find(|package| package.name().eq_ignore_ascii_case(name))
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Negotiate => NEGOSSP_NAME,
            Self::Kerberos => MICROSOFT_KERBEROS_NAME,
            Self::Ntlm => NTLMSP_NAME,
        }
    }

    /// The package whose mechanism this is.
    pub(super) fn of_mechanism(mechanism: Oid<'_>) -> Self {
        match mechanism {
            Oid::NTLMSSP => Self::Ntlm,
            Oid::SPNEGO => Self::Negotiate,
            _ => Self::Kerberos,
        }
    }

    pub(super) fn find(name: &str) -> Result<Self, SspiError> {
        Self::of_name(name).ok_or(SecurityStatus::SEC_E_SECPKG_NOT_FOUND.into())
    }

    /// What `QuerySecurityPackageInfo` says of it.
    #[must_use]
    pub fn info(self) -> SecPkgInfo {
        let both = SECPKG_FLAG_INTEGRITY
            | SECPKG_FLAG_PRIVACY
            | SECPKG_FLAG_CONNECTION
            | SECPKG_FLAG_MULTI_REQUIRED
            | SECPKG_FLAG_IMPERSONATION
            | SECPKG_FLAG_ACCEPT_WIN32_NAME
            | SECPKG_FLAG_NEGOTIABLE
            | SECPKG_FLAG_READONLY_WITH_CHECKSUM;
        let kerberos = SECPKG_FLAG_EXTENDED_ERROR
            | SECPKG_FLAG_GSS_COMPATIBLE
            | SECPKG_FLAG_MUTUAL_AUTH
            | SECPKG_FLAG_DELEGATION;
        let (capabilities, rpc_id, comment) = match self {
            Self::Negotiate => (
                both | kerberos,
                RPC_C_AUTHN_GSS_NEGOTIATE,
                "Negotiates the mechanism (RFC 4178)",
            ),
            Self::Kerberos => (
                both | kerberos | SECPKG_FLAG_TOKEN_ONLY,
                RPC_C_AUTHN_GSS_KERBEROS,
                "Kerberos V5 (RFC 4120, RFC 4121)",
            ),
            Self::Ntlm => (
                both | SECPKG_FLAG_TOKEN_ONLY | SECPKG_FLAG_DATAGRAM,
                RPC_C_AUTHN_WINNT,
                "NTLM, NTLMv2 with a MIC (MS-NLMP)",
            ),
        };
        SecPkgInfo {
            capabilities,
            version: 1,
            rpc_id,
            max_token: Policy::DEFAULT.max_token(),
            name: self.name(),
            comment,
        }
    }
}

impl fmt::Display for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// `SecPkgInfo`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecPkgInfo {
    /// `fCapabilities`: `SECPKG_FLAG_*`.
    pub capabilities: u32,
    /// `wVersion`.
    pub version: u16,
    /// `wRPCID`: `RPC_C_AUTHN_*`.
    pub rpc_id: u16,
    /// `cbMaxToken`: no token of the establishment is longer, under the default policy.
    pub max_token: usize,
    /// `Name`.
    pub name: &'static str,
    /// `Comment`.
    pub comment: &'static str,
}

/// `EnumerateSecurityPackages`: those of this build.
#[must_use]
pub fn enumerate_security_packages() -> Vec<SecPkgInfo> {
    Package::ALL.iter().map(|package| package.info()).collect()
}

/// `QuerySecurityPackageInfo`.
///
/// # Errors
/// `SEC_E_SECPKG_NOT_FOUND`.
pub fn query_security_package_info(package: &str) -> Result<SecPkgInfo, SspiError> {
    Ok(Package::find(package)?.info())
}
