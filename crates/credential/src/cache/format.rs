//! The file format.
//!
//! ```text
//! cache      ::= 5, version (8 bits) [, header -- version 4], principal, credential …
//! header     ::= length of what follows (16 bits), { tag (16 bits), length (16 bits), value } …
//! principal  ::= [name type (32 bits) -- not in version 1,] count of components (32 bits, one more in version 1),
//!                realm (data), components (data …)
//! credential ::= client (principal), server (principal), keyblock, authtime, starttime, endtime, renew_till (32 bits
//!                each), is_skey (8 bits), ticket_flags (32 bits), addresses, authdata, ticket (data),
//!                second_ticket (data)
//! keyblock   ::= enctype (16 bits, twice in version 3), key (data)
//! addresses  ::= count (32 bits), { type (16 bits), address (data) } …
//! authdata   ::= count (32 bits), { type (16 bits, signed), element (data) } …
//! data       ::= length (32 bits), bytes
//! ```
//!
//! Versions 3 and 4 are big-endian, 1 and 2 in the writer's order. Header tag 1 is the KDC's time offset: seconds and
//! microseconds, 32 bits each. Source: MIT krb5 documentation, "Credential cache file format".

use alloc::vec::Vec;

use countersign_token::kerberos::TicketFlags;
use zeroize::Zeroizing;

use super::{CredentialCache, HeaderField, TimeOffset, Version};
use crate::error::{Error, FormatProblem};
use crate::key_block::KeyBlock;
use crate::keytab::farther;
use crate::limits;
use crate::principal::{NameType, Principal};
use crate::ticket::{AuthorizationElement, HostAddress, TicketCredential, TicketTimes};
use crate::wire::{ByteOrder, Reader, Writer};

/// The header tag of the KDC's time offset.
const TIME_OFFSET: u16 = 1;

impl Version {
    fn order(self) -> ByteOrder {
        match self {
            Self::V1(order) | Self::V2(order) => order,
            Self::V3 | Self::V4 => ByteOrder::Big,
        }
    }

    fn number(self) -> u8 {
        match self {
            Self::V1(_) => 1,
            Self::V2(_) => 2,
            Self::V3 => 3,
            Self::V4 => 4,
        }
    }
}

pub(super) fn parse(bytes: &[u8]) -> Result<(CredentialCache, Version), Error> {
    let mut head = Reader::begin(bytes, limits::CACHE_BYTES)?;
    let at_version = head.clone();
    let read = |version: Version| {
        body(Reader::new(bytes, 2, version.order()), version).map(|cache| (cache, version))
    };
    let either = |version: fn(ByteOrder) -> Version| {
        read(version(ByteOrder::Little))
            .or_else(|little| read(version(ByteOrder::Big)).map_err(|big| farther(little, big)))
    };
    match head.u8()? {
        4 => read(Version::V4),
        3 => read(Version::V3),
        2 => either(Version::V2),
        1 => either(Version::V1),
        other => Err(at_version.error(FormatProblem::UnsupportedVersion(other))),
    }
}

fn body(mut reader: Reader<'_>, version: Version) -> Result<CredentialCache, Error> {
    let mut time_offset = None;
    let mut other_fields = Vec::new();
    if version == Version::V4 {
        let length = usize::from(reader.u16()?);
        let mut header = reader.sub(length)?;
        while !header.is_empty() {
            let field = header.clone();
            let bad = |_| field.error(FormatProblem::BadHeader);
            let tag = header.u16().map_err(bad)?;
            let value = header.data16().map_err(bad)?;
            if tag == TIME_OFFSET {
                time_offset =
                    Some(offset(value).ok_or_else(|| field.error(FormatProblem::BadHeader))?);
            } else {
                other_fields.push(HeaderField {
                    tag,
                    value: value.to_vec(),
                });
            }
        }
    }
    let default_principal = principal(&mut reader, version)?;
    let mut entries = Vec::new();
    while !reader.is_empty() {
        if entries.len() >= limits::CACHE_ENTRIES {
            return Err(reader.error(FormatProblem::TooLarge));
        }
        entries.push(credential(&mut reader, version)?);
    }
    Ok(CredentialCache {
        default_principal,
        entries,
        time_offset,
        other_fields,
    })
}

fn offset(value: &[u8]) -> Option<TimeOffset> {
    let (seconds, rest) = value.split_first_chunk::<4>()?;
    Some(TimeOffset {
        seconds: i32::from_be_bytes(*seconds),
        microseconds: i32::from_be_bytes(rest.try_into().ok()?),
    })
}

fn principal(reader: &mut Reader<'_>, version: Version) -> Result<Principal, Error> {
    let first = matches!(version, Version::V1(_));
    let name_type = if first {
        NameType::UNKNOWN
    } else {
        NameType(reader.i32()?)
    };
    let at_count = reader.clone();
    // Each component, and the realm that version 1 counts among them, has at least its length field.
    let counted = reader.count32(4, limits::COMPONENTS.saturating_add(usize::from(first)))?;
    let count = if first {
        counted
            .checked_sub(1)
            .ok_or_else(|| at_count.error(FormatProblem::MissingRealm))?
    } else {
        counted
    };
    let realm = reader.data32()?;
    let mut components = Vec::new();
    for _ in 0..count {
        components.push(reader.data32()?);
    }
    Ok(Principal::new(realm, components, name_type))
}

