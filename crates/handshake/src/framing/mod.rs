//! How tokens are cut out of a byte stream.
//!
//! A framing is pure: it looks at bytes and says how many more it needs. The blocking and the
//! tokio driver share it, and never read a byte beyond the frame that is due, so that whatever
//! follows the handshake is still in the stream.

mod gss_sample;
mod length_prefixed;

use core::fmt;

pub use gss_sample::{GssSample, TokenFlags};
pub use length_prefixed::LengthPrefixed;

/// What is expected next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Due {
    /// What the initiator sends ahead of its first token, in framings that have it.
    Opening,
    /// A token of the mechanism.
    Token,
}

/// What the first bytes of a frame say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Header {
    /// So many more bytes, at least one, are needed to tell.
    More(usize),
    /// The header is complete.
    Complete {
        /// Its own length in bytes.
        header: usize,
        /// The length of the payload that follows, in bytes.
        payload: usize,
    },
}

/// Cuts tokens out of a byte stream.
pub trait Framing: fmt::Debug + Send + Sync + 'static {
    /// What an initiator sends, and an acceptor expects, ahead of the first token.
    fn opening(&self) -> &'static [u8] {
        &[]
    }

    /// Reads the header of the frame that is due. `received` starts at the frame's first byte and
    /// ends somewhere in the frame.
    ///
    /// # Errors
    /// Where the bytes are not of this framing, or not the frame that is due.
    fn header(&self, due: Due, received: &[u8]) -> Result<Header, FrameError>;

    /// Appends the frame that carries a token.
    ///
    /// # Errors
    /// Where the token is longer than the framing can say.
    fn encode(&self, token: &[u8], out: &mut Vec<u8>) -> Result<(), FrameError>;
}

/// Bytes that are not of the agreed framing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrameError {
    /// A frame of the gss-sample protocol with other flags than are due.
    UnexpectedFlags {
        /// The flags that are due.
        expected: u8,
        /// The flags received.
        found: u8,
    },
    /// The initiator of the gss-sample protocol does not want to authenticate.
    Unauthenticated,
    /// A frame that must be empty is not.
    NotEmpty,
    /// The token is longer than the framing's length field can say.
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnexpectedFlags { expected, found } => write!(
                f,
                "expected a gss-sample frame with flags {expected:#04x}, found {found:#04x}; check \
                 that both sides use the same framing"
            ),
            Self::Unauthenticated => f.write_str("the client does not want to authenticate"),
            Self::NotEmpty => f.write_str("a frame that must be empty carries data"),
            Self::TooLong { length } => {
                write!(
                    f,
                    "{length} bytes are more than the framing's length field can say"
                )
            }
        }
    }
}

impl core::error::Error for FrameError {}

/// The length field common to both framings: 4 bytes, big-endian.
fn encode_length(payload: &[u8]) -> Result<[u8; 4], FrameError> {
    u32::try_from(payload.len())
        .map(u32::to_be_bytes)
        .map_err(|_| FrameError::TooLong {
            length: payload.len(),
        })
}

fn decode_length(bytes: [u8; 4]) -> usize {
    usize::try_from(u32::from_be_bytes(bytes)).unwrap_or(usize::MAX)
}
