//! The headers of per-message tokens, RFC 4121 §4.2.

use super::gss_token::{self, TokenId};
use crate::error::{DecodeError, DecodeErrorKind};

/// RFC 4121 §4.2.2: the flags octet. Flags that are not known are kept and to be ignored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct CfxFlags(pub u8);

impl CfxFlags {
    /// No flags.
    pub const NONE: Self = Self(0);
    /// The sender is the acceptor.
    pub const SENT_BY_ACCEPTOR: Self = Self(1);
    /// In a Wrap token: the message is encrypted. Not set in a MIC token.
    pub const SEALED: Self = Self(2);
    /// The acceptor's subkey protects the message.
    pub const ACCEPTOR_SUBKEY: Self = Self(4);

    /// Whether every flag of `other` is set here.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl core::ops::BitOr for CfxFlags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// The header of a MIC token; the checksum follows.
///
/// ```text
/// 0..1    TOK_ID     04 04
/// 2       Flags
/// 3..7    Filler     FF FF FF FF FF
/// 8..15   SND_SEQ    u64 big-endian
/// 16..    SGN_CKSUM
/// ```
///
/// Source: RFC 4121 §4.2.6.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MicHeader {
    /// Who sent it and under which key.
    pub flags: CfxFlags,
    /// The message's number.
    pub seq: u64,
}

/// The header of a Wrap token; the rotated data follows.
///
/// ```text
/// 0..1    TOK_ID     05 04
/// 2       Flags
/// 3       Filler     FF
/// 4..5    EC         u16 big-endian
/// 6..7    RRC        u16 big-endian
/// 8..15   SND_SEQ    u64 big-endian
/// 16..    Data
/// ```
///
/// Source: RFC 4121 §4.2.6.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrapHeader {
    /// Who sent it, whether it is sealed, and under which key.
    pub flags: CfxFlags,
    /// RFC 4121 §4.2.3: the "extra count": of filler octets in a sealed message, of checksum
    /// octets in one that is not.
    pub ec: u16,
    /// RFC 4121 §4.2.5: the right rotation count of the data.
    pub rrc: u16,
    /// The message's number.
    pub seq: u64,
}

/// The length of either header.
pub const HEADER_LEN: usize = 16;

impl MicHeader {
    /// Reads a token's header; returns it and the checksum.
    ///
    /// # Errors
    /// Another identifier, fewer than 16 bytes, or a filler octet other than 0xFF.
    #[inline]
    pub fn parse(token: &[u8]) -> Result<(Self, &[u8]), DecodeError> {
        gss_token::expect(token, TokenId::Mic)?;
        let (header, rest) = split_header(token)?;
        let [_, _, flags, filler @ .., s0, s1, s2, s3, s4, s5, s6, s7] = *header;
        if filler != [0xff; 5] {
            return Err(DecodeError::new(3, DecodeErrorKind::MalformedFiller));
        }
        let seq = u64::from_be_bytes([s0, s1, s2, s3, s4, s5, s6, s7]);
        Ok((
            Self {
                flags: CfxFlags(flags),
                seq,
            },
            rest,
        ))
    }

    /// The header's bytes.
    #[must_use]
    #[inline]
    pub const fn to_bytes(&self) -> [u8; HEADER_LEN] {
        let [a, b, c, d, e, f, g, h] = self.seq.to_be_bytes();
        [
            4,
            4,
            self.flags.0,
            0xff,
            0xff,
            0xff,
            0xff,
            0xff,
            a,
            b,
            c,
            d,
            e,
            f,
            g,
            h,
        ]
    }
}

impl WrapHeader {
    /// Reads a token's header; returns it and the rotated data.
    ///
    /// # Errors
    /// Another identifier, fewer than 16 bytes, or a filler octet other than 0xFF.
    #[inline]
    pub fn parse(token: &[u8]) -> Result<(Self, &[u8]), DecodeError> {
        gss_token::expect(token, TokenId::Wrap)?;
        let (header, rest) = split_header(token)?;
        let [
            _,
            _,
            flags,
            filler,
            e0,
            e1,
            r0,
            r1,
            s0,
            s1,
            s2,
            s3,
            s4,
            s5,
            s6,
            s7,
        ] = *header;
        if filler != 0xff {
            return Err(DecodeError::new(3, DecodeErrorKind::MalformedFiller));
        }
        let header = Self {
            flags: CfxFlags(flags),
            ec: u16::from_be_bytes([e0, e1]),
            rrc: u16::from_be_bytes([r0, r1]),
            seq: u64::from_be_bytes([s0, s1, s2, s3, s4, s5, s6, s7]),
        };
        Ok((header, rest))
    }

    /// The header's bytes.
    #[must_use]
    #[inline]
    pub const fn to_bytes(&self) -> [u8; HEADER_LEN] {
        let [e0, e1] = self.ec.to_be_bytes();
        let [r0, r1] = self.rrc.to_be_bytes();
        let [a, b, c, d, e, f, g, h] = self.seq.to_be_bytes();
        [
            5,
            4,
            self.flags.0,
            0xff,
            e0,
            e1,
            r0,
            r1,
            a,
            b,
            c,
            d,
            e,
            f,
            g,
            h,
        ]
    }
}

#[inline]
fn split_header(token: &[u8]) -> Result<(&[u8; HEADER_LEN], &[u8]), DecodeError> {
    token.split_first_chunk().ok_or_else(|| {
        let missing = HEADER_LEN.saturating_sub(token.len());
        DecodeError::new(token.len(), DecodeErrorKind::Truncated { missing })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIC: MicHeader = MicHeader {
        flags: CfxFlags(5),
        seq: 0x0102_0304_0506_0708,
    };
    const WRAP: WrapHeader = WrapHeader {
        flags: CfxFlags(0x82),
        ec: 0x1112,
        rrc: 0x2122,
        seq: u64::MAX - 1,
    };

    #[test]
    fn headers_have_the_layout_of_rfc_4121() {
        let mic = [4, 4, 5, 255, 255, 255, 255, 255, 1, 2, 3, 4, 5, 6, 7, 8];
        assert_eq!(MIC.to_bytes(), mic);
        let wrap = [
            5, 4, 0x82, 255, 0x11, 0x12, 0x21, 0x22, 255, 255, 255, 255, 255, 255, 255, 254,
        ];
        assert_eq!(WRAP.to_bytes(), wrap);
    }

    #[test]
    fn headers_round_trip_with_what_follows_them() {
        let mut token = MIC.to_bytes().to_vec();
        token.extend_from_slice(b"checksum");
        assert_eq!(MicHeader::parse(&token), Ok((MIC, &b"checksum"[..])));
        assert_eq!(WrapHeader::parse(&WRAP.to_bytes()), Ok((WRAP, &[][..])));
    }

    #[test]
    fn every_prefix_every_wrong_filler_and_the_other_identifier_are_refused() {
        let (mic, wrap) = (MIC.to_bytes(), WRAP.to_bytes());
        for end in 0..HEADER_LEN {
            assert!(MicHeader::parse(&mic[..end]).is_err());
            assert!(WrapHeader::parse(&wrap[..end]).is_err());
        }
        for place in 3..8 {
            let mut changed = mic;
            changed[place] = 0xfe;
            let error = MicHeader::parse(&changed).unwrap_err();
            assert_eq!(error.kind(), DecodeErrorKind::MalformedFiller);
        }
        let mut changed = wrap;
        changed[3] = 0;
        assert!(WrapHeader::parse(&changed).is_err());
        assert!(WrapHeader::parse(&mic).is_err());
        assert!(MicHeader::parse(&wrap).is_err());
    }
}
