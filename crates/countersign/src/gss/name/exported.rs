//! Exported names, read back.
//!
//! ```text
//! 04 01 | length of the OID's DER, 2 bytes | OID | length of the name, 4 bytes | name
//! ```
//!
//! Source: RFC 2743 §3.2; RFC 1964 §2.1.1 has the name of a principal.

use crate::Identity;
use crate::credential::Principal;
use crate::token::der::Decode;
use crate::token::oid::Oid;

use super::super::error::{GssError, Problem};

pub(super) fn read(bytes: &[u8]) -> Result<Identity, GssError> {
    let (mechanism, name) = parse(bytes).ok_or(Problem::MalformedName)?;
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

fn parse(bytes: &[u8]) -> Option<(Oid<'_>, &[u8])> {
    let rest = bytes.strip_prefix(&[0x04, 0x01])?;
    let (length, rest) = rest.split_first_chunk()?;
    let (oid, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    let (length, name) = rest.split_first_chunk()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let oid = Oid::from_der(oid).ok()?;
    (name.len() == length).then_some((oid, name))
}
