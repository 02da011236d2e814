//! Names: as they are imported, of one mechanism, exported.
//!
//! ```text
//!   import_name ──▶ Name ── canonicalize_name ──▶ Name of one mechanism (MN) ── export_name ──▶ bytes
//!                                                   ▲                                            │
//!     the peer of a context ────────────────────────┘◀────────── import_name, EXPORT_NAME ───────┘
//!
//!     with what its PAC says: export_name_composite, COMPOSITE_EXPORT
//! ```
//!
//! | type | Kerberos | NTLM |
//! |---|---|---|
//! | `GSS_C_NT_HOSTBASED_SERVICE` | `service/host@`, the realm from `[domain_realm]` or a referral | the service that is meant |
//! | `GSS_C_NT_USER_NAME`, `GSS_C_NO_OID` | a principal; without a realm `default_realm` | `DOMAIN\user`, `user@domain`, `user` |
//! | `GSS_KRB5_NT_PRINCIPAL_NAME` | a principal | refused |
//! | `GSS_KRB5_NT_ENTERPRISE_NAME` | one component, to be canonicalized by the KDC | refused |
//! | `GSS_C_NT_ANONYMOUS` | `WELLKNOWN/ANONYMOUS@WELLKNOWN:ANONYMOUS` (RFC 8062 §3) | nobody |
//! | `GSS_C_NT_EXPORT_NAME` | its principal | its account |
//! | `GSS_C_NT_COMPOSITE_EXPORT` | its principal, and attributes that nobody vouches for | its account |
//! | `GSS_C_NT_MACHINE_UID_NAME`, `GSS_C_NT_STRING_UID_NAME` | refused | refused |

mod attributes;
mod exported;
mod local;
mod mechanism;

use core::fmt;

use crate::Identity;
use crate::credential::{Principal, ServiceName};
use crate::token::oid::Oid;

use super::error::{GssError, Problem};
use super::oid;
use super::oid::OidSet;

pub(super) use attributes::Attributes;
pub use attributes::{
    NameAttribute, NameInfo, delete_name_attribute, get_name_attribute, inquire_name,
    set_name_attribute,
};
pub use local::{LocalNames, localname, userok};
pub(super) use mechanism::{acceptor_pattern, principal_of};
#[cfg(feature = "ntlm")]
pub(super) use mechanism::{account_of, service_of};

/// A name (`gss_name_t`). Drop it to release it; clones are duplicates (`gss_duplicate_name`).
#[derive(Debug, Clone)]
pub struct Name {
    pub(super) form: Form,
    /// What a PAC says.
    pub(super) attributes: Option<Attributes>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Form {
    /// `service@host`, or `service` alone.
    Host(String),
    /// Of a type that each mechanism reads as it does.
    Text(Vec<u8>, Kind),
    /// Nobody.
    Anonymous,
    /// Of one mechanism.
    Mechanism(Identity),
}

/// What a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// No type was given.
    Any,
    User,
    Principal,
    Enterprise,
}

impl Name {
    fn new(form: Form) -> Self {
        Self {
            form,
            attributes: None,
        }
    }

    /// The name of somebody in an established context, with what the PAC says.
    pub(super) fn of(identity: &Identity, attributes: Option<Attributes>) -> Self {
        Self {
            form: Form::Mechanism(identity.clone()),
            attributes,
        }
    }

    /// Who it is in the engine's terms; `None` for a name that is of no mechanism yet.
    #[must_use]
    pub fn identity(&self) -> Option<&Identity> {
        match &self.form {
            Form::Mechanism(identity) => Some(identity),
            _ => None,
        }
    }

    /// The mechanism that it is of, where it is of one alone (an MN).
    #[must_use]
    pub fn mechanism(&self) -> Option<Oid<'static>> {
        self.identity().map(|identity| match identity {
            Identity::Other { mechanism, .. } => *mechanism,
            #[cfg(feature = "ntlm")]
            Identity::Ntlm(_) => Oid::NTLMSSP,
            _ => Oid::KERBEROS,
        })
    }

    /// Its type, as [`display_name`] tells it.
    #[must_use]
    pub fn name_type(&self) -> Option<Oid<'static>> {
        match &self.form {
            Form::Host(_) => Some(oid::GSS_C_NT_HOSTBASED_SERVICE),
            Form::Text(_, Kind::Any) => None,
            Form::Text(_, Kind::User) => Some(oid::GSS_C_NT_USER_NAME),
            Form::Text(_, Kind::Principal) => Some(oid::GSS_KRB5_NT_PRINCIPAL_NAME),
            Form::Text(_, Kind::Enterprise) => Some(oid::GSS_KRB5_NT_ENTERPRISE_NAME),
            Form::Anonymous => Some(oid::GSS_C_NT_ANONYMOUS),
            Form::Mechanism(identity) if is_nobody(identity) => Some(oid::GSS_C_NT_ANONYMOUS),
            Form::Mechanism(Identity::Kerberos(_)) => Some(oid::GSS_KRB5_NT_PRINCIPAL_NAME),
            Form::Mechanism(_) => Some(oid::GSS_C_NT_USER_NAME),
        }
    }
}