fn credential(reader: &mut Reader<'_>, version: Version) -> Result<TicketCredential, Error> {
    let client = principal(reader, version)?;
    let server = principal(reader, version)?;
    let enctype = i32::from(reader.i16()?);
    if version == Version::V3 {
        // The key type of the time before there were enctypes; the C library ignores it too.
        reader.i16()?;
    }
    let key = KeyBlock::from_parts(enctype, reader.data32()?);
    let times = TicketTimes {
        auth_time: i64::from(reader.u32()?),
        start_time: i64::from(reader.u32()?),
        end_time: i64::from(reader.u32()?),
        renew_till: i64::from(reader.u32()?),
    };
    let at_skey = reader.clone();
    let is_skey = match reader.u8()? {
        0 => false,
        1 => true,
        _ => return Err(at_skey.error(FormatProblem::BadBoolean)),
    };
    let flags = TicketFlags(reader.u32()?);
    let mut addresses = Vec::new();
    for _ in 0..reader.count32(6, limits::ELEMENTS)? {
        addresses.push(HostAddress {
            addr_type: i32::from(reader.u16()?),
            address: reader.data32()?.to_vec(),
        });
    }
    let mut authorization_data = Vec::new();
    for _ in 0..reader.count32(6, limits::ELEMENTS)? {
        authorization_data.push(AuthorizationElement {
            ad_type: i32::from(reader.i16()?),
            ad_data: reader.data32()?.to_vec(),
        });
    }
    Ok(TicketCredential {
        client,
        server,
        key,
        times,
        flags,
        addresses,
        authorization_data,
        ticket: reader.data32()?.to_vec(),
        second_ticket: reader.data32()?.to_vec(),
        is_skey,
    })
}

/// One principal, as version 4 has it.
pub(crate) fn read_principal(reader: &mut Reader<'_>) -> Result<Principal, Error> {
    principal(reader, Version::V4)
}

/// One credential, as version 4 has it.
pub(crate) fn read_credential(reader: &mut Reader<'_>) -> Result<TicketCredential, Error> {
    credential(reader, Version::V4)
}

/// One principal, as version 4 has it.
pub(crate) fn write_principal(principal: &Principal, out: &mut Writer) -> Result<(), Error> {
    encode_principal(principal, Version::V4, out)
}

/// One credential, as version 4 has it.
pub(crate) fn write_credential(entry: &TicketCredential, out: &mut Writer) -> Result<(), Error> {
    encode_credential(entry, Version::V4, out)
}

pub(super) fn encode(
    cache: &CredentialCache,
    version: Version,
) -> Result<Zeroizing<Vec<u8>>, Error> {
    Writer::run(version.order(), |out| {
        out.bytes(&[5, version.number()]);
        if version == Version::V4 {
            let length = out.measure(|out| encode_header(cache, out))?;
            out.u16(u16::try_from(length).map_err(|_| Error::NotRepresentable)?);
            encode_header(cache, out)?;
        }
        encode_principal(&cache.default_principal, version, out)?;
        for entry in &cache.entries {
            encode_credential(entry, version, out)?;
        }
        Ok(())
    })
}

fn encode_header(cache: &CredentialCache, out: &mut Writer) -> Result<(), Error> {
    if let Some(offset) = cache.time_offset {
        out.u16(TIME_OFFSET);
        out.u16(8);
        out.i32(offset.seconds);
        out.i32(offset.microseconds);
    }
    for field in &cache.other_fields {
        out.u16(field.tag);
        out.data16(&field.value)?;
    }
    Ok(())
}

fn encode_principal(
    principal: &Principal,
    version: Version,
    out: &mut Writer,
) -> Result<(), Error> {
    let components = principal.components();
    if components.len() > limits::COMPONENTS {
        return Err(Error::NotRepresentable);
    }
    if matches!(version, Version::V1(_)) {
        out.count32(components.len().saturating_add(1))?;
    } else {
        out.i32(principal.name_type().0);
        out.count32(components.len())?;
    }
    out.data32(principal.realm())?;
    for component in components {
        out.data32(component)?;
    }
    Ok(())
}

fn encode_credential(
    entry: &TicketCredential,
    version: Version,
    out: &mut Writer,
) -> Result<(), Error> {
    encode_principal(&entry.client, version, out)?;
    encode_principal(&entry.server, version, out)?;
    out.narrow16(entry.key.enctype_id())?;
    if version == Version::V3 {
        out.narrow16(entry.key.enctype_id())?;
    }
    out.data32(entry.key.expose())?;
    let times = &entry.times;
    for time in [
        times.auth_time,
        times.start_time,
        times.end_time,
        times.renew_till,
    ] {
        out.u32(u32::try_from(time).map_err(|_| Error::NotRepresentable)?);
    }
    out.u8(u8::from(entry.is_skey));
    out.u32(entry.flags.0);
    if entry.addresses.len().max(entry.authorization_data.len()) > limits::ELEMENTS {
        return Err(Error::NotRepresentable);
    }
    out.count32(entry.addresses.len())?;
    for address in &entry.addresses {
        out.u16(u16::try_from(address.addr_type).map_err(|_| Error::NotRepresentable)?);
        out.data32(&address.address)?;
    }
    out.count32(entry.authorization_data.len())?;
    for element in &entry.authorization_data {
        out.narrow16(element.ad_type)?;
        out.data32(&element.ad_data)?;
    }
    out.data32(&entry.ticket)?;
    out.data32(&entry.second_ticket)
}

#[cfg(test)]
mod tests;
