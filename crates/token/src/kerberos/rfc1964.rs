//! The headers of per-message tokens of the old form, RFC 1964 §1.2, which rc4-hmac still has
//! (RFC 4757 §7.2 and 7.3). They come inside the frame of RFC 2743 §3.1.

use super::gss_token::{self, TokenId};
use crate::error::{DecodeError, DecodeErrorKind};

/// The header of a MIC or a Wrap token of the old form.
///
/// ```text
/// 0..1     TOK_ID     01 01 (MIC)             02 01 (Wrap)
/// 2..3     SGN_ALG    u16 little-endian
/// 4..5     SEAL_ALG   FF FF                   u16 little-endian, FF FF for not sealed
/// 6..7     Filler     FF FF
/// 8..15    SND_SEQ    encrypted
/// 16..23   SGN_CKSUM
/// 24..     Data       (Wrap only) eight octets of confounder, then the padded message
/// ```
///
/// Source: RFC 1964 §1.2.1 and 1.2.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rfc1964Header {
    /// [`TokenId::Rfc1964Mic`] or [`TokenId::Rfc1964Wrap`].
    pub tok_id: TokenId,
    /// The checksum algorithm; 0x0011 is HMAC (RFC 4757 §7.2).
    pub sgn_alg: u16,
    /// The encryption algorithm; 0x0010 is RC4 (RFC 4757 §7.3), 0xffff none.
    pub seal_alg: u16,
    /// The encrypted number and direction.
    pub snd_seq: [u8; 8],
    /// The checksum.
    pub sgn_cksum: [u8; 8],
}

impl Rfc1964Header {
    /// The header's length.
    pub const LEN: usize = 24;
    /// RFC 4757 §7.2: the checksum is an HMAC-MD5.
    pub const SGN_ALG_HMAC: u16 = 0x0011;
    /// RFC 4757 §7.3: the message is encrypted with RC4.
    pub const SEAL_ALG_RC4: u16 = 0x0010;
    /// RFC 1964 §1.2.2: the message is not encrypted.
    pub const SEAL_ALG_NONE: u16 = 0xffff;

    /// Reads the header of a token whose frame is already taken off; returns it and the data.
    ///
    /// # Errors
    /// Another identifier, fewer than 24 bytes, or a filler octet other than 0xFF.
    pub fn parse(token: &[u8]) -> Result<(Self, &[u8]), DecodeError> {
        let (tok_id, _) = gss_token::split(token)?;
        if !matches!(tok_id, TokenId::Rfc1964Mic | TokenId::Rfc1964Wrap) {
            gss_token::expect(token, TokenId::Rfc1964Wrap)?;
        }
        let Some((header, rest)) = token.split_first_chunk::<{ Self::LEN }>() else {
            let missing = Self::LEN.saturating_sub(token.len());
            return Err(DecodeError::new(
                token.len(),
                DecodeErrorKind::Truncated { missing },
            ));
        };
        let [
            _,
            _,
            g0,
            g1,
            e0,
            e1,
            f0,
            f1,
            q @ ..,
            c0,
            c1,
            c2,
            c3,
            c4,
            c5,
            c6,
            c7,
        ] = *header;
        let header = Self {
            tok_id,
            sgn_alg: u16::from_le_bytes([g0, g1]),
            seal_alg: u16::from_le_bytes([e0, e1]),
            snd_seq: q,
            sgn_cksum: [c0, c1, c2, c3, c4, c5, c6, c7],
        };
        if [f0, f1] != [0xff, 0xff] {
            return Err(DecodeError::new(6, DecodeErrorKind::MalformedFiller));
        }
        // RFC 1964 §1.2.1: in a MIC token octets 4 to 7 are all filler.
        if tok_id == TokenId::Rfc1964Mic && header.seal_alg != Self::SEAL_ALG_NONE {
            return Err(DecodeError::new(4, DecodeErrorKind::MalformedFiller));
        }
        Ok((header, rest))
    }

    /// The header's bytes.
    #[must_use]
    pub const fn to_bytes(&self) -> [u8; Self::LEN] {
        let [t0, t1] = self.tok_id.to_bytes();
        let [g0, g1] = self.sgn_alg.to_le_bytes();
        let [e0, e1] = self.seal_alg.to_le_bytes();
        let [q0, q1, q2, q3, q4, q5, q6, q7] = self.snd_seq;
        let [c0, c1, c2, c3, c4, c5, c6, c7] = self.sgn_cksum;
        [
            t0, t1, g0, g1, e0, e1, 0xff, 0xff, q0, q1, q2, q3, q4, q5, q6, q7, c0, c1, c2, c3, c4,
            c5, c6, c7,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRAP: Rfc1964Header = Rfc1964Header {
        tok_id: TokenId::Rfc1964Wrap,
        sgn_alg: Rfc1964Header::SGN_ALG_HMAC,
        seal_alg: Rfc1964Header::SEAL_ALG_RC4,
        snd_seq: [1, 2, 3, 4, 5, 6, 7, 8],
        sgn_cksum: [9; 8],
    };

    #[test]
    fn the_header_has_the_layout_of_rfc_1964_and_round_trips() {
        let mut token = WRAP.to_bytes().to_vec();
        assert_eq!(token[..8], [2, 1, 0x11, 0, 0x10, 0, 0xff, 0xff]);
        token.extend_from_slice(b"data");
        assert_eq!(Rfc1964Header::parse(&token), Ok((WRAP, &b"data"[..])));
        let mic = Rfc1964Header {
            tok_id: TokenId::Rfc1964Mic,
            seal_alg: Rfc1964Header::SEAL_ALG_NONE,
            ..WRAP
        };
        assert_eq!(Rfc1964Header::parse(&mic.to_bytes()), Ok((mic, &[][..])));
    }

    #[test]
    fn every_prefix_a_wrong_filler_and_other_identifiers_are_refused() {
        let token = WRAP.to_bytes();
        for end in 0..token.len() {
            assert!(Rfc1964Header::parse(&token[..end]).is_err());
        }
        for (place, value) in [(0, 1), (6, 0), (7, 0), (1, 0), (1, 2)] {
            let mut changed = token;
            changed[place] = value;
            assert!(
                Rfc1964Header::parse(&changed).is_err(),
                "octet {place} as {value}"
            );
        }
    }
}
