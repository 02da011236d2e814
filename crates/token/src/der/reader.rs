use super::tag::Tag;
use super::writer::{Encode, Writer};
use crate::error::{DecodeError, DecodeErrorKind};

/// A cursor over one value's bytes that never leaves them.
///
/// It is three words, `Copy`, and allocates nothing. It knows where it stands in the outermost
/// input, so that errors do.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    /// The offset in the outermost input of the end of `rest`: it stays when `rest` shrinks.
    end: usize,
}

impl<'a> Reader<'a> {
    /// A cursor at the start of an outermost input.
    #[must_use]
    #[inline]
    pub const fn new(input: &'a [u8]) -> Self {
        Self {
            rest: input,
            end: input.len(),
        }
    }

    /// A cursor over a part of a larger input in which it starts at `offset`.
    #[must_use]
    #[inline]
    pub const fn at(input: &'a [u8], offset: usize) -> Self {
        Self {
            rest: input,
            end: offset.saturating_add(input.len()),
        }
    }

    /// The offset of the next byte in the outermost input.
    #[must_use]
    #[inline]
    pub const fn offset(&self) -> usize {
        self.end.wrapping_sub(self.rest.len())
    }

    /// The bytes not read yet.
    #[must_use]
    #[inline]
    pub const fn remaining(&self) -> &'a [u8] {
        self.rest
    }

    /// Whether everything is read.
    #[must_use]
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The tag of the next element, if there is one.
    #[must_use]
    #[inline(always)]
    pub const fn peek(&self) -> Option<Tag> {
        match self.rest.first() {
            Some(first) => Some(Tag(*first)),
            None => None,
        }
    }

    /// An error at the next byte.
    #[must_use]
    #[inline]
    pub const fn error(&self, kind: DecodeErrorKind) -> DecodeError {
        DecodeError::new(self.offset(), kind)
    }

    /// Reads the element `tag` and returns a cursor over its contents.
    ///
    /// # Errors
    /// Another tag, a length that is not minimal and definite (X.690 10.1), or too few bytes.
    #[inline(always)]
    pub fn read(&mut self, tag: Tag) -> Result<Reader<'a>, DecodeError> {
        let at = *self;
        let (length, rest) = match at.rest {
            // The short form (X.690 8.1.3.4): nearly every element of a Kerberos message.
            [found, length @ 0..=0x7f, rest @ ..] if *found == tag.0 => {
                (usize::from(*length), rest)
            }
            // X.690 8.1.3.5, the long form of one and of two octets.
            [found, 0x81, a @ 0x80..=0xff, rest @ ..] if *found == tag.0 => (usize::from(*a), rest),
            [found, 0x82, a @ 1..=0xff, b, rest @ ..] if *found == tag.0 => {
                (usize::from(u16::from_be_bytes([*a, *b])), rest)
            }
            _ => at.read_longest(tag)?,
        };
        match rest.split_at_checked(length) {
            Some((contents, after)) => {
                self.rest = after;
                Ok(Reader {
                    rest: contents,
                    end: at.end.wrapping_sub(after.len()),
                })
            }
            None => Err(at.truncated(length.saturating_sub(rest.len()))),
        }
    }

    /// Reads whatever element comes next: its tag and a cursor over its contents.
    ///
    /// # Errors
    /// A tag number above 30, a length that is not minimal and definite, or too few bytes.
    #[inline]
    pub fn read_any(&mut self) -> Result<(Tag, Reader<'a>), DecodeError> {
        match self.peek() {
            None => Err(self.error(DecodeErrorKind::Truncated { missing: 1 })),
            Some(tag) if tag.number() == 0x1f => Err(self.error(DecodeErrorKind::HighTagNumber)),
            Some(tag) => Ok((tag, self.read(tag)?)),
        }
    }

    /// Reads whatever element comes next and returns all of its bytes, tag and length included.
    ///
    /// # Errors
    /// As [`read_any`](Self::read_any).
    #[inline]
    pub fn read_element(&mut self) -> Result<&'a [u8], DecodeError> {
        let before = self.rest;
        self.read_any()?;
        Ok(consumed(before, self.rest))
    }

    /// Reads the explicitly tagged field `[number] T`.
    ///
    /// # Errors
    /// The field is absent, is not a `T`, or has bytes after the `T`.
    #[inline(always)]
    pub fn field<T: Decode<'a>>(&mut self, number: u8) -> Result<T, DecodeError> {
        let mut inner = self.read(Tag::context(number))?;
        let value = T::decode(&mut inner)?;
        inner.finish()?;
        Ok(value)
    }

    /// Reads the explicitly tagged field `[number] T OPTIONAL`.
    ///
    /// # Errors
    /// The field is there and is not a `T`, or has bytes after the `T`.
    #[inline(always)]
    pub fn optional_field<T: Decode<'a>>(&mut self, number: u8) -> Result<Option<T>, DecodeError> {
        if self.peek() == Some(Tag::context(number)) {
            self.field(number).map(Some)
        } else {
            Ok(None)
        }
    }

    /// Reads a field `[number] INTEGER (only)`: a version or a message type.
    ///
    /// # Errors
    /// The field is absent or has another value.
    #[inline(always)]
    pub fn constant_field(&mut self, number: u8, only: u8) -> Result<(), DecodeError> {
        // Its only encoding, compared at once.
        match self.rest {
            [tag, 3, 2, 1, value, rest @ ..]
                if *tag == Tag::context(number).0 && *value == only && only < 0x80 =>
            {
                self.rest = rest;
                Ok(())
            }
            _ => Err((*self).unexpected_number(number, only)),
        }
    }

    /// Ends the reading of a value.
    ///
    /// # Errors
    /// Bytes are left.
    #[inline(always)]
    pub fn finish(&self) -> Result<(), DecodeError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err((*self).trailing())
        }
    }

    /// Ends the reading of a SEQUENCE with an extension marker, `known` being its fields in order:
    /// fields of higher numbers, which a later version of the type has, are passed over.
    pub(crate) fn finish_extensible(&mut self, known: &[u8]) -> Result<(), DecodeError> {
        let mut last = known.last().copied();
        while !self.is_empty() {
            let at = *self;
            let (tag, _) = self.read_any()?;
            let number = tag.number();
            if tag != Tag::context(number) || last.is_some_and(|last| number <= last) {
                return Err(at.trailing());
            }
            last = Some(number);
        }
        Ok(())
    }

    /// Runs `decode` and returns its value with the bytes that it consumed.
    #[inline(always)]
    pub(crate) fn recorded<T>(
        &mut self,
        decode: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<(&'a [u8], T), DecodeError> {
        let before = self.rest;
        let value = decode(self)?;
        Ok((consumed(before, self.rest), value))
    }

    // What follows takes the cursor by value, so that the callers keep theirs in registers.

    /// Lengths of three and four octets, and what is wrong with any other element.
    #[cold]
    #[inline(never)]
    fn read_longest(self, tag: Tag) -> Result<(usize, &'a [u8]), DecodeError> {
        if self.peek() != Some(tag) {
            return Err(self.unexpected(tag));
        }
        let at_length = |kind| DecodeError::new(self.offset().saturating_add(1), kind);
        let (octets, rest) = match self.rest {
            [_, 0x83, a @ 1..=0xff, b, c, rest @ ..] => ([0, *a, *b, *c], rest),
            [_, 0x84, a @ 1..=0xff, b, c, d, rest @ ..] => ([*a, *b, *c, *d], rest),
            [_, 0x80, ..] => return Err(at_length(DecodeErrorKind::IndefiniteLength)),
            [_, 0x81, _, ..] | [_, 0x82..=0x84, 0, ..] => {
                return Err(at_length(DecodeErrorKind::NonMinimalLength));
            }
            [_, 0x85..=0xff, ..] => return Err(at_length(DecodeErrorKind::LengthTooLarge)),
            [_, count, rest @ ..] => {
                let missing = usize::from(*count & 0x7f).saturating_sub(rest.len());
                return Err(at_length(DecodeErrorKind::Truncated { missing }));
            }
            _ => return Err(at_length(DecodeErrorKind::Truncated { missing: 1 })),
        };
        match usize::try_from(u32::from_be_bytes(octets)) {
            Ok(length) => Ok((length, rest)),
            Err(_) => Err(at_length(DecodeErrorKind::LengthTooLarge)),
        }
    }

    #[cold]
    #[inline(never)]
    fn truncated(self, missing: usize) -> DecodeError {
        self.error(DecodeErrorKind::Truncated { missing })
    }

    #[cold]
    #[inline(never)]
    fn unexpected(self, expected: Tag) -> DecodeError {
        match self.peek() {
            None => self.error(DecodeErrorKind::Missing { expected }),
            Some(found) => self.error(DecodeErrorKind::UnexpectedTag { expected, found }),
        }
    }

    #[cold]
    #[inline(never)]
    fn unexpected_number(mut self, number: u8, only: u8) -> DecodeError {
        let at = self;
        match self.field::<i32>(number) {
            Ok(found) => at.error(DecodeErrorKind::UnexpectedNumber {
                expected: i32::from(only),
                found,
            }),
            Err(error) => error,
        }
    }

    #[cold]
    #[inline(never)]
    fn trailing(self) -> DecodeError {
        self.error(DecodeErrorKind::TrailingData)
    }
}

