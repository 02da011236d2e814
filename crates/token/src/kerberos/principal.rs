use core::fmt::{self, Write as _};

use super::macros::sequence;
use crate::der::{Decode, Encode, Reader, SequenceOf, Tag, Writer};
use crate::error::DecodeError;

/// RFC 4120 §5.2.1: `KerberosString ::= GeneralString (IA5String)`.
///
/// Peers put UTF-8 and anything else here (the section says so itself), so these are bytes, with
/// NUL like any other.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KerberosString<'a>(&'a [u8]);

/// RFC 4120 §5.2.2: `Realm ::= KerberosString`.
pub type Realm<'a> = KerberosString<'a>;

impl<'a> KerberosString<'a> {
    /// The string of these bytes.
    #[must_use]
    #[inline]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    #[inline]
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.0
    }

    /// The text, if the bytes are UTF-8.
    #[must_use]
    pub fn as_str(&self) -> Option<&'a str> {
        core::str::from_utf8(self.0).ok()
    }
}

impl<'a> From<&'a str> for KerberosString<'a> {
    fn from(text: &'a str) -> Self {
        Self(text.as_bytes())
    }
}

impl fmt::Display for KerberosString<'_> {
    /// The text with every control character, backslash and byte that is not UTF-8 escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for c in chunk.valid().chars() {
                if c.is_control() || c == '\\' {
                    write!(f, "{}", c.escape_default())?;
                } else {
                    f.write_char(c)?;
                }
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for KerberosString<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

impl<'a> Decode<'a> for KerberosString<'a> {
    #[inline]
    fn decode(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(Self(reader.read(Tag::GENERAL_STRING)?.remaining()))
    }
}

impl Encode for KerberosString<'_> {
    fn encode(&self, writer: &mut Writer) {
        writer.element(Tag::GENERAL_STRING, self.0);
    }
}

sequence! {
    /// A principal's name without its realm.
    ///
    /// ```text
    /// PrincipalName   ::= SEQUENCE {
    ///         name-type       [0] Int32,
    ///         name-string     [1] SEQUENCE OF KerberosString
    /// }
    /// ```
    ///
    /// Source: RFC 4120 §5.2.2. The name type is a hint and takes no part in equality there
    /// (6.2); `==` on this type does compare it.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct PrincipalName<'a> {
        /// RFC 4120 §6.2: what kind of name it is.
        [0] name_type: i32,
        /// The components.
        [1] name_string: SequenceOf<'a, KerberosString<'a>>,
    }
}

impl PrincipalName<'_> {
    /// Whether both have the same components, whatever their name types (RFC 4120 §6.2).
    #[must_use]
    pub fn same_components(&self, other: &PrincipalName<'_>) -> bool {
        self.name_string
            .iter()
            .map(|c| c.0)
            .eq(other.name_string.iter().map(|c| c.0))
    }
}

impl fmt::Display for PrincipalName<'_> {
    /// The components with `/` between them; for people, not for parsing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for component in self.name_string {
            write!(f, "{separator}{component}")?;
            separator = "/";
        }
        Ok(())
    }
}
