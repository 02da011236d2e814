//! Attributes of names (RFC 6680), under the names that MIT krb5 gives the buffers of a PAC.
//!
//! | attribute | value |
//! |---|---|
//! | `urn:mspac:logon-info` | KERB_VALIDATION_INFO, MS-PAC §2.5 |
//! | `urn:mspac:credentials-info` | PAC_CREDENTIAL_INFO, MS-PAC §2.6 |
//! | `urn:mspac:server-checksum` | the server's signature, MS-PAC §2.8 |
//! | `urn:mspac:privsvr-checksum` | the KDC's signature, MS-PAC §2.8 |
//! | `urn:mspac:client-info` | PAC_CLIENT_INFO, MS-PAC §2.7 |
//! | `urn:mspac:delegation-info` | S4U_DELEGATION_INFO, MS-PAC §2.9 |
//! | `urn:mspac:upn-dns-info` | UPN_DNS_INFO, MS-PAC §2.10 |
//! | `urn:mspac:` and a number in decimal | the buffer of that `ulType` (MS-PAC §2.4), one of those without a name |
//!
//! They exist only where the PAC was verified: each is authenticated and complete.

use std::sync::Arc;

use crate::kerberos::VerifiedPac;
use crate::token::oid::Oid;
use crate::token::pac::BufferType;

use super::super::error::{GssError, Problem};
use super::Name;

/// The buffers that MIT has a name for.
const NAMED: [(BufferType, &str); 7] = [
    (BufferType::LOGON_INFO, "logon-info"),
    (BufferType::CREDENTIALS_INFO, "credentials-info"),
    (BufferType::SERVER_SIGNATURE, "server-checksum"),
    (BufferType::KDC_SIGNATURE, "privsvr-checksum"),
    (BufferType::CLIENT_INFO, "client-info"),
    (BufferType::DELEGATION_INFO, "delegation-info"),
    (BufferType::UPN_DNS_INFO, "upn-dns-info"),
];

/// Those that have a number only.
const NUMBERED: [BufferType; 7] = [
    BufferType::CLIENT_CLAIMS_INFO,
    BufferType::DEVICE_INFO,
    BufferType::DEVICE_CLAIMS_INFO,
    BufferType::TICKET_SIGNATURE,
    BufferType::ATTRIBUTES_INFO,
    BufferType::REQUESTOR,
    BufferType::FULL_SIGNATURE,
];

const PREFIX: &str = "urn:mspac:";

/// What a verified PAC says of a name.
#[derive(Debug, Clone)]
pub(in super::super) struct Attributes(Arc<[(String, Vec<u8>)]>);

impl Attributes {
    pub(in super::super) fn of(pac: &VerifiedPac<'_>) -> Self {
        let named = NAMED.iter().map(|(kind, name)| (*kind, (*name).to_owned()));
        let numbered = NUMBERED.iter().map(|kind| (*kind, kind.0.to_string()));
        let found = named.chain(numbered).filter_map(|(kind, name)| {
            let value = pac.buffer(kind)?;
            Some((format!("{PREFIX}{name}"), value.to_vec()))
        });
        Self(found.collect())
    }
}

/// What [`inquire_name`] tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameInfo {
    /// The mechanism, where the name is of one alone.
    pub mechanism: Option<Oid<'static>>,
    /// The attributes that it has.
    pub attributes: Vec<String>,
}

impl NameInfo {
    /// Whether the name is of one mechanism.
    #[must_use]
    pub fn is_mn(&self) -> bool {
        self.mechanism.is_some()
    }
}

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameAttribute {
    /// The value.
    pub value: Vec<u8>,
    /// Whether somebody who is trusted vouches for it: always, as nothing else is offered.
    pub authenticated: bool,
    /// Whether the value is all there is of it.
    pub complete: bool,
}

/// Which attributes a name has, and whether it is of one mechanism (RFC 6680, `gss_inquire_name`).
#[must_use]
pub fn inquire_name(name: &Name) -> NameInfo {
    let attributes = name.attributes.iter().flat_map(|all| all.0.iter());
    NameInfo {
        mechanism: name.mechanism(),
        attributes: attributes.map(|(name, _)| name.clone()).collect(),
    }
}

/// An attribute of a name (RFC 6680, `gss_get_name_attribute`). None has more than one value.
///
/// # Errors
/// `GSS_S_UNAVAILABLE` where the name has none such.
pub fn get_name_attribute(name: &Name, attribute: &str) -> Result<NameAttribute, GssError> {
    let mut all = name.attributes.iter().flat_map(|all| all.0.iter());
    let (_, value) = all
        .find(|(name, _)| name == attribute)
        .ok_or(Problem::AttributeMissing)?;
    Ok(NameAttribute {
        value: value.clone(),
        authenticated: true,
        complete: true,
    })
}

/// Sets an attribute of a name (RFC 6680, `gss_set_name_attribute`): refused, as attributes are the KDC's word alone.
///
/// # Errors
/// `GSS_S_UNAUTHORIZED`, always.
pub fn set_name_attribute(
    _name: &mut Name,
    _complete: bool,
    _attribute: &str,
    _value: &[u8],
) -> Result<(), GssError> {
    Err(Problem::AttributeReadOnly.into())
}

/// Removes an attribute of a name (RFC 6680, `gss_delete_name_attribute`): refused, as attributes are the KDC's word alone.
///
/// # Errors
/// `GSS_S_UNAUTHORIZED`, always.
pub fn delete_name_attribute(_name: &mut Name, _attribute: &str) -> Result<(), GssError> {
    Err(Problem::AttributeReadOnly.into())
}
