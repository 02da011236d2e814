//! The names of mechanisms in SASL (RFC 5801 §10 and §11).
//!
//! | mechanism | name in SASL | source |
//! |---|---|---|
//! | Kerberos | `GS2-KRB5` | RFC 5801 §3.4 |
//! | IAKERB | `GS2-IAKERB` | draft-ietf-kitten-iakerb |
//! | SPNEGO | `SPNEGO` | as MIT krb5 has it; GS2 must not use it (RFC 5801) |
//! | NTLM | `GS2-NTLM` | as gss-ntlmssp has it |
//! | user-to-user | none | |

use crate::token::oid::Oid;

use super::super::error::{GssError, Problem};
use super::Mech;

/// What [`inquire_saslname_for_mech`] tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SaslName {
    /// The name in SASL.
    pub sasl_mech_name: &'static str,
    /// A short name.
    pub mech_name: &'static str,
    /// What it is.
    pub mech_description: &'static str,
}

fn of(mechanism: Mech) -> Option<SaslName> {
    let (sasl_mech_name, mech_name, mech_description) = match mechanism {
        Mech::Krb5 => ("GS2-KRB5", "krb5", "Kerberos 5"),
        Mech::Iakerb => ("GS2-IAKERB", "iakerb", "Kerberos 5 through the acceptor"),
        Mech::Spnego => ("SPNEGO", "spnego", "negotiation of a mechanism"),
        Mech::UserToUser => return None,
        #[cfg(feature = "ntlm")]
        Mech::Ntlm => ("GS2-NTLM", "ntlm", "NTLM"),
    };
    Some(SaslName {
        sasl_mech_name,
        mech_name,
        mech_description,
    })
}

/// The names of a mechanism (RFC 5801 §10, `gss_inquire_saslname_for_mech`).
///
/// # Errors
/// `GSS_S_BAD_MECH`, also where SASL has no name for it.
pub fn inquire_saslname_for_mech(mechanism: Oid<'_>) -> Result<SaslName, GssError> {
    Ok(of(Mech::of(mechanism)?).ok_or(Problem::Mechanism)?)
}

/// The mechanism of a name in SASL (RFC 5801 §11, `gss_inquire_mech_for_saslname`).
///
/// # Errors
/// `GSS_S_BAD_MECH`.
pub fn inquire_mech_for_saslname(sasl_mech_name: &str) -> Result<Oid<'static>, GssError> {
    let named = |mechanism: &&Mech| {
        of(**mechanism).is_some_and(|name| name.sasl_mech_name == sasl_mech_name)
    };
    let mechanism = Mech::ALL.iter().find(named).ok_or(Problem::Mechanism)?;
    Ok(mechanism.oid())
}
