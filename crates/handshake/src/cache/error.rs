//! Why a cache or a keytab cannot be used.

use core::fmt;
use std::io;

use countersign_credential::kcm::{KcmCode, KcmError};

/// Why a credential cache or a keytab cannot be used. More kinds may be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CacheError {
    /// There is no such cache or keytab.
    Absent,
    /// The name says no type that this program can open, or says it wrongly.
    Name(NameProblem),
    /// The file system, or the server's socket, failed.
    Io(io::ErrorKind),
    /// The file is a link, and not followed: whoever may write into the folder could have put it there.
    Link,
    /// It is no regular file, or no folder.
    WrongKind,
    /// The file is another user's.
    NotOurs,
    /// The contents are malformed, or do not fit the format.
    Format(countersign_credential::Error),
    /// The contents are over the limit.
    TooLarge,
    /// Somebody else kept the lock until the deadline.
    Locked,
    /// The server did not answer before the deadline.
    TimedOut,
    /// No KCM server listens on the socket.
    NoServer,
    /// The KCM server refused, or did not speak the protocol.
    Kcm(KcmError),
    /// The cache is no member of a collection.
    NoCollection,
    /// The operating system's randomness failed.
    Random,
}

/// What is wrong with the name of a cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum NameProblem {
    /// It is empty, or a required part of it is.
    Empty,
    /// It is not UTF-8, or holds a NUL.
    NotText,
    /// The type before the colon is unknown.
    UnknownType,
    /// The type is known, and not in this build or on this system.
    Unsupported,
    /// A member of a `DIR` collection is a file whose name begins with `tkt`, in a folder.
    NotAMember,
    /// The anchor of a `KEYRING` is unknown, or its user is not a number.
    Anchor,
    /// The configuration names it with a `%{…}` that is unknown.
    Token,
}

impl fmt::Display for CacheError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => {
                f.write_str("it does not exist; get tickets or keys first, or name another")
            }
            Self::Name(problem) => problem.fmt(f),
            Self::Io(io::ErrorKind::PermissionDenied) => f.write_str(
                "permission denied; check whose it is, and who may write into its folder",
            ),
            Self::Io(kind) => write!(f, "it cannot be read or written: {kind}"),
            Self::Link => f.write_str("it is a symbolic link; name what it points to"),
            Self::WrongKind => f.write_str("it is not a regular file, or not a folder"),
            Self::NotOurs => f.write_str("it belongs to another user; name one of your own"),
            Self::Format(error) => error.fmt(f),
            Self::TooLarge => f.write_str("it is over the limit of its format"),
            Self::Locked => f.write_str("another program keeps it locked; try again"),
            Self::TimedOut => {
                f.write_str("the KCM server did not answer in time; look into its log")
            }
            Self::NoServer => {
                f.write_str("no KCM server listens on the socket; start it, or use a FILE cache")
            }
            Self::Kcm(error) => error.fmt(f),
            Self::NoCollection => {
                f.write_str("the cache is alone and not in a collection; use DIR, KCM or KEYRING")
            }
            Self::Random => f.write_str("the operating system gave no randomness"),
        }
    }
}

impl fmt::Display for NameProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the name is incomplete; write TYPE:rest, or a path",
            Self::NotText => "the name is not UTF-8 text",
            Self::UnknownType => {
                "unknown type before the colon; there are FILE, DIR, MEMORY, KCM and KEYRING"
            }
            Self::Unsupported => {
                "this type is not in this build; KEYRING needs Linux and the feature `keyring`, KCM Unix"
            }
            Self::NotAMember => "a member of a DIR collection is named DIR::folder/tkt…",
            Self::Anchor => {
                "expected KEYRING:anchor:collection with the anchor persistent, user, session, process or thread"
            }
            Self::Token => "unknown %{…} in the configured name; spell it out",
        })
    }
}

impl core::error::Error for CacheError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Format(error) => Some(error),
            Self::Kcm(error) => Some(error),
            _ => None,
        }
    }
}

impl From<io::Error> for CacheError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Absent,
            kind => Self::Io(kind),
        }
    }
}

impl From<countersign_credential::Error> for CacheError {
    fn from(error: countersign_credential::Error) -> Self {
        Self::Format(error)
    }
}

impl From<KcmError> for CacheError {
    fn from(error: KcmError) -> Self {
        match error {
            KcmError::Refused(KcmCode::NO_CACHE) => Self::Absent,
            error => Self::Kcm(error),
        }
    }
}

impl From<NameProblem> for CacheError {
    fn from(problem: NameProblem) -> Self {
        Self::Name(problem)
    }
}
