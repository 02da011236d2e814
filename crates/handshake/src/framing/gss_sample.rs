//! The protocol of the gss-client and gss-server programs that come with MIT Kerberos
//! (`src/appl/gss-sample`).

use core::fmt;
use core::ops::BitOr;

use super::{Due, FrameError, Framing, Header, decode_length, encode_length};

/// The flags byte of a gss-sample frame, as `gss-misc.h` numbers them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct TokenFlags(u8);

impl TokenFlags {
    /// Carries nothing: opens a connection, acknowledges a message, ends the messages.
    pub const NOOP: Self = Self(1 << 0);
    /// Carries a token of context establishment.
    pub const CONTEXT: Self = Self(1 << 1);
    /// Carries a message for the acceptor.
    pub const DATA: Self = Self(1 << 2);
    /// Carries the MIC of a message.
    pub const MIC: Self = Self(1 << 3);
    /// Beside `NOOP`: context establishment follows.
    pub const CONTEXT_NEXT: Self = Self(1 << 4);
    /// Beside `DATA`: the message is a Wrap token.
    pub const WRAPPED: Self = Self(1 << 5);
    /// Beside `DATA`: the Wrap token is sealed.
    pub const ENCRYPTED: Self = Self(1 << 6);
    /// Beside `DATA`: the acceptor shall answer with a MIC.
    pub const SEND_MIC: Self = Self(1 << 7);

    /// The flags with exactly these bits.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    /// The bits.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Whether every flag of `other` is set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl BitOr for TokenFlags {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Debug for TokenFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenFlags({:#04x})", self.0)
    }
}

/// The framing of MIT's sample programs: an initiator announces context establishment with an
/// empty frame `NOOP | CONTEXT_NEXT`, then every token travels in a frame `CONTEXT`.
///
/// ```text
/// offset  size
/// 0       1     flags, never zero
/// 1       4     length of the payload in bytes, big-endian
/// 5       n     the payload
/// ```
///
/// A first byte of zero belongs to version 1 of the protocol (`gss-client -v1`), which has no
/// flags; gss-server does not establish contexts with it, and neither does this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GssSample;

impl GssSample {
    /// Bytes ahead of the payload.
    pub const HEADER: usize = 5;

    /// Flags and payload length of a header, whichever frame it opens.
    #[must_use]
    pub fn parse_header(header: [u8; Self::HEADER]) -> (TokenFlags, usize) {
        let [flags, length @ ..] = header;
        (TokenFlags(flags), decode_length(length))
    }

    /// Appends a frame with these flags.
    ///
    /// # Errors
    /// Where the payload is longer than 2³² - 1 bytes.
    pub fn encode_frame(
        flags: TokenFlags,
        payload: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), FrameError> {
        let length = encode_length(payload)?;
        out.push(flags.0);
        out.extend_from_slice(&length);
        out.extend_from_slice(payload);
        Ok(())
    }
}

impl Framing for GssSample {
    fn opening(&self) -> &'static [u8] {
        const FLAGS: u8 = TokenFlags::NOOP.0 | TokenFlags::CONTEXT_NEXT.0;
        &[FLAGS, 0, 0, 0, 0]
    }

    fn header(&self, due: Due, received: &[u8]) -> Result<Header, FrameError> {
        let expected = match due {
            Due::Opening => TokenFlags::NOOP,
            Due::Token => TokenFlags::CONTEXT,
        };
        // The first byte is looked at as soon as it is there: bytes of another protocol would
        // otherwise be waited for.
        if let Some(&found) = received.first()
            && !TokenFlags(found).contains(expected)
        {
            return Err(FrameError::UnexpectedFlags {
                expected: expected.0,
                found,
            });
        }
        let Some(header) = received.first_chunk::<{ Self::HEADER }>() else {
            return Ok(Header::More(Self::HEADER.saturating_sub(received.len())));
        };
        let (flags, payload) = Self::parse_header(*header);
        if due == Due::Opening {
            if flags == TokenFlags::NOOP {
                return Err(FrameError::Unauthenticated);
            }
            if !flags.contains(TokenFlags::CONTEXT_NEXT) {
                return Err(FrameError::UnexpectedFlags {
                    expected: (TokenFlags::NOOP | TokenFlags::CONTEXT_NEXT).0,
                    found: flags.0,
                });
            }
            if payload != 0 {
                return Err(FrameError::NotEmpty);
            }
        }
        Ok(Header::Complete {
            header: Self::HEADER,
            payload,
        })
    }

    fn encode(&self, token: &[u8], out: &mut Vec<u8>) -> Result<(), FrameError> {
        Self::encode_frame(TokenFlags::CONTEXT, token, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opening_is_the_frame_that_gss_client_sends_and_gss_server_expects() {
        assert_eq!(GssSample.opening(), [0x11, 0, 0, 0, 0]);
        assert_eq!(
            GssSample.header(Due::Opening, GssSample.opening()),
            Ok(Header::Complete {
                header: 5,
                payload: 0
            })
        );
    }

    #[test]
    fn opening_without_context_is_told_apart_from_garbage() {
        assert_eq!(
            GssSample.header(Due::Opening, &[0x01, 0, 0, 0, 0]),
            Err(FrameError::Unauthenticated)
        );
        assert_eq!(
            GssSample.header(Due::Opening, b"G"),
            Ok(Header::More(4)),
            "an ASCII G has the NOOP bit"
        );
        assert_eq!(
            GssSample.header(Due::Opening, b"GET /"),
            Err(FrameError::UnexpectedFlags {
                expected: 0x11,
                found: b'G'
            })
        );
        assert_eq!(
            GssSample.header(Due::Opening, &[0x60]),
            Err(FrameError::UnexpectedFlags {
                expected: 1,
                found: 0x60
            })
        );
        assert_eq!(
            GssSample.header(Due::Opening, &[0x11, 0, 0, 0, 1]),
            Err(FrameError::NotEmpty)
        );
    }

    #[test]
    fn token_frames_carry_the_context_flag() {
        let mut out = Vec::new();
        GssSample.encode(b"token", &mut out).unwrap();
        assert_eq!(out, b"\x02\x00\x00\x00\x05token");
        assert_eq!(
            GssSample.header(Due::Token, &out[..5]),
            Ok(Header::Complete {
                header: 5,
                payload: 5
            })
        );
        assert_eq!(
            GssSample.header(Due::Token, &[0x08]),
            Err(FrameError::UnexpectedFlags {
                expected: 2,
                found: 8
            })
        );
    }
}
