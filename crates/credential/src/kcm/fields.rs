//! The fields of requests and replies.

use alloc::vec::Vec;
use core::fmt;

use super::error::KcmError;
use crate::cache::format;
use crate::limits;
use crate::principal::Principal;
use crate::ticket::TicketCredential;
use crate::wire::{ByteOrder, Reader};

/// What a server calls a cache or a credential for as long as it exists.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CacheUuid(pub [u8; 16]);

impl fmt::Debug for CacheUuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CacheUuid({:032x})", u128::from_be_bytes(self.0))
    }
}

/// The fields of a request or a reply, read one after the other.
#[derive(Clone)]
pub struct Fields<'a> {
    reader: Reader<'a>,
    bytes: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(super) fn new(bytes: &'a [u8], offset: usize) -> Self {
        Self {
            reader: Reader::new(bytes, offset, ByteOrder::Big),
            bytes,
        }
    }

    /// Whether no field is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.reader.is_empty()
    }

    /// The name of a cache.
    ///
    /// # Errors
    /// [`KcmError::BadName`] where there is none that could be one.
    pub fn name(&mut self) -> Result<&'a str, KcmError> {
        let start = self.bytes.len().saturating_sub(self.reader.remaining());
        let rest = self.bytes.get(start..).unwrap_or_default();
        let end = rest
            .iter()
            .take(limits::KCM_NAME.saturating_add(1))
            .position(|byte| *byte == 0)
            .ok_or(KcmError::BadName)?;
        let name = self.reader.bytes(end)?;
        self.reader.bytes(1)?;
        core::str::from_utf8(name).map_err(|_| KcmError::BadName)
    }

    /// One UUID.
    ///
    /// # Errors
    /// The bytes end before.
    pub fn uuid(&mut self) -> Result<CacheUuid, KcmError> {
        let mut uuid = [0; 16];
        uuid.copy_from_slice(self.reader.bytes(16)?);
        Ok(CacheUuid(uuid))
    }

    /// A number: a time offset in seconds, say.
    ///
    /// # Errors
    /// The bytes end before.
    pub fn number(&mut self) -> Result<i32, KcmError> {
        Ok(self.reader.i32()?)
    }

    /// A principal.
    ///
    /// # Errors
    /// The bytes hold none.
    pub fn principal(&mut self) -> Result<Principal, KcmError> {
        Ok(format::read_principal(&mut self.reader)?)
    }

    /// A credential.
    ///
    /// # Errors
    /// The bytes hold none.
    pub fn credential(&mut self) -> Result<TicketCredential, KcmError> {
        Ok(format::read_credential(&mut self.reader)?)
    }

    /// A count, and so many credentials with their lengths.
    ///
    /// # Errors
    /// The bytes hold no such list.
    pub fn credentials(&mut self) -> Result<Vec<TicketCredential>, KcmError> {
        let count = self.reader.count32(4, limits::CACHE_ENTRIES)?;
        let mut credentials = Vec::new();
        for _ in 0..count {
            let length = usize::try_from(self.reader.u32()?).unwrap_or(usize::MAX);
            let mut one = self.reader.sub(length)?;
            credentials.push(format::read_credential(&mut one)?);
            if !one.is_empty() {
                return Err(KcmError::TrailingBytes);
            }
        }
        Ok(credentials)
    }

    /// All that is left, as UUIDs.
    ///
    /// # Errors
    /// What is left is not a whole number of them.
    pub fn uuids(&mut self) -> Result<Vec<CacheUuid>, KcmError> {
        let mut uuids = Vec::new();
        while !self.is_empty() {
            if uuids.len() >= limits::CACHE_ENTRIES {
                return Err(self.reader.error(crate::FormatProblem::TooLarge).into());
            }
            uuids.push(self.uuid()?);
        }
        Ok(uuids)
    }

    /// No field is left.
    ///
    /// # Errors
    /// [`KcmError::TrailingBytes`].
    pub fn end(&self) -> Result<(), KcmError> {
        if self.is_empty() {
            Ok(())
        } else {
            Err(KcmError::TrailingBytes)
        }
    }
}

impl fmt::Debug for Fields<'_> {
    /// The size alone: credentials have keys in them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fields")
            .field("remaining", &self.reader.remaining())
            .finish_non_exhaustive()
    }
}
