use alloc::vec::Vec;
use core::fmt;

use super::flags::NegotiateFlags;
use super::message::FieldBytes;
use crate::error::DecodeError;
use crate::pac::Utf16;

/// The character set of a name, MS-NLMP §2.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Charset {
    /// The character set of a machine, which the protocol does not name: ASCII is all that the two
    /// sides are sure to agree on.
    Oem,
    /// UTF-16, little-endian.
    Unicode,
}

impl Charset {
    /// The character set of a message with these flags: Unicode where it is offered (MS-NLMP
    /// §2.2.2.5, flags A and B), otherwise OEM. That neither is set is for the engine to refuse.
    #[must_use]
    pub const fn of(flags: NegotiateFlags) -> Self {
        if flags.contains(NegotiateFlags::NEGOTIATE_UNICODE) {
            Self::Unicode
        } else {
            Self::Oem
        }
    }

    /// The bytes of `text` in this character set; `None` for what is not ASCII, in OEM.
    #[must_use]
    pub fn encode(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Oem => text.is_ascii().then(|| text.as_bytes().to_vec()),
            Self::Unicode => {
                // A character of one octet has one unit, and longer ones have fewer than octets.
                let mut bytes = Vec::with_capacity(text.len().saturating_mul(2));
                for unit in text.encode_utf16() {
                    bytes.extend_from_slice(&unit.to_le_bytes());
                }
                Some(bytes)
            }
        }
    }
}

/// A name as it arrived, in one of the two character sets. Nobody has vouched for it.
///
/// ```
/// use countersign_token::ntlm::{Charset, Text};
///
/// let name = Text::parse(b"U\0s\0\xe9\0r\0", Charset::Unicode)?;
/// assert!(name == "Us\u{e9}r");
/// assert_eq!(Text::parse(b"Us\x82r", Charset::Oem)?.to_string(), "Us\u{fffd}r");
/// assert!(Text::parse(b"odd", Charset::Unicode).is_err());
/// # Ok::<_, countersign_token::DecodeError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Text<'a>(Characters<'a>);

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Characters<'a> {
    Oem(&'a [u8]),
    Unicode(Utf16<'a>),
}

impl<'a> Text<'a> {
    /// No characters.
    #[must_use]
    pub const fn empty(charset: Charset) -> Self {
        match charset {
            Charset::Oem => Self(Characters::Oem(&[])),
            Charset::Unicode => Self(Characters::Unicode(Utf16::EMPTY)),
        }
    }

    /// A name of these bytes.
    ///
    /// # Errors
    /// [`MalformedUtf16`](crate::DecodeErrorKind::MalformedUtf16): an odd number of bytes or half
    /// of a surrogate pair, in Unicode.
    pub fn parse(bytes: &'a [u8], charset: Charset) -> Result<Self, DecodeError> {
        Self::of(FieldBytes { bytes, offset: 0 }, charset)
    }

    pub(super) fn of(field: FieldBytes<'a>, charset: Charset) -> Result<Self, DecodeError> {
        Ok(Self(match charset {
            Charset::Oem => Characters::Oem(field.bytes),
            Charset::Unicode => Characters::Unicode(Utf16::at(field.bytes, field.offset)?),
        }))
    }

    /// The bytes as they arrived.
    #[must_use]
    pub const fn bytes(&self) -> &'a [u8] {
        match self.0 {
            Characters::Oem(bytes) => bytes,
            Characters::Unicode(text) => text.as_bytes(),
        }
    }

    /// The character set that they are in.
    #[must_use]
    pub const fn charset(&self) -> Charset {
        match self.0 {
            Characters::Oem(_) => Charset::Oem,
            Characters::Unicode(_) => Charset::Unicode,
        }
    }

    /// Whether there is no character.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.bytes().is_empty()
    }

    /// The characters; in OEM, U+FFFD for each that is not ASCII.
    pub fn chars(self) -> impl Iterator<Item = char> + 'a {
        let (oem, unicode) = match self.0 {
            Characters::Oem(bytes) => (bytes, Utf16::EMPTY),
            Characters::Unicode(text) => (&[][..], text),
        };
        let oem = oem.iter().map(|byte| match byte {
            0..0x80 => char::from(*byte),
            _ => char::REPLACEMENT_CHARACTER,
        });
        oem.chain(unicode.chars())
    }
}

/// Whether the characters are those of a string, which for OEM text that is not ASCII nobody
/// knows: such text equals no string.
impl PartialEq<str> for Text<'_> {
    fn eq(&self, other: &str) -> bool {
        match self.0 {
            Characters::Oem(bytes) => bytes.is_ascii() && bytes == other.as_bytes(),
            Characters::Unicode(text) => text == *other,
        }
    }
}

impl PartialEq<&str> for Text<'_> {
    fn eq(&self, other: &&str) -> bool {
        *self == **other
    }
}

/// The [characters](Self::chars) as they are, control characters among them.
impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.chars().try_for_each(|c| fmt::Write::write_char(f, c))
    }
}

/// The characters in quotes, escaped.
impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        self.chars()
            .flat_map(char::escape_debug)
            .try_for_each(|c| fmt::Write::write_char(f, c))?;
        f.write_str("\"")
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;
    use crate::error::DecodeErrorKind;

    #[test]
    fn text_goes_both_ways_in_the_character_sets_that_have_it() {
        for (text, oem) in [("", true), ("User", true), ("Us\u{e9}r \u{1f511}", false)] {
            let bytes = Charset::Unicode.encode(text).unwrap();
            assert!(Text::parse(&bytes, Charset::Unicode).unwrap() == text);
            let bytes = Charset::Oem.encode(text);
            assert_eq!(bytes.is_some(), oem);
            if let Some(bytes) = bytes {
                assert!(Text::parse(&bytes, Charset::Oem).unwrap() == text);
            }
        }
    }

    #[test]
    fn oem_text_that_is_not_ascii_equals_no_string() {
        let text = Text::parse(b"caf\x82", Charset::Oem).unwrap();
        assert!(text != "caf\u{fffd}" && text != "caf\u{e9}");
        assert_eq!(format!("{text:?}"), "\"caf\u{fffd}\"");
    }

    #[test]
    fn odd_bytes_and_halves_of_surrogate_pairs_are_refused() {
        assert!(Text::parse(b"\x3d\xd8\x00\xdc", Charset::Unicode).is_ok());
        for bytes in [&b"\x3d"[..], b"\x3d\xd8", b"\x00\xdc", b"\x00\xdc\x3d\xd8"] {
            let error = Text::parse(bytes, Charset::Unicode).unwrap_err();
            assert_eq!(error.kind(), DecodeErrorKind::MalformedUtf16);
            assert!(Text::parse(bytes, Charset::Oem).is_ok());
        }
    }

    #[test]
    fn text_is_displayed_as_it_is_and_an_empty_one_has_its_character_set() {
        let bytes = Charset::Unicode.encode("a\n\u{1f511}").unwrap();
        let text = Text::parse(&bytes, Charset::Unicode).unwrap();
        assert_eq!(format!("{text}"), "a\n\u{1f511}");
        assert_eq!(format!("{text:?}"), "\"a\\n\u{1f511}\"");
        for charset in [Charset::Oem, Charset::Unicode] {
            let empty = Text::empty(charset);
            assert!(empty.is_empty() && empty.chars().next().is_none());
            assert_eq!((empty.charset(), empty.bytes()), (charset, &[][..]));
            assert_eq!(Text::parse(b"", charset), Ok(empty));
        }
    }
}
