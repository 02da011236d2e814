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
//! Those of a context's peer exist only where the PAC was verified: each is authenticated and complete.
//! In an exported name they lose that, as whoever holds the bytes can write others (RFC 6680 §7.8).
//!
//! The exported form, that of MIT krb5's module for PACs, with numbers of 4 bytes, the most significant first:
//!
//! ```text
//! 1 | 5 | "mspac" | length of the PAC | PAC | 0, as nobody vouches for it
//! ```

use std::sync::Arc;

use crate::kerberos::VerifiedPac;
use crate::token::oid::Oid;
use crate::token::pac::{BufferType, Pac};

use super::super::error::{GssError, Problem};
use super::Name;
use super::exported::{counted, put_counted};

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

/// The name of MIT's module.
const MODULE: &[u8] = b"mspac";

/// What a PAC says of a name.
#[derive(Debug, Clone)]
pub(in super::super) struct Attributes {
    /// The whole PAC.
    pac: Arc<[u8]>,
    found: Arc<[(String, Vec<u8>)]>,
    /// Whether it was verified here.
    authenticated: bool,
}

impl Attributes {
    pub(in super::super) fn of(pac: &VerifiedPac<'_>) -> Self {
        Self {
            authenticated: true,
            ..Self::read(pac.as_bytes(), |kind| pac.buffer(kind))
        }
    }

    /// Those of an exported name. What stands behind a module that is not known has no bounds, and is
    /// left out; that of PACs is MIT's first.
    pub(super) fn imported(bytes: &[u8]) -> Result<Option<Self>, GssError> {
        let read = || {
            let (count, rest) = bytes.split_first_chunk()?;
            if u32::from_be_bytes(*count) == 0 {
                return Some(None);
            }
            let (module, rest) = counted(rest)?;
            if module != MODULE {
                return Some(None);
            }
            let (pac, rest) = counted(rest)?;
            let (_verified, rest) = rest.split_first_chunk::<4>()?;
            let alone = u32::from_be_bytes(*count) == 1;
            (!alone || rest.is_empty()).then_some(Some(pac))
        };
        match read().ok_or(Problem::MalformedName)? {
            None | Some([]) => Ok(None),
            Some(bytes) => {
                let pac = Pac::parse(bytes).map_err(|_| Problem::MalformedName)?;
                Ok(Some(Self::read(bytes, |kind| pac.buffer(kind))))
            }
        }
    }

    /// The reverse of [`imported`](Self::imported).
    pub(super) fn exported(&self) -> Vec<u8> {
        let mut bytes = 1_u32.to_be_bytes().to_vec();
        put_counted(&mut bytes, MODULE);
        put_counted(&mut bytes, &self.pac);
        bytes.extend_from_slice(&0_u32.to_be_bytes());
        bytes
    }

    fn read<'a>(pac: &[u8], buffer: impl Fn(BufferType) -> Option<&'a [u8]>) -> Self {
        let named = NAMED.iter().map(|(kind, name)| (*kind, (*name).to_owned()));
        let numbered = NUMBERED.iter().map(|kind| (*kind, kind.0.to_string()));
        let found = named.chain(numbered).filter_map(|(kind, name)| {
            let value = buffer(kind)?;
            Some((format!("{PREFIX}{name}"), value.to_vec()))
        });
        Self {
            pac: pac.into(),
            found: found.collect(),
            authenticated: false,
        }
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
    /// Whether somebody who is trusted vouches for it: for what a context's peer has, but not for what
    /// an imported name brings along.
    pub authenticated: bool,
    /// Whether the value is all there is of it.
    pub complete: bool,
}

/// Which attributes a name has, and whether it is of one mechanism (RFC 6680, `gss_inquire_name`).
#[must_use]
pub fn inquire_name(name: &Name) -> NameInfo {
    let attributes = name.attributes.iter().flat_map(|all| all.found.iter());
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
    let all = name.attributes.as_ref().ok_or(Problem::AttributeMissing)?;
    let mut found = all.found.iter();
    let (_, value) = found
        .find(|(name, _)| name == attribute)
        .ok_or(Problem::AttributeMissing)?;
    Ok(NameAttribute {
        value: value.clone(),
        authenticated: all.authenticated,
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
