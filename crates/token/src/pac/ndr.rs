//! The part of MS-RPCE §2.2.6 that a PAC needs: type serialization version 1, little-endian.
//!
//! What pointers point to stands behind the structure, in the order of the pointers. Nothing here
//! recurses: the deepest value is a SID behind a pointer in an array behind a pointer.

use super::cursor::Cursor;
use super::{Sid, Utf16};
use crate::error::{DecodeError, DecodeErrorKind};

/// Bytes of the common and of the private header.
const HEADERS: usize = 16;
/// Padding behind the last value, at most.
const PADDING: usize = 7;

/// A reader of one serialized structure, behind its headers and top-level pointer.
pub(super) struct Reader<'a> {
    cursor: Cursor<'a>,
    /// Where alignment counts from.
    start: usize,
}

impl<'a> Reader<'a> {
    /// Reads the headers of MS-RPCE §2.2.6.1 and §2.2.6.2 and the pointer to the structure.
    pub(super) fn open(mut cursor: Cursor<'a>) -> Result<Self, DecodeError> {
        let at = cursor;
        let headers: [u8; HEADERS] = cursor.array()?;
        // Version 1, little-endian, a common header of 8 bytes; fillers are ignored.
        let [1, 0x10, 8, 0, _, _, _, _, a, b, c, d, ..] = headers else {
            return Err(at.error(DecodeErrorKind::MalformedNdrHeader));
        };
        let start = cursor.offset();
        let object = cursor.elements(u32::from_le_bytes([a, b, c, d]), 1)?;
        if cursor.rest().len() > PADDING {
            return Err(cursor.error(DecodeErrorKind::TrailingData));
        }
        let mut reader = Self {
            cursor: Cursor::new(object, start),
            start,
        };
        reader.pointer()?.required()?;
        Ok(reader)
    }

    /// Refuses more than padding behind the last value.
    pub(super) fn finish(&self) -> Result<(), DecodeError> {
        if self.cursor.rest().len() > PADDING {
            return Err(self.cursor.error(DecodeErrorKind::TrailingData));
        }
        Ok(())
    }

    fn align(&mut self) -> Result<(), DecodeError> {
        let from_start = self.cursor.offset().saturating_sub(self.start);
        let over = from_start % 4;
        let padding = if over == 0 {
            0
        } else {
            4_usize.saturating_sub(over)
        };
        self.cursor.take(padding).map(drop)
    }

    pub(super) fn u16(&mut self) -> Result<u16, DecodeError> {
        self.cursor.u16()
    }

    pub(super) fn u32(&mut self) -> Result<u32, DecodeError> {
        self.align()?;
        self.cursor.u32()
    }

    /// Bytes of a structure that is aligned as a 32-bit number.
    pub(super) fn fixed<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        self.align()?;
        self.cursor.array()
    }

    pub(super) fn pointer(&mut self) -> Result<Pointer, DecodeError> {
        self.align()?;
        let offset = self.cursor.offset();
        let referent = self.cursor.u32()?;
        Ok(Pointer {
            offset,
            null: referent == 0,
        })
    }

    /// RPC_UNICODE_STRING (MS-DTYP §2.3.10), the part in the structure.
    pub(super) fn string_head(&mut self) -> Result<StringHead, DecodeError> {
        self.align()?;
        let offset = self.cursor.offset();
        let (length, maximum) = (self.cursor.u16()?, self.cursor.u16()?);
        let pointer = self.pointer()?;
        let head = StringHead {
            length,
            maximum,
            pointer,
        };
        if length % 2 != 0 {
            return Err(DecodeError::new(offset, DecodeErrorKind::MalformedUtf16));
        }
        if length > maximum {
            return Err(DecodeError::new(offset, DecodeErrorKind::OutOfBounds));
        }
        Ok(head)
    }

    /// The characters of a string: a conformant and varying array, `[size_is(MaximumLength/2),
    /// length_is(Length/2)]`.
    pub(super) fn string(&mut self, head: StringHead) -> Result<Utf16<'a>, DecodeError> {
        if head.pointer.null {
            return match head.length {
                0 => Ok(Utf16::EMPTY),
                _ => head.pointer.required().map(|()| Utf16::EMPTY),
            };
        }
        let units = |bytes: u16| u32::from(bytes >> 1);
        self.count(units(head.maximum))?;
        self.count(0)?;
        self.count(units(head.length))?;
        let offset = self.cursor.offset();
        let characters = self.cursor.take(usize::from(head.length))?;
        Utf16::at(characters, offset)
    }

    /// The elements of a conformant array, each of `size` bytes; none behind a null pointer.
    pub(super) fn array(
        &mut self,
        pointer: Pointer,
        count: u32,
        size: usize,
    ) -> Result<Array<'a>, DecodeError> {
        if pointer.null {
            if count != 0 {
                return Err(pointer.missing());
            }
            let offset = self.cursor.offset();
            return Ok(Array { bytes: &[], offset });
        }
        self.count(count)?;
        let offset = self.cursor.offset();
        let bytes = self.cursor.elements(count, size)?;
        Ok(Array { bytes, offset })
    }

    /// A SID: MS-DTYP §2.4.2.3.
    pub(super) fn sid(&mut self) -> Result<Sid, DecodeError> {
        let count = self.u32()?;
        let mut at = self.cursor;
        let length = count.checked_mul(4).and_then(|n| n.checked_add(8));
        let length = length.ok_or(at.error(DecodeErrorKind::MalformedSid))?;
        let bytes = at.elements(length, 1)?;
        let sid = Sid::at(bytes, self.cursor.offset())?;
        self.cursor = at;
        Ok(sid)
    }

    /// What [`sid`](Self::sid) and the strings consume, to be read again later.
    pub(super) fn record<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<(&'a [u8], T), DecodeError> {
        self.align()?;
        let before = self.cursor.rest();
        let value = read(self)?;
        let length = before.len().saturating_sub(self.cursor.rest().len());
        Ok((before.get(..length).unwrap_or_default(), value))
    }

    /// Reads again what was recorded.
    pub(super) const fn again(recorded: &'a [u8]) -> Self {
        Self {
            cursor: Cursor::new(recorded, 0),
            start: 0,
        }
    }

    fn count(&mut self, expected: u32) -> Result<(), DecodeError> {
        self.align()?;
        let at = self.cursor;
        let found = self.cursor.u32()?;
        if found == expected {
            Ok(())
        } else {
            Err(at.error(DecodeErrorKind::CountMismatch { expected, found }))
        }
    }
}

/// A pointer: whether there is something, further behind.
#[derive(Clone, Copy)]
pub(super) struct Pointer {
    offset: usize,
    pub(super) null: bool,
}

impl Pointer {
    pub(super) fn required(self) -> Result<(), DecodeError> {
        if self.null {
            Err(self.missing())
        } else {
            Ok(())
        }
    }

    fn missing(self) -> DecodeError {
        DecodeError::new(self.offset, DecodeErrorKind::NullPointer)
    }
}

/// The fixed part of a string.
#[derive(Clone, Copy)]
pub(super) struct StringHead {
    length: u16,
    maximum: u16,
    pointer: Pointer,
}

/// The elements of an array, and where they begin.
#[derive(Clone, Copy)]
pub(super) struct Array<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) offset: usize,
}

impl<'a> Array<'a> {
    /// Its elements as structures of their own.
    pub(super) const fn reader(self) -> Reader<'a> {
        Reader {
            cursor: Cursor::new(self.bytes, self.offset),
            start: self.offset,
        }
    }
}
