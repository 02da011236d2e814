//! Why a KCM operation failed.

use core::fmt;

use crate::error::Error;

/// Why a KCM operation failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KcmError {
    /// The server refused.
    Refused(KcmCode),
    /// The bytes are not those of the protocol.
    Malformed(Error),
    /// A reply of so many bytes is over [`limits::KCM_BYTES`](crate::limits::KCM_BYTES).
    TooLarge(u32),
    /// The name of a cache is empty, too long, no text, or holds a NUL.
    BadName,
    /// Bytes follow where none should.
    TrailingBytes,
}

/// The code of a refusal: one of the C library's Kerberos codes, or an `errno`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KcmCode(pub i32);

impl KcmCode {
    /// KRB5_CC_IO: the server failed, or (on macOS) does not know the operation.
    pub const IO: Self = Self(-1_765_328_191);
    /// KRB5_FCC_PERM: not this user's cache.
    pub const PERMISSION: Self = Self(-1_765_328_190);
    /// KRB5_FCC_NOFILE: there is no such cache.
    pub const NO_CACHE: Self = Self(-1_765_328_189);
    /// KRB5_FCC_INTERNAL: how Heimdal's server says that it does not know the operation.
    pub const INTERNAL: Self = Self(-1_765_328_188);
    /// KRB5_CC_NOTFOUND: there is no such credential.
    pub const NOT_FOUND: Self = Self(-1_765_328_243);
    /// KRB5_CC_END: there is no such cache or credential any more.
    pub const END: Self = Self(-1_765_328_242);
    /// KRB5_CC_NOSUPP: how SSSD's server says that it does not know the operation.
    pub const UNSUPPORTED: Self = Self(-1_765_328_137);

    /// Whether the server does not know the operation, so that an older one should be tried.
    #[must_use]
    pub fn is_unsupported(self) -> bool {
        [Self::INTERNAL, Self::IO, Self::UNSUPPORTED].contains(&self)
    }

    /// Whether the cache or credential does not exist, or no longer.
    #[must_use]
    pub fn is_absent(self) -> bool {
        [Self::NO_CACHE, Self::NOT_FOUND, Self::END].contains(&self)
    }
}

impl From<Error> for KcmError {
    fn from(error: Error) -> Self {
        Self::Malformed(error)
    }
}

impl fmt::Display for KcmError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(code) => write!(f, "the KCM server refused: {code}"),
            Self::Malformed(error) => write!(f, "not the KCM protocol: {error}"),
            Self::TooLarge(length) => {
                write!(f, "a KCM reply of {length} bytes is over the limit")
            }
            Self::BadName => f.write_str("not a name of a KCM cache; use text without NUL"),
            Self::TrailingBytes => f.write_str("not the KCM protocol: bytes follow the last field"),
        }
    }
}

impl fmt::Display for KcmCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NO_CACHE => f.write_str("there is no such cache; get tickets first"),
            Self::NOT_FOUND | Self::END => f.write_str("there is no such entry; list them again"),
            Self::PERMISSION => f.write_str("the cache is another user's"),
            code if code.is_unsupported() => {
                f.write_str("it failed or lacks the operation; see its log")
            }
            Self(code) => write!(f, "code {code}; see the server's log"),
        }
    }
}

impl core::error::Error for KcmError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Malformed(error) => Some(error),
            _ => None,
        }
    }
}
