//! A bounded reader and a two-pass writer for the C library's file formats.

use alloc::vec::Vec;

use zeroize::Zeroizing;

use crate::error::{Error, FormatProblem};

/// The order of the bytes of an integer.
///
/// Keytabs of version 1 and credential caches of versions 1 and 2 are written in the order of the machine that
/// wrote them, and do not say which that was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ByteOrder {
    /// Least significant byte first.
    Little,
    /// Most significant byte first.
    Big,
}

impl ByteOrder {
    /// The order of the machine that this program runs on.
    pub const NATIVE: Self = if cfg!(target_endian = "little") {
        Self::Little
    } else {
        Self::Big
    };
}

/// A cursor that never leaves its slice and knows its offset in the whole input.
#[derive(Clone)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    offset: usize,
    order: ByteOrder,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(input: &'a [u8], offset: usize, order: ByteOrder) -> Self {
        Self {
            rest: input.get(offset..).unwrap_or_default(),
            offset,
            order,
        }
    }

    /// A whole file, at most `limit` bytes of it, at its version number: every format begins with
    /// the protocol's number, 5, and the number of its own version.
    pub(crate) fn begin(file: &'a [u8], limit: usize) -> Result<Self, Error> {
        if file.len() > limit {
            return Err(Error::Format {
                offset: limit,
                problem: FormatProblem::TooLarge,
            });
        }
        let mut head = Self::new(file, 0, ByteOrder::Big);
        let start = head.clone();
        if head.u8()? != 5 {
            return Err(start.error(FormatProblem::BadMagic));
        }
        Ok(head)
    }

    pub(crate) fn remaining(&self) -> usize {
        self.rest.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Nothing is left.
    pub(crate) fn end(&self) -> Result<(), Error> {
        if self.is_empty() {
            return Ok(());
        }
        Err(self.error(FormatProblem::TrailingBytes))
    }

    pub(crate) fn error(&self, problem: FormatProblem) -> Error {
        Error::Format {
            offset: self.offset,
            problem,
        }
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Result<&'a [u8], Error> {
        match self.rest.split_at_checked(count) {
            Some((taken, rest)) => {
                self.rest = rest;
                self.offset = self.offset.saturating_add(count);
                Ok(taken)
            }
            None => Err(self.error(FormatProblem::Truncated)),
        }
    }

    /// A reader of the next `count` bytes, which this reader then skips.
    pub(crate) fn sub(&mut self, count: usize) -> Result<Self, Error> {
        let offset = self.offset;
        let rest = self.bytes(count)?;
        Ok(Self {
            rest,
            offset,
            order: self.order,
        })
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        match self.rest.split_first_chunk::<N>() {
            Some((taken, rest)) => {
                self.rest = rest;
                self.offset = self.offset.saturating_add(N);
                Ok(*taken)
            }
            None => Err(self.error(FormatProblem::Truncated)),
        }
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Error> {
        let [byte] = self.array()?;
        Ok(byte)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Error> {
        let bytes = self.array()?;
        Ok(match self.order {
            ByteOrder::Little => u16::from_le_bytes(bytes),
            ByteOrder::Big => u16::from_be_bytes(bytes),
        })
    }

    pub(crate) fn i16(&mut self) -> Result<i16, Error> {
        Ok(self.u16()?.cast_signed())
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Error> {
        let bytes = self.array()?;
        Ok(match self.order {
            ByteOrder::Little => u32::from_le_bytes(bytes),
            ByteOrder::Big => u32::from_be_bytes(bytes),
        })
    }

    pub(crate) fn i32(&mut self) -> Result<i32, Error> {
        Ok(self.u32()?.cast_signed())
    }

    /// 16-bit length, then that many bytes. A length that claims too much is wrong at its own position.
    pub(crate) fn data16(&mut self) -> Result<&'a [u8], Error> {
        let at_length = self.error(FormatProblem::Truncated);
        let count = usize::from(self.u16()?);
        self.bytes(count).map_err(|_| at_length)
    }

    /// As [`data16`](Self::data16), with a 32-bit length.
    pub(crate) fn data32(&mut self) -> Result<&'a [u8], Error> {
        let at_length = self.error(FormatProblem::Truncated);
        let count = usize::try_from(self.u32()?).unwrap_or(usize::MAX);
        self.bytes(count).map_err(|_| at_length)
    }

    /// A 32-bit count of items that are at least `item` bytes long and of which there may be `limit`.
    pub(crate) fn count32(&mut self, item: usize, limit: usize) -> Result<usize, Error> {
        let before = self.offset;
        let count = usize::try_from(self.u32()?).unwrap_or(usize::MAX);
        if count > limit {
            return Err(Error::Format {
                offset: before,
                problem: FormatProblem::TooLarge,
            });
        }
        if count.saturating_mul(item) > self.rest.len() {
            return Err(Error::Format {
                offset: before,
                problem: FormatProblem::Truncated,
            });
        }
        Ok(count)
    }
}

/// Counts when it has no buffer, writes when it has one: keys are then written once into a buffer that never
/// grows, so that no copy of them is left behind in freed memory.
pub(crate) struct Writer {
    out: Option<Zeroizing<Vec<u8>>>,
    len: usize,
    order: ByteOrder,
}

impl Writer {
    /// Runs `encode` twice, first to learn the length.
    pub(crate) fn run(
        order: ByteOrder,
        encode: impl Fn(&mut Self) -> Result<(), Error>,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let mut counter = Self {
            out: None,
            len: 0,
            order,
        };
        encode(&mut counter)?;
        let mut writer = Self {
            out: Some(Zeroizing::new(Vec::with_capacity(counter.len))),
            len: 0,
            order,
        };
        encode(&mut writer)?;
        Ok(writer.out.unwrap_or_default())
    }

    /// The length that `encode` would add.
    pub(crate) fn measure(
        &self,
        encode: impl Fn(&mut Self) -> Result<(), Error>,
    ) -> Result<usize, Error> {
        let mut counter = Self {
            out: None,
            len: 0,
            order: self.order,
        };
        encode(&mut counter)?;
        Ok(counter.len)
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.len = self.len.saturating_add(bytes.len());
        if let Some(out) = &mut self.out {
            out.extend_from_slice(bytes);
        }
    }

    pub(crate) fn u8(&mut self, value: u8) {
        self.bytes(&[value]);
    }

    pub(crate) fn u16(&mut self, value: u16) {
        match self.order {
            ByteOrder::Little => self.bytes(&value.to_le_bytes()),
            ByteOrder::Big => self.bytes(&value.to_be_bytes()),
        }
    }

    /// A signed number that the format keeps in 16 bits.
    pub(crate) fn narrow16(&mut self, value: i32) -> Result<(), Error> {
        let value = i16::try_from(value).map_err(|_| Error::NotRepresentable)?;
        self.u16(value.cast_unsigned());
        Ok(())
    }

    pub(crate) fn u32(&mut self, value: u32) {
        match self.order {
            ByteOrder::Little => self.bytes(&value.to_le_bytes()),
            ByteOrder::Big => self.bytes(&value.to_be_bytes()),
        }
    }

    pub(crate) fn i32(&mut self, value: i32) {
        self.u32(value.cast_unsigned());
    }

    pub(crate) fn count32(&mut self, count: usize) -> Result<(), Error> {
        self.u32(u32::try_from(count).map_err(|_| Error::NotRepresentable)?);
        Ok(())
    }

    pub(crate) fn data16(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.u16(u16::try_from(bytes.len()).map_err(|_| Error::NotRepresentable)?);
        self.bytes(bytes);
        Ok(())
    }

    pub(crate) fn data32(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.count32(bytes.len())?;
        self.bytes(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_written_into_a_buffer_that_never_grows() {
        let key = [7; 100];
        let written = Writer::run(ByteOrder::Big, |out| {
            out.u8(1);
            out.data16(&key)?;
            out.data32(&key)
        });
        let written = written.unwrap();
        assert_eq!(written.len(), 1 + 2 + 100 + 4 + 100);
        assert_eq!(written.capacity(), written.len());
    }

    #[test]
    fn a_reader_stays_where_it_was_when_it_fails() {
        let mut reader = Reader::new(&[0, 0, 0, 9, 1], 0, ByteOrder::Big);
        assert!(reader.clone().bytes(6).is_err());
        let error = Error::Format {
            offset: 0,
            problem: FormatProblem::Truncated,
        };
        assert_eq!(reader.data32(), Err(error));
        let mut reader = Reader::new(&[1, 2, 3], 1, ByteOrder::Little);
        assert!(reader.u32().is_err());
        assert_eq!(reader.u16(), Ok(0x0302));
        assert!(reader.is_empty());
    }
}
