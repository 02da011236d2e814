use core::fmt;
use core::ops::Deref;

use super::reader::{Decode, Reader};
use super::writer::{Encode, Writer};
use crate::error::DecodeError;

/// A decoded value with the very bytes that it was decoded from.
///
/// It encodes as those bytes: a ticket passes through verbatim, whatever its issuer's encoder did.
/// `Debug` is that of the value, which may be one that keeps some of its bytes to itself.
#[derive(Clone, Copy)]
pub struct Encoded<'a, T> {
    raw: &'a [u8],
    value: T,
}

impl<'a, T: Decode<'a>> Encoded<'a, T> {
    /// Reads `raw`, all of which must be one value.
    ///
    /// # Errors
    /// The bytes are not a value of this type, or more follow.
    pub fn parse(raw: &'a [u8]) -> Result<Self, DecodeError> {
        Self::from_der(raw)
    }
}

impl<'a, T> Encoded<'a, T> {
    /// The bytes, from tag to end.
    #[must_use]
    pub const fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// The value.
    #[must_use]
    pub const fn value(&self) -> &T {
        &self.value
    }
}

impl<T> Deref for Encoded<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: fmt::Debug> fmt::Debug for Encoded<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

impl<T> PartialEq for Encoded<'_, T> {
    fn eq(&self, other: &Self) -> bool {
        self.raw == other.raw
    }
}

impl<T> Eq for Encoded<'_, T> {}

impl<'a, T: Decode<'a>> Decode<'a> for Encoded<'a, T> {
    #[inline]
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let (raw, value) = reader.recorded(T::decode)?;
        Ok(Self { raw, value })
    }
}

impl<T> Encode for Encoded<'_, T> {
    fn encode(&self, writer: &mut Writer) {
        writer.bytes(self.raw);
    }
}