/// The part of `before` that is not in its suffix `after`.
#[inline]
fn consumed<'a>(before: &'a [u8], after: &[u8]) -> &'a [u8] {
    before
        .split_at_checked(before.len().wrapping_sub(after.len()))
        .map_or(before, |(head, _)| head)
}

/// A type that is read from DER.
pub trait Decode<'a>: Sized {
    /// Reads one value, and leaves the cursor behind it.
    ///
    /// # Errors
    /// The bytes are not a value of this type.
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError>;

    /// Reads `input`, all of which must be one value.
    ///
    /// # Errors
    /// The bytes are not a value of this type, or more follow.
    #[inline]
    fn from_der(input: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(input);
        let value = Self::decode(&mut reader)?;
        reader.finish()?;
        Ok(value)
    }
}

/// A field `[n] T` or `[n] T OPTIONAL` of a SEQUENCE.
pub(crate) trait Field<'a>: Sized {
    fn decode_field(reader: &mut Reader<'a>, number: u8) -> Result<Self, DecodeError>;
}

impl<'a, T: Decode<'a>> Field<'a> for T {
    #[inline(always)]
    fn decode_field(reader: &mut Reader<'a>, number: u8) -> Result<Self, DecodeError> {
        reader.field(number)
    }
}

impl<'a, T: Decode<'a>> Field<'a> for Option<T> {
    #[inline(always)]
    fn decode_field(reader: &mut Reader<'a>, number: u8) -> Result<Self, DecodeError> {
        reader.optional_field(number)
    }
}

impl<T: Encode> Encode for Option<T> {
    /// Writes the value, or nothing.
    fn encode(&self, writer: &mut Writer) {
        if let Some(value) = self {
            value.encode(writer);
        }
    }
}
