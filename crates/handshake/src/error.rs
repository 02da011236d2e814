//! Why a handshake or an authenticated stream failed.

use core::fmt;
use std::io;

use countersign_context::Flags;

use crate::framing::FrameError;

/// Why a handshake or an authenticated stream failed, and in which leg.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    leg: u32,
    kind: ErrorKind,
}

impl Error {
    pub(crate) fn new(leg: u32, kind: ErrorKind) -> Self {
        Self { leg, kind }
    }

    /// The token with which it failed, counting those of both directions from 1. Zero where no
    /// token was at fault: before the first, and once the context is established.
    #[must_use]
    pub fn leg(&self) -> u32 {
        self.leg
    }

    /// What happened.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.kind
    }

    /// The engine's error, where it was the engine that refused.
    #[must_use]
    pub fn refusal(&self) -> Option<&countersign_context::Error> {
        match &self.kind {
            ErrorKind::Refused(error) => Some(error),
            _ => None,
        }
    }

    /// The error inside an [`io::Error`] that an authenticated stream returned.
    #[must_use]
    pub fn from_io(error: &io::Error) -> Option<&Self> {
        error.get_ref().and_then(|inner| inner.downcast_ref())
    }
}

/// What happened. More kinds may be added.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The engine refused the peer's token or message. Where the protocol has a token that tells
    /// the peer, it has been sent.
    Refused(countersign_context::Error),
    /// The peer closed the connection before the token was complete.
    PeerClosed {
        /// Bytes of this token's frame that had arrived.
        received: usize,
        /// Bytes that were still to come, as far as was known: those of the frame's header until
        /// the header was complete.
        missing: usize,
    },
    /// The deadline passed.
    DeadlineExceeded,
    /// The frame's header announces more than the limit.
    TooLarge {
        /// Bytes announced.
        length: usize,
        /// Bytes permitted.
        limit: usize,
    },
    /// The peer wants more legs than the limit permits.
    TooManyLegs {
        /// Legs permitted.
        limit: u32,
    },
    /// The bytes are not of the agreed framing.
    Frame(FrameError),
    /// The engine asked for something, such as the verdict of an external replay cache, and the
    /// caller gave no answer.
    Unanswered,
    /// The stream failed.
    Io(io::ErrorKind),
    /// The context lacks flags that the authenticated stream needs.
    FlagsNotGranted(Flags),
    /// The frame's message is not sealed, and the stream is.
    NotSealed,
    /// The connection ended without the peer's authenticated end, which the caller requires.
    Truncated,
    /// The limit on frames leaves no room for a message.
    FrameLimitTooSmall,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.leg != 0 {
            write!(f, "token {}: ", self.leg)?;
        }
        self.kind.fmt(f)
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(error) => error.fmt(f),
            Self::PeerClosed { received: 0, .. } => f.write_str(
                "the peer closed the connection; look into its log, it may have refused",
            ),
            Self::PeerClosed { received, missing } => write!(
                f,
                "the peer closed the connection after {received} bytes of a frame, {missing} or \
                 more were missing"
            ),
            Self::DeadlineExceeded => {
                f.write_str("the deadline passed before the peer had answered")
            }
            Self::TooLarge { length, limit } => write!(
                f,
                "the peer announces {length} bytes and the limit is {limit}; if it means to speak \
                 this protocol, check that both sides use the same framing"
            ),
            Self::TooManyLegs { limit } => {
                write!(f, "not established after {limit} tokens; giving up")
            }
            Self::Frame(error) => error.fmt(f),
            Self::Unanswered => f.write_str(
                "the engine asked a question that nobody answers; for tickets set `kdc_client`, for verdicts \
                 run the handshake with a handler",
            ),
            Self::Io(kind) if is_reset(*kind) => {
                f.write_str("the peer broke the connection off; look into its log")
            }
            Self::Io(kind) => write!(f, "the connection failed: {kind}"),
            Self::FlagsNotGranted(flags) => {
                write!(
                    f,
                    "the stream needs flags that were not granted: {flags}; request them"
                )
            }
            Self::NotSealed => {
                f.write_str("the message is signed but not sealed; the peer must seal")
            }
            Self::Truncated => f.write_str(
                "the connection ended without the peer's authenticated end; the data may have been \
                 cut short",
            ),
            Self::FrameLimitTooSmall => {
                f.write_str("the limit on frames leaves no room for a message; raise it")
            }
        }
    }
}

/// The peer has closed with data still to be read or written.
fn is_reset(kind: io::ErrorKind) -> bool {
    matches!(
        kind,
        io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
    )
}

impl core::error::Error for Error {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match &self.kind {
            ErrorKind::Refused(error) => Some(error),
            ErrorKind::Frame(error) => Some(error),
            _ => None,
        }
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match &error.kind {
            ErrorKind::PeerClosed { .. } | ErrorKind::Truncated => io::ErrorKind::UnexpectedEof,
            ErrorKind::DeadlineExceeded => io::ErrorKind::TimedOut,
            ErrorKind::Refused(_)
            | ErrorKind::TooLarge { .. }
            | ErrorKind::Frame(_)
            | ErrorKind::NotSealed => io::ErrorKind::InvalidData,
            ErrorKind::Io(kind) => *kind,
            _ => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}
