//! The mechanisms that there are.
//!
//! | mechanism | identifier | |
//! |---|---|---|
//! | Kerberos | 1.2.840.113554.1.2.2, and 1.2.840.48018.1.2.2 of Windows 2000 | the default |
//! | IAKERB | 1.3.6.1.5.2.5 | the acceptor passes messages on to KDCs; where a program names it |
//! | user-to-user | 1.2.840.113554.1.2.2.3 | the acceptor has a ticket instead of a key; where a program names it |
//! | SPNEGO | 1.3.6.1.5.5.2 | negotiates one of the others |
//! | NTLM | 1.3.6.1.4.1.311.2.2.10 | with the feature `ntlm`, where a program names it |

mod attributes;
mod sasl_name;

use crate::token::oid::Oid;

use super::error::Problem;
use super::oid::OidSet;

pub use attributes::*;
pub use sasl_name::{SaslName, inquire_mech_for_saslname, inquire_saslname_for_mech};

/// A mechanism of this face.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mech {
    Krb5,
    Iakerb,
    UserToUser,
    Spnego,
    #[cfg(feature = "ntlm")]
    Ntlm,
}

impl Mech {
    pub(super) const ALL: &[Self] = &[
        Self::Krb5,
        Self::Iakerb,
        Self::UserToUser,
        Self::Spnego,
        #[cfg(feature = "ntlm")]
        Self::Ntlm,
    ];

    pub(super) fn of(oid: Oid<'_>) -> Result<Self, Problem> {
        match oid {
            oid if oid.is_kerberos() => Ok(Self::Krb5),
            Oid::IAKERB => Ok(Self::Iakerb),
            Oid::KERBEROS_USER_TO_USER => Ok(Self::UserToUser),
            Oid::SPNEGO => Ok(Self::Spnego),
            #[cfg(feature = "ntlm")]
            Oid::NTLMSSP => Ok(Self::Ntlm),
            _ => Err(Problem::Mechanism),
        }
    }

    pub(super) const fn oid(self) -> Oid<'static> {
        match self {
            Self::Krb5 => Oid::KERBEROS,
            Self::Iakerb => Oid::IAKERB,
            Self::UserToUser => Oid::KERBEROS_USER_TO_USER,
            Self::Spnego => Oid::SPNEGO,
            #[cfg(feature = "ntlm")]
            Self::Ntlm => Oid::NTLMSSP,
        }
    }
}

/// The mechanisms that there are (RFC 2744 §5.18, `gss_indicate_mechs`).
#[must_use]
pub fn indicate_mechs() -> OidSet {
    Mech::ALL.iter().map(|mechanism| mechanism.oid()).collect()
}
