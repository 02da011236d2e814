//! The error of this crate.

use core::fmt;

/// What went wrong with a name, a keytab or a credential cache.
///
/// Errors carry positions and numbers, never names or key bytes, so they can be logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// A keytab or a credential cache is malformed.
    Format {
        /// Position in the given slice.
        offset: usize,
        /// What is wrong there.
        problem: FormatProblem,
    },
    /// A textual name is malformed.
    Name {
        /// Position in the given text.
        offset: usize,
        /// What is wrong there.
        problem: NameProblem,
    },
    /// A value does not fit the file format that was asked for: a name or key longer than the format's length
    /// field, a time outside 1970 to 2106, or a number outside 16 bits.
    NotRepresentable,
    /// Nothing in the keytab answers the question.
    NotFound(Absent),
    /// The key's enctype is not one that this build supports; holds the enctype number.
    UnsupportedEnctype(i32),
    /// The key's length is not the length that its enctype demands; holds the enctype number.
    InvalidKeyLength(i32),
}

/// What is wrong in a keytab or a credential cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FormatProblem {
    /// The data end before the field does.
    Truncated,
    /// The first byte is not 5: this is not a keytab or a credential cache.
    BadMagic,
    /// The second byte names a version that does not exist.
    UnsupportedVersion(u8),
    /// The file, or the number of its entries, components or elements, is over a limit of
    /// [`limits`](crate::limits).
    TooLarge,
    /// A version 1 principal counts its realm as a component, and the count is zero.
    MissingRealm,
    /// A byte that is a truth value is neither 0 nor 1.
    BadBoolean,
    /// Bytes follow where none should.
    TrailingBytes,
    /// A header field runs past the end of the header, or has a length that its tag does not allow.
    BadHeader,
}

/// What is wrong in the text of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NameProblem {
    /// There is no name, or one of its required parts is empty.
    Empty,
    /// There is no `@REALM`, and no realm was given beside the text.
    MissingRealm,
    /// There is a second unescaped `@`.
    SecondRealm,
    /// The text ends with the escape character `\`.
    TrailingEscape,
    /// There are more parts than the form of the name has.
    TooManyParts,
    /// The text is over a limit of [`limits`](crate::limits).
    TooLong,
    /// A NUL, a space or a control character stands where none is allowed.
    BadCharacter,
    /// What follows the colon of a service's host is not a port or an instance name.
    BadPort,
}

/// Which part of a keytab lookup had no match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Absent {
    /// No entry has the principal.
    Principal,
    /// The principal has entries, none of them of the enctype.
    Enctype,
    /// The principal has entries of the enctype, none of them of the key version.
    Kvno,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Format { offset, problem } => write!(f, "byte {offset}: {problem}"),
            Self::Name { offset, problem } => write!(f, "character at byte {offset}: {problem}"),
            Self::NotRepresentable => {
                f.write_str("a name, key, number or time does not fit the file format; write a newer version or shorten it")
            }
            Self::NotFound(absent) => write!(f, "{absent}"),
            Self::UnsupportedEnctype(id) => write!(
                f,
                "enctype {id} is not supported by this build; use a key of a supported enctype or enable its feature"
            ),
            Self::InvalidKeyLength(id) => write!(
                f,
                "the key's length is not that of enctype {id}; extract the key again"
            ),
        }
    }
}

impl fmt::Display for FormatProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("the data end inside a field; copy the whole file"),
            Self::BadMagic => {
                f.write_str("expected 5, the first byte of a keytab or credential cache")
            }
            Self::UnsupportedVersion(version) => {
                write!(f, "version {version} of the format does not exist")
            }
            Self::TooLarge => f.write_str("a size or count is over the limit"),
            Self::MissingRealm => f.write_str("expected a component count that includes the realm"),
            Self::BadBoolean => f.write_str("expected 0 or 1"),
            Self::TrailingBytes => f.write_str("expected the end; pass one item only"),
            Self::BadHeader => f.write_str("a header field has an impossible length"),
        }
    }
}

impl fmt::Display for NameProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "a required part of the name is empty",
            Self::MissingRealm => "expected @REALM; append it or give a default realm",
            Self::SecondRealm => "a second @; escape it as \\@ if it belongs to the name",
            Self::TrailingEscape => "the text ends with \\; write \\\\ for a backslash",
            Self::TooManyParts => "the name has more parts than its form allows",
            Self::TooLong => "the name is over the length limit",
            Self::BadCharacter => "a NUL, space or control character is not allowed here",
            Self::BadPort => "expected a port or an instance name after the colon",
        })
    }
}

impl fmt::Display for Absent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Principal => "the keytab has no key of this principal; add it with ktadd or ktpass",
            Self::Enctype => "the keytab has no key of this enctype for the principal; extract it again with that enctype",
            Self::Kvno => "the keytab has no key of this version for the principal; the key was changed, extract it again",
        })
    }
}

impl core::error::Error for Error {}
