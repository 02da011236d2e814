use alloc::vec::Vec;
use core::fmt;

use crate::der::{Decode, Encode, Reader, SequenceOf, Tag, Writer};
use crate::error::{DecodeError, DecodeErrorKind};
use crate::oid::Oid;

/// The mechanisms that one side offers, the preferred one first: never empty, and as it arrived.
///
/// ```text
/// MechType     ::= OBJECT IDENTIFIER
/// MechTypeList ::= SEQUENCE OF MechType
/// ```
///
/// Source: RFC 4178 §4.1 and §4.2.1.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MechTypes<'a> {
    /// The SEQUENCE, tag and length included.
    der: &'a [u8],
    /// The first mechanism, which a list has.
    first: Oid<'a>,
}

impl<'a> MechTypes<'a> {
    /// The greatest number of mechanisms that are read.
    pub const MAX: usize = 32;

    /// The list that is all of `der`: a MechTypeList without any tag around it.
    ///
    /// # Errors
    /// It is malformed, empty, longer than [`MAX`](Self::MAX), or bytes follow.
    pub fn parse(der: &'a [u8]) -> Result<Self, DecodeError> {
        Self::from_der(der)
    }

    /// The DER of a list of these mechanisms, for [`parse`](Self::parse).
    #[must_use]
    pub fn encode(mechanisms: &[Oid<'_>]) -> Vec<u8> {
        SequenceOf::new(mechanisms).to_der()
    }

    /// The list as it arrived: a SEQUENCE, tag 0x30, without the `[0]` around it. A `mechListMIC`
    /// is computed over these bytes (RFC 4178 §5).
    #[must_use]
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.der
    }

    /// The preferred mechanism.
    #[must_use]
    pub const fn first(&self) -> Oid<'a> {
        self.first
    }

    /// The mechanisms, in order.
    #[must_use]
    pub fn iter(&self) -> MechTypesIter<'a> {
        // It was read once before, so it is read again.
        let rest = Reader::new(self.der).read(Tag::SEQUENCE);
        MechTypesIter {
            rest: rest.unwrap_or(Reader::new(&[])),
        }
    }
}

impl<'a> Decode<'a> for MechTypes<'a> {
    #[inline]
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let (der, first) = reader.recorded(|reader| {
            let mut list = reader.read(Tag::SEQUENCE)?;
            let first = Oid::decode(&mut list)?;
            let mut count = 1_usize;
            while !list.is_empty() {
                let limit = Self::MAX;
                if count >= limit {
                    return Err(list.error(DecodeErrorKind::TooManyElements { limit }));
                }
                Oid::decode(&mut list)?;
                count = count.wrapping_add(1);
            }
            Ok(first)
        })?;
        Ok(Self { der, first })
    }
}

impl Encode for MechTypes<'_> {
    fn encode(&self, writer: &mut Writer) {
        writer.bytes(self.der);
    }
}

impl fmt::Debug for MechTypes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<'a> IntoIterator for MechTypes<'a> {
    type Item = Oid<'a>;
    type IntoIter = MechTypesIter<'a>;

    fn into_iter(self) -> MechTypesIter<'a> {
        self.iter()
    }
}

impl<'a> IntoIterator for &MechTypes<'a> {
    type Item = Oid<'a>;
    type IntoIter = MechTypesIter<'a>;

    fn into_iter(self) -> MechTypesIter<'a> {
        self.iter()
    }
}

/// The mechanisms of a [`MechTypes`], in order.
#[derive(Clone, Debug)]
pub struct MechTypesIter<'a> {
    rest: Reader<'a>,
}

impl<'a> Iterator for MechTypesIter<'a> {
    type Item = Oid<'a>;

    fn next(&mut self) -> Option<Oid<'a>> {
        Oid::decode(&mut self.rest).ok()
    }
}

impl core::iter::FusedIterator for MechTypesIter<'_> {}
