//! The error of this crate.

use std::fmt;

/// Why the testkit could not make or open something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// A value has no encoding: a name with bytes that the independent codec refuses (0x80 to 0xA0), a time beyond
    /// the calendar.
    Encode,
    /// The bytes are not the message that was expected.
    Decode,
    /// There is no GSS-API framing, or another one than was expected.
    Framing,
    /// A key or a ciphertext was refused.
    Crypto(countersign_crypto::Error),
    /// A principal, key or cache was refused.
    Credential(countersign_credential::Error),
    /// A length that no token has.
    TooLong,
    /// No account of that name is registered.
    Unknown,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encode => f.write_str("a value has no encoding; change the name or the time"),
            Self::Decode => f.write_str("the independent codec refuses the bytes"),
            Self::Framing => f.write_str("the token has no GSS-API framing of the expected kind"),
            Self::Crypto(error) => write!(f, "{error}"),
            Self::Credential(error) => write!(f, "{error}"),
            Self::TooLong => f.write_str("the token is too long to be framed"),
            Self::Unknown => f.write_str("no such account; register it with the KDC's builder"),
        }
    }
}

impl std::error::Error for Error {}

impl From<countersign_crypto::Error> for Error {
    fn from(error: countersign_crypto::Error) -> Self {
        Self::Crypto(error)
    }
}

impl From<countersign_credential::Error> for Error {
    fn from(error: countersign_credential::Error) -> Self {
        Self::Credential(error)
    }
}
