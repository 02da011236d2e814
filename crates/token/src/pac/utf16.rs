use alloc::string::String;
use core::fmt;

use crate::error::{DecodeError, DecodeErrorKind};

/// Well-formed UTF-16, little-endian, as it arrived.
///
/// ```
/// use countersign_token::pac::Utf16;
///
/// let name = Utf16::new(b"a\0\xe9\0").unwrap();
/// assert!(name == "a\u{e9}" && name != "ae");
/// assert_eq!(name.to_string(), "a\u{e9}");
/// assert!(Utf16::new(b"a").is_err(), "half a unit");
/// assert!(Utf16::new(b"\x00\xd8").is_err(), "half a pair");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Utf16<'a>(&'a [u8]);

impl<'a> Utf16<'a> {
    /// No characters.
    pub const EMPTY: Self = Self(&[]);

    /// Checks bytes.
    ///
    /// # Errors
    /// [`DecodeErrorKind::MalformedUtf16`].
    pub fn new(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        Self::at(bytes, 0)
    }

    pub(crate) fn at(bytes: &'a [u8], offset: usize) -> Result<Self, DecodeError> {
        let text = Self(bytes);
        let sound = bytes.len().is_multiple_of(2)
            && char::decode_utf16(text.units()).all(|unit| unit.is_ok());
        if sound {
            Ok(text)
        } else {
            Err(DecodeError::new(offset, DecodeErrorKind::MalformedUtf16))
        }
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.0
    }

    /// Whether there is no character.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The characters.
    pub fn chars(self) -> impl Iterator<Item = char> + 'a {
        // Nothing is replaced: the bytes were checked.
        char::decode_utf16(self.units()).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn units(self) -> impl Iterator<Item = u16> + 'a {
        self.0.chunks_exact(2).map(|unit| match *unit {
            [low, high] => u16::from_le_bytes([low, high]),
            _ => 0,
        })
    }
}

impl PartialEq<str> for Utf16<'_> {
    fn eq(&self, other: &str) -> bool {
        self.chars().eq(other.chars())
    }
}

impl PartialEq<&str> for Utf16<'_> {
    fn eq(&self, other: &&str) -> bool {
        *self == **other
    }
}

impl From<Utf16<'_>> for String {
    fn from(text: Utf16<'_>) -> Self {
        text.chars().collect()
    }
}

impl fmt::Display for Utf16<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.chars().try_for_each(|c| fmt::Write::write_char(f, c))
    }
}

impl fmt::Debug for Utf16<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        self.chars()
            .flat_map(char::escape_debug)
            .try_for_each(|c| fmt::Write::write_char(f, c))?;
        f.write_str("\"")
    }
}