impl From<Principal> for Name {
    fn from(principal: Principal) -> Self {
        Self::new(Form::Mechanism(Identity::Kerberos(principal)))
    }
}

/// As [`display_name`] gives it.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.form {
            Form::Host(text) => f.write_str(text),
            Form::Text(text, _) => f.write_str(&String::from_utf8_lossy(text)),
            Form::Anonymous => f.write_str("WELLKNOWN/ANONYMOUS@WELLKNOWN:ANONYMOUS"),
            Form::Mechanism(identity) => identity.fmt(f),
        }
    }
}

/// Reads a name (RFC 2744 §5.16, `gss_import_name`); `None` is `GSS_C_NO_OID`.
///
/// # Errors
/// `GSS_S_BAD_NAMETYPE` for types that are refused (see the table of this module's names),
/// `GSS_S_BAD_NAME` where the text is not of the type.
pub fn import_name(text: &[u8], name_type: Option<Oid<'_>>) -> Result<Name, GssError> {
    let Some(name_type) = name_type else {
        return written(text, Kind::Any);
    };
    match name_type {
        oid::GSS_C_NT_HOSTBASED_SERVICE | oid::GSS_C_NT_HOSTBASED_SERVICE_X => {
            let text = str::from_utf8(text).map_err(|_| Problem::MalformedName)?;
            let host = if text.contains('@') {
                text.to_owned()
            } else {
                format!("{text}@host")
            };
            if text.contains('/') || ServiceName::parse(&host).is_err() {
                return Err(Problem::ServiceName.into());
            }
            Ok(Name::new(Form::Host(text.to_owned())))
        }
        oid::GSS_C_NT_USER_NAME => written(text, Kind::User),
        oid::GSS_KRB5_NT_PRINCIPAL_NAME => written(text, Kind::Principal),
        oid::GSS_KRB5_NT_ENTERPRISE_NAME => written(text, Kind::Enterprise),
        oid::GSS_C_NT_ANONYMOUS => Ok(Name::new(Form::Anonymous)),
        oid::GSS_C_NT_EXPORT_NAME => exported::read(text).map(|it| Name::new(Form::Mechanism(it))),
        oid::GSS_C_NT_COMPOSITE_EXPORT => {
            let (identity, attributes) = exported::read_composite(text)?;
            Ok(Name::of(&identity, attributes))
        }
        _ => Err(Problem::NameType.into()),
    }
}

fn written(text: &[u8], kind: Kind) -> Result<Name, GssError> {
    if text.is_empty() || text.contains(&0) {
        return Err(Problem::MalformedName.into());
    }
    Ok(Name::new(Form::Text(text.to_vec(), kind)))
}

/// The text of a name for people and logs, and its type (RFC 2744 §5.10, `gss_display_name`).
///
/// Compare names by [`compare_name`] or [`export_name`], never by this text.
#[must_use]
pub fn display_name(name: &Name) -> (String, Option<Oid<'static>>) {
    (name.to_string(), name.name_type())
}

/// Whether both are the same (RFC 2744 §5.6, `gss_compare_name`). Nobody is the same as anybody, not
/// even as nobody (RFC 2743 §2.4.3).
///
/// # Errors
/// `GSS_S_BAD_NAMETYPE` where they cannot be compared: names of different mechanisms, or one of a
/// mechanism with one of none; [`canonicalize_name`] first.
pub fn compare_name(one: &Name, other: &Name) -> Result<bool, GssError> {
    match (&one.form, &other.form) {
        (Form::Anonymous, _) | (_, Form::Anonymous) => Ok(false),
        (Form::Mechanism(one_is), Form::Mechanism(other_is)) => {
            if one.mechanism() != other.mechanism() {
                return Err(Problem::NameType.into());
            }
            Ok(!is_nobody(one_is) && one_is == other_is)
        }
        (Form::Mechanism(_), _) | (_, Form::Mechanism(_)) => Err(Problem::NameType.into()),
        (one, other) => Ok(one == other),
    }
}

