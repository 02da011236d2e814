//! A length and the token.

use super::{Due, FrameError, Framing, Header, decode_length, encode_length};

/// Each token behind its length:
///
/// ```text
/// offset  size
/// 0       4     length of the token in bytes, big-endian
/// 4       n     the token
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LengthPrefixed;

impl LengthPrefixed {
    /// Bytes ahead of the payload.
    pub const HEADER: usize = 4;
}

impl Framing for LengthPrefixed {
    fn header(&self, _due: Due, received: &[u8]) -> Result<Header, FrameError> {
        Ok(match received.first_chunk::<4>() {
            Some(length) => Header::Complete {
                header: Self::HEADER,
                payload: decode_length(*length),
            },
            None => Header::More(Self::HEADER.saturating_sub(received.len())),
        })
    }

    fn encode(&self, token: &[u8], out: &mut Vec<u8>) -> Result<(), FrameError> {
        out.extend_from_slice(&encode_length(token)?);
        out.extend_from_slice(token);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_asks_for_exactly_what_is_missing() {
        let frame = [0, 0, 1, 2];
        for (n, more) in [(0, 4), (1, 3), (2, 2), (3, 1)] {
            assert_eq!(
                LengthPrefixed.header(Due::Token, &frame[..n]),
                Ok(Header::More(more)),
                "{n} bytes"
            );
        }
        assert_eq!(
            LengthPrefixed.header(Due::Token, &frame),
            Ok(Header::Complete {
                header: 4,
                payload: 0x102
            })
        );
    }

    #[test]
    fn empty_token_is_a_frame() {
        let mut out = Vec::new();
        LengthPrefixed.encode(&[], &mut out).unwrap();
        assert_eq!(out, [0; 4]);
        assert_eq!(
            LengthPrefixed.header(Due::Token, &out),
            Ok(Header::Complete {
                header: 4,
                payload: 0
            })
        );
    }
}
