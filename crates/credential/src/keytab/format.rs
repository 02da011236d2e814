//! The file format.
//!
//! ```text
//! keytab    ::= 5, version (8 bits), { length (signed 32 bits), record }
//! record    ::= entry and perhaps slack (length > 0), a hole (length < 0); length 0 ends the file
//! entry     ::= principal, timestamp (32 bits), kvno (8 bits), enctype (16 bits), key (data)
//!               [, kvno (32 bits)]   -- when 4 bytes remain and they are not all zero
//! principal ::= count of components (16 bits, one more in version 1), realm (data), components (data …)
//!               [, name type (32 bits)]   -- version 2 only
//! data      ::= length (16 bits), bytes
//! ```
//!
//! Version 2 is big-endian, version 1 in the writer's order. Source: MIT krb5 documentation, "Keytab file format",
//! which gives 32 bits to the counts of components and of key bytes; its code, and every file, give them 16.

use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::{Keytab, KeytabEntry};
use crate::error::{Error, FormatProblem};
use crate::key_block::KeyBlock;
use crate::limits;
use crate::principal::{NameType, Principal};
use crate::wire::{ByteOrder, Reader, Writer};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

pub(super) fn parse(bytes: &[u8]) -> Result<Keytab, Error> {
    let mut head = Reader::begin(bytes, limits::KEYTAB_BYTES)?;
    let at_version = head.clone();
    let read = |version, order| records(Reader::new(bytes, 2, order), version);
    match head.u8()? {
        2 => read(Version::Two, ByteOrder::Big),
        1 => read(Version::One, ByteOrder::Little).or_else(|little| {
            read(Version::One, ByteOrder::Big).map_err(|big| farther(little, big))
        }),
        other => Err(at_version.error(FormatProblem::UnsupportedVersion(other))),
    }
}

/// Of two readings that both failed, the error of the one that made sense for longer.
pub(crate) fn farther(one: Error, other: Error) -> Error {
    match (one, other) {
        (Error::Format { offset: first, .. }, Error::Format { offset: second, .. })
            if second > first =>
        {
            other
        }
        _ => one,
    }
}

fn records(mut reader: Reader<'_>, version: Version) -> Result<Keytab, Error> {
    let mut entries = Vec::new();
    while !reader.is_empty() {
        let at_length = reader.clone();
        let length = reader.i32()?;
        let size = usize::try_from(length.unsigned_abs()).unwrap_or(usize::MAX);
        if length == 0 {
            break;
        }
        if size > reader.remaining() {
            return Err(at_length.error(FormatProblem::Truncated));
        }
        let record = reader.sub(size)?;
        if length < 0 {
            continue;
        }
        if entries.len() >= limits::KEYTAB_ENTRIES {
            return Err(at_length.error(FormatProblem::TooLarge));
        }
        entries.push(entry(record, version)?);
    }
    Ok(Keytab { entries })
}

fn entry(mut reader: Reader<'_>, version: Version) -> Result<KeytabEntry, Error> {
    let principal = principal(&mut reader, version)?;
    let timestamp = reader.u32()?;
    let kvno8 = u32::from(reader.u8()?);
    let enctype = i32::from(reader.i16()?);
    let key = KeyBlock::from_parts(enctype, reader.data16()?);
    let kvno = match reader.u32() {
        Ok(kvno32) if kvno32 != 0 => kvno32,
        _ => kvno8,
    };
    Ok(KeytabEntry::new(principal, kvno, key).with_timestamp(timestamp))
}

fn principal(reader: &mut Reader<'_>, version: Version) -> Result<Principal, Error> {
    let at_count = reader.clone();
    let counted = usize::from(reader.u16()?);
    let count = match version {
        Version::One => counted
            .checked_sub(1)
            .ok_or_else(|| at_count.error(FormatProblem::MissingRealm))?,
        Version::Two => counted,
    };
    if count > limits::COMPONENTS {
        return Err(at_count.error(FormatProblem::TooLarge));
    }
    let realm = reader.data16()?;
    let mut components = Vec::new();
    for _ in 0..count {
        components.push(reader.data16()?);
    }
    let name_type = match version {
        Version::One => NameType::PRINCIPAL,
        Version::Two => NameType(reader.i32()?),
    };
    Ok(Principal::new(realm, components, name_type))
}

pub(super) fn encode(keytab: &Keytab) -> Result<Zeroizing<Vec<u8>>, Error> {
    Writer::run(ByteOrder::Big, |out| {
        out.bytes(&[5, 2]);
        for entry in keytab.entries() {
            let length = out.measure(|out| encode_entry(entry, out))?;
            out.i32(i32::try_from(length).map_err(|_| Error::NotRepresentable)?);
            encode_entry(entry, out)?;
        }
        Ok(())
    })
}

fn encode_entry(entry: &KeytabEntry, out: &mut Writer) -> Result<(), Error> {
    let principal = entry.principal();
    let count = principal.components().len();
    if count > limits::COMPONENTS {
        return Err(Error::NotRepresentable);
    }
    out.u16(u16::try_from(count).map_err(|_| Error::NotRepresentable)?);
    out.data16(principal.realm())?;
    for component in principal.components() {
        out.data16(component)?;
    }
    out.i32(principal.name_type().0);
    out.u32(entry.timestamp());
    let [.., low] = entry.kvno().to_be_bytes();
    out.u8(low);
    out.narrow16(entry.enctype_id())?;
    out.data16(entry.key_block().expose())?;
    out.u32(entry.kvno());
    Ok(())
}

#[cfg(test)]
mod tests;