fn is_nobody(identity: &Identity) -> bool {
    match identity {
        Identity::Kerberos(principal) => {
            principal.realm() == b"WELLKNOWN:ANONYMOUS"
                || principal.components().eq([&b"WELLKNOWN"[..], b"ANONYMOUS"])
        }
        #[cfg(feature = "ntlm")]
        Identity::Ntlm(identity) => !matches!(identity, crate::NtlmIdentity::Account(_)),
        _ => false,
    }
}

/// The name as one mechanism has it (RFC 2744 §5.5, `gss_canonicalize_name`). Nobody is asked: for
/// services whose realm only a KDC knows, it stays empty.
///
/// # Errors
/// `GSS_S_BAD_MECH`; `GSS_S_BAD_NAME` where the mechanism has no such name.
pub fn canonicalize_name(
    provider: &crate::Provider,
    name: &Name,
    mechanism: Oid<'_>,
) -> Result<Name, GssError> {
    let identity = mechanism::identity_of(provider, name, mechanism)?;
    Ok(Name {
        form: Form::Mechanism(identity),
        attributes: name.attributes.clone(),
    })
}

/// The bytes that stand for a name of one mechanism in access lists (RFC 2744 §5.13,
/// `gss_export_name`; RFC 2743 §3.2). Attributes are left out.
///
/// # Errors
/// `GSS_S_NAME_NOT_MN` before [`canonicalize_name`].
pub fn export_name(name: &Name) -> Result<Vec<u8>, GssError> {
    let identity = name.identity().ok_or(Problem::NameNotMn)?;
    Ok(identity.to_exported_name())
}

/// The bytes that stand for a name of one mechanism and its attributes (RFC 6680 §7.8,
/// `gss_export_name_composite`), to be imported as
/// [`GSS_C_NT_COMPOSITE_EXPORT`](oid::GSS_C_NT_COMPOSITE_EXPORT). Do not compare them: the same
/// user's differ from logon to logon.
///
/// Whoever can change the bytes can change the attributes: the imported name has them as
/// [not authenticated](NameAttribute::authenticated), and the name itself is as good as the way that the
/// bytes came.
///
/// # Errors
/// `GSS_S_NAME_NOT_MN` before [`canonicalize_name`].
pub fn export_name_composite(name: &Name) -> Result<Vec<u8>, GssError> {
    let identity = name.identity().ok_or(Problem::NameNotMn)?;
    Ok(exported::composite(identity, name.attributes.as_ref()))
}

/// A copy (RFC 2744 §5.12, `gss_duplicate_name`).
#[must_use]
pub fn duplicate_name(name: &Name) -> Name {
    name.clone()
}

/// The types of names that a mechanism reads (RFC 2744 §5.24, `gss_inquire_names_for_mech`).
///
/// # Errors
/// `GSS_S_BAD_MECH`.
pub fn inquire_names_for_mech(mechanism: Oid<'_>) -> Result<OidSet, GssError> {
    let common = OidSet::from([
        oid::GSS_C_NT_HOSTBASED_SERVICE,
        oid::GSS_C_NT_USER_NAME,
        oid::GSS_C_NT_ANONYMOUS,
        oid::GSS_C_NT_EXPORT_NAME,
        oid::GSS_C_NT_COMPOSITE_EXPORT,
    ]);
    match super::mechanism::Mech::of(mechanism)? {
        #[cfg(feature = "ntlm")]
        super::mechanism::Mech::Ntlm => Ok(common),
        _ => Ok(common
            .with(oid::GSS_KRB5_NT_PRINCIPAL_NAME)
            .with(oid::GSS_KRB5_NT_ENTERPRISE_NAME)),
    }
}

/// The mechanisms that read names of this name's type (RFC 2744 §5.23, `gss_inquire_mechs_for_name`).
#[must_use]
pub fn inquire_mechs_for_name(name: &Name) -> OidSet {
    let all = super::indicate_mechs();
    match (&name.form, name.mechanism()) {
        (Form::Mechanism(_), Some(own)) => all
            .iter()
            .filter(|mechanism| {
                (own == Oid::NTLMSSP) == (*mechanism == Oid::NTLMSSP) || *mechanism == Oid::SPNEGO
            })
            .collect(),
        (Form::Text(_, Kind::Principal | Kind::Enterprise), _) => all
            .iter()
            .filter(|mechanism| *mechanism != Oid::NTLMSSP)
            .collect(),
        _ => all,
    }
}
