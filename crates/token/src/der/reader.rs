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
    #[cold]
    #[inline(never)]
    #[must_use]
    pub fn error(&self, kind: DecodeErrorKind) -> DecodeError {
        DecodeError::new(self.offset(), kind)
    }

    /// Reads the element `tag` and returns a cursor over its contents.
    ///
    /// # Errors
    /// Another tag, a length that is not minimal and definite (X.690 10.1), or too few bytes.
    #[inline(always)]
    pub fn read(&mut self, tag: Tag) -> Result<Reader<'a>, DecodeError> {
        // The short form (X.690 8.1.3.4), nearly every element of a Kerberos message, and the
        // long form of two octets, nearly every other.
        let (length, rest) = match self.rest {
            [found, length @ 0..=0x7f, rest @ ..] if *found == tag.0 => {
                (usize::from(*length), rest)
            }
            [found, 0x82, a @ 1..=0xff, b, rest @ ..] if *found == tag.0 => {
                (usize::from(u16::from_be_bytes([*a, *b])), rest)
            }
            _ => return self.read_other(tag),
        };
        if let Some((contents, after)) = rest.split_at_checked(length) {
            let end = self.end.wrapping_sub(after.len());
            self.rest = after;
            return Ok(Reader {
                rest: contents,
                end,
            });
        }
        self.read_other(tag)
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
        if let [tag, 3, 2, 1, value, rest @ ..] = self.rest
            && *tag == Tag::context(number).0
            && *value == only
            && only < 0x80
        {
            self.rest = rest;
            return Ok(());
        }
        let at = *self;
        let found = self.field::<i32>(number)?;
        Err(at.error(DecodeErrorKind::UnexpectedNumber {
            expected: i32::from(only),
            found,
        }))
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
            Err(self.error(DecodeErrorKind::TrailingData))
        }
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

    /// X.690 8.1.3.5: the long form of a length, and what is wrong with anything else.
    #[inline(never)]
    fn read_other(&mut self, tag: Tag) -> Result<Reader<'a>, DecodeError> {
        let (length, rest) = match self.rest {
            [found, ..] if *found != tag.0 => return Err(self.unexpected(tag)),
            [_, 0x82, a @ 1..=0xff, b, rest @ ..] => {
                (usize::from(u16::from_be_bytes([*a, *b])), rest)
            }
            [_, 0x81, a @ 0x80..=0xff, rest @ ..] => (usize::from(*a), rest),
            [_, short @ 0..=0x7f, rest @ ..] => (usize::from(*short), rest),
            [_, _, ..] => self.read_longest()?,
            _ => return Err(self.unexpected(tag)),
        };
        match rest.split_at_checked(length) {
            Some((contents, after)) => {
                let end = self.end.wrapping_sub(after.len());
                self.rest = after;
                Ok(Reader {
                    rest: contents,
                    end,
                })
            }
            None => Err(self.truncated(rest.len(), length)),
        }
    }

    /// Lengths of three and four octets, and what is wrong with any other.
    #[cold]
    fn read_longest(&self) -> Result<(usize, &'a [u8]), DecodeError> {
        let at_length = |kind| DecodeError::new(self.offset().saturating_add(1), kind);
        let short = |missing| at_length(DecodeErrorKind::Truncated { missing });
        match self.rest {
            [_, 0x83, a @ 1..=0xff, b, c, rest @ ..] => {
                let length = u32::from_be_bytes([0, *a, *b, *c]);
                usize::try_from(length)
                    .map(|length| (length, rest))
                    .map_err(|_| at_length(DecodeErrorKind::LengthTooLarge))
            }
            [_, 0x84, a @ 1..=0xff, b, c, d, rest @ ..] => {
                let length = u32::from_be_bytes([*a, *b, *c, *d]);
                usize::try_from(length)
                    .map(|length| (length, rest))
                    .map_err(|_| at_length(DecodeErrorKind::LengthTooLarge))
            }
            [_, 0x80, ..] => Err(at_length(DecodeErrorKind::IndefiniteLength)),
            [_, 0x81, _, ..] | [_, 0x82..=0x84, 0, ..] => {
                Err(at_length(DecodeErrorKind::NonMinimalLength))
            }
            [_, count @ 0x81..=0x84, rest @ ..] => {
                Err(short(usize::from(*count & 0x7f).saturating_sub(rest.len())))
            }
            [_, 0x85..=0xff, ..] => Err(at_length(DecodeErrorKind::LengthTooLarge)),
            _ => Err(short(1)),
        }
    }

    #[cold]
    #[inline(never)]
    fn truncated(&self, available: usize, length: usize) -> DecodeError {
        self.error(DecodeErrorKind::Truncated {
            missing: length.saturating_sub(available),
        })
    }

    #[cold]
    #[inline(never)]
    fn unexpected(&self, expected: Tag) -> DecodeError {
        match self.peek() {
            None => self.error(DecodeErrorKind::Missing { expected }),
            Some(tag) if tag == expected => DecodeError::new(
                self.offset().saturating_add(1),
                DecodeErrorKind::Truncated { missing: 1 },
            ),
            Some(found) => self.error(DecodeErrorKind::UnexpectedTag { expected, found }),
        }
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
