//! Exported names, read back, and those with attributes.
//!
//! ```text
//! 04 01 | length of the OID's DER, 2 bytes | OID | length of the name, 4 bytes | name
//! 04 02 | length of the OID's DER, 2 bytes | OID | length of the name, 4 bytes | name
//!       | length of the attributes, 4 bytes | attributes
//! ```
//!
//! Source: RFC 2743 §3.2; RFC 1964 §2.1.1 has the name of a principal. RFC 6680 §7.8 has `04 02` and
//! leaves the rest to implementations; it is as in MIT krb5, so that either reads the other's.

use crate::Identity;
use crate::credential::Principal;
use crate::token::der::Decode;
use crate::token::oid::Oid;

use super::super::error::{GssError, Problem};
use super::attributes::Attributes;

const TOKEN_ID: [u8; 2] = [0x04, 0x01];
const COMPOSITE_TOKEN_ID: [u8; 2] = [0x04, 0x02];

pub(super) fn read(bytes: &[u8]) -> Result<Identity, GssError> {
    match parse(bytes, TOKEN_ID).ok_or(Problem::MalformedName)? {
        (mechanism, name, []) => identity(mechanism, name),
        _ => Err(Problem::MalformedName.into()),
    }
}

/// The identity, and attributes that nobody vouches for.
pub(super) fn read_composite(bytes: &[u8]) -> Result<(Identity, Option<Attributes>), GssError> {
    let (mechanism, name, rest) = parse(bytes, COMPOSITE_TOKEN_ID).ok_or(Problem::MalformedName)?;
    let Some((attributes, [])) = counted(rest) else {
        return Err(Problem::MalformedName.into());
    };
    let attributes = match attributes {
        [] => None,
        attributes if mechanism.is_kerberos() => Attributes::imported(attributes)?,
        _ => return Err(Problem::MalformedName.into()),
    };
    Ok((identity(mechanism, name)?, attributes))
}

/// The reverse of [`read_composite`].
pub(super) fn composite(identity: &Identity, attributes: Option<&Attributes>) -> Vec<u8> {
    let mut exported = identity.to_exported_name();
    exported.splice(..TOKEN_ID.len(), COMPOSITE_TOKEN_ID);
    put_counted(
        &mut exported,
        &attributes.map(Attributes::exported).unwrap_or_default(),
    );
    exported
}

fn identity(mechanism: Oid<'_>, name: &[u8]) -> Result<Identity, GssError> {
    match mechanism {
        mechanism if mechanism.is_kerberos() => Ok(Identity::Kerberos(Principal::parse(name)?)),
        #[cfg(feature = "ntlm")]
        Oid::NTLMSSP => {
            let name = str::from_utf8(name).map_err(|_| Problem::MalformedName)?;
            let account = crate::credential::ntlm::AccountName::parse(name)?;
            Ok(Identity::Ntlm(crate::NtlmIdentity::Account(account)))
        }
        _ => Err(Problem::NameOfOtherMechanism.into()),
    }
}

/// The mechanism, the name, and what is behind it.
fn parse(bytes: &[u8], token_id: [u8; 2]) -> Option<(Oid<'_>, &[u8], &[u8])> {
    let rest = bytes.strip_prefix(&token_id)?;
    let (length, rest) = rest.split_first_chunk()?;
    let (oid, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    let oid = Oid::from_der(oid).ok()?;
    let (name, rest) = counted(rest)?;
    Some((oid, name, rest))
}

/// Bytes behind their number, and what is behind them.
pub(super) fn counted(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

/// The reverse of [`counted`].
pub(super) fn put_counted(out: &mut Vec<u8>, bytes: &[u8]) {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(bytes);
}
