use core::fmt;

use crate::RandomError;

/// Why a cryptographic operation was refused.
///
/// No variant carries key material, plaintext or a MAC, so an error may be logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The key bytes are not as long as the enctype's key.
    KeyLength {
        /// Bytes that the enctype demands.
        expected: usize,
        /// Bytes given.
        actual: usize,
    },
    /// The ciphertext is shorter than a confounder and a MAC.
    CiphertextTooShort {
        /// The shortest ciphertext of this enctype.
        minimum: usize,
        /// Bytes given.
        actual: usize,
    },
    /// The MAC does not match: another key, another key usage, or changed bytes.
    Integrity,
    /// The checksum's type is unkeyed, unknown, or not the one that belongs to the key's enctype.
    ChecksumType(i32),
    /// The confounder is not as long as the enctype's confounder.
    ConfounderLength {
        /// Bytes that the enctype demands.
        expected: usize,
        /// Bytes given.
        actual: usize,
    },
    /// The buffer for the MAC is not as long as the MAC.
    TrailerLength {
        /// Bytes that the enctype demands.
        expected: usize,
        /// Bytes given.
        actual: usize,
    },
    /// The string-to-key parameters are not four bytes.
    StringToKeyParameters,
    /// The iteration count in the string-to-key parameters is above what is computed.
    IterationCount(u32),
    /// The password is not UTF-8, and this enctype hashes it as UTF-16.
    PasswordEncoding,
    /// PRF+ yields at most 255 blocks (RFC 6113 §5.1).
    OutputTooLong,
    /// The random number generator failed.
    Random,
    /// Lengths that must agree inside this crate did not.
    Internal,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Error::KeyLength { expected, actual } => write!(
                f,
                "the key has {actual} bytes, its enctype takes {expected}: check the enctype beside the key"
            ),
            Error::CiphertextTooShort { minimum, actual } => write!(
                f,
                "ciphertext of {actual} bytes, the enctype's shortest is {minimum}: the message was cut or has another enctype"
            ),
            Error::Integrity => f.write_str(
                "integrity check failed: check that both sides use the same key, enctype and key usage; otherwise the message was altered",
            ),
            Error::ChecksumType(id) => write!(
                f,
                "checksum type {id} is not the keyed checksum of this key's enctype: refuse the message"
            ),
            Error::ConfounderLength { expected, actual } => {
                write!(f, "confounder of {actual} bytes, pass {expected} random bytes")
            }
            Error::TrailerLength { expected, actual } => {
                write!(f, "buffer of {actual} bytes for the MAC, pass {expected}")
            }
            Error::StringToKeyParameters => f.write_str(
                "string-to-key parameters must be a 4-byte iteration count: the KDC's hint is malformed",
            ),
            Error::IterationCount(count) => write!(
                f,
                "string-to-key iteration count {count} is too high: the KDC's hint is malformed or hostile"
            ),
            Error::PasswordEncoding => {
                f.write_str("this enctype needs the password in UTF-8: convert it first")
            }
            Error::OutputTooLong => f.write_str("PRF+ output longer than 255 blocks: ask for less"),
            Error::Random => f.write_str("the random number generator failed: do not continue"),
            Error::Internal => f.write_str("internal lengths disagree: please report this"),
        }
    }
}

impl core::error::Error for Error {}

impl From<RandomError> for Error {
    fn from(_: RandomError) -> Self {
        Error::Random
    }
}
