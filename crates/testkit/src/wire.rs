//! Between plain values and the independent codec's types.

use countersign_credential::{NameType, Principal};
use rasn::types::{Integer, OctetString, UtcTime};
use rasn_kerberos as krb;

use crate::Error;

pub(crate) fn encode<T: rasn::Encode>(value: &T) -> Result<Vec<u8>, Error> {
    rasn::der::encode(value).map_err(|_| Error::Encode)
}

pub(crate) fn decode<T: rasn::Decode>(bytes: &[u8]) -> Result<T, Error> {
    rasn::der::decode(bytes).map_err(|_| Error::Decode)
}

pub(crate) fn string(bytes: &[u8]) -> Result<krb::KerberosString, Error> {
    krb::KerberosString::from_bytes(bytes).map_err(|_| Error::Encode)
}

pub(crate) fn name(principal: &Principal) -> Result<krb::PrincipalName, Error> {
    Ok(krb::PrincipalName {
        r#type: principal.name_type().0,
        string: principal
            .components()
            .map(string)
            .collect::<Result<_, _>>()?,
    })
}

pub(crate) fn principal(realm: &krb::Realm, name: &krb::PrincipalName) -> Principal {
    Principal::new(
        realm.as_bytes(),
        name.string.iter().map(krb::KerberosString::as_bytes),
        NameType(name.r#type),
    )
}

pub(crate) fn time(seconds: i64) -> Result<krb::KerberosTime, Error> {
    let time = UtcTime::from_timestamp(seconds, 0).ok_or(Error::Encode)?;
    Ok(krb::KerberosTime(time.fixed_offset()))
}

pub(crate) fn seconds(time: &krb::KerberosTime) -> i64 {
    time.0.timestamp()
}

pub(crate) fn flags(bits: u32) -> krb::KerberosFlags {
    krb::KerberosFlags::from_slice(&bits.to_be_bytes())
}

/// The first 32 bits; RFC 4120 §5.2.8 lets a sender use fewer or more.
pub(crate) fn bits(flags: &krb::KerberosFlags) -> u32 {
    flags
        .iter()
        .take(32)
        .enumerate()
        .filter(|(_, bit)| **bit)
        .fold(0, |value, (index, _)| value | (0x8000_0000_u32 >> index))
}

pub(crate) fn octets(bytes: &[u8]) -> OctetString {
    OctetString::from(bytes)
}

pub(crate) fn integer(value: u32) -> Integer {
    Integer::from(value)
}

pub(crate) fn unsigned(value: &Integer) -> u32 {
    value.to_string().parse().unwrap_or(u32::MAX)
}

pub(crate) fn key(key: &countersign_crypto::Key) -> krb::EncryptionKey {
    krb::EncryptionKey {
        r#type: key.enctype().id(),
        value: octets(key.expose()),
    }
}

pub(crate) fn addresses(addresses: &[(i32, Vec<u8>)]) -> Option<krb::HostAddresses> {
    let convert = |(addr_type, address): &(i32, Vec<u8>)| krb::HostAddress {
        addr_type: *addr_type,
        address: octets(address),
    };
    (!addresses.is_empty()).then(|| addresses.iter().map(convert).collect())
}

pub(crate) fn authorization_data(
    elements: Option<&[(i32, Vec<u8>)]>,
) -> Option<krb::AuthorizationData> {
    let convert = |(ad_type, data): &(i32, Vec<u8>)| krb::AuthorizationDataValue {
        r#type: *ad_type,
        data: octets(data),
    };
    elements.map(|elements| elements.iter().map(convert).collect())
}

/// AD-IF-RELEVANT (RFC 4120 §5.2.6.1) around other elements.
///
/// # Errors
/// [`Error::Encode`] never in practice.
pub fn if_relevant(elements: &[(i32, Vec<u8>)]) -> Result<(i32, Vec<u8>), Error> {
    let inner = authorization_data(Some(elements)).unwrap_or_default();
    Ok((1, encode(&inner)?))
}

pub(crate) fn open_key(key: &krb::EncryptionKey) -> Result<countersign_crypto::Key, Error> {
    let enctype = countersign_crypto::Enctype::from_id(key.r#type).ok_or(Error::Decode)?;
    Ok(countersign_crypto::Key::new(enctype, &key.value)?)
}
