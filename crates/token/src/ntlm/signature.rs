use crate::error::{DecodeError, DecodeErrorKind};

/// NTLMSSP_MESSAGE_SIGNATURE for extended session security: the MIC of a message.
///
/// ```text
///  0   Version    u32 little-endian, 1
///  4   Checksum   8 bytes
/// 12   SeqNum     u32
/// ```
///
/// Source: MS-NLMP §2.2.2.9.2.
///
/// ```
/// use countersign_token::ntlm::MessageSignature;
///
/// let signature = MessageSignature { checksum: [0xc5; 8], sequence: 7 };
/// assert_eq!(MessageSignature::parse(&signature.to_bytes())?, signature);
/// # Ok::<_, countersign_token::DecodeError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageSignature {
    /// The checksum, sealed if a session key was exchanged.
    pub checksum: [u8; 8],
    /// The message's number.
    pub sequence: u32,
}

/// NTLMSSP_MESSAGE_SIGNATURE without extended session security.
///
/// ```text
///  0   Version     u32 little-endian, 1
///  4   RandomPad   u32
///  8   Checksum    u32
/// 12   SeqNum      u32
/// ```
///
/// Source: MS-NLMP §2.2.2.9.1. All but the version is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageSignatureV1 {
    /// What the receiver ignores.
    pub random_pad: u32,
    /// The CRC-32 of the message.
    pub checksum: u32,
    /// The message's number.
    pub sequence: u32,
}

/// The length of either form.
const LEN: usize = 16;

/// A token of 16 bytes and of version 1.
fn open(token: &[u8]) -> Result<[u8; LEN], DecodeError> {
    let Ok(bytes) = <[u8; LEN]>::try_from(token) else {
        let (offset, kind) = match LEN.checked_sub(token.len()) {
            Some(missing) => (token.len(), DecodeErrorKind::Truncated { missing }),
            None => (LEN, DecodeErrorKind::TrailingData),
        };
        return Err(DecodeError::new(offset, kind));
    };
    let [v0, v1, v2, v3, ..] = bytes;
    let found = u32::from_le_bytes([v0, v1, v2, v3]).cast_signed();
    if found != 1 {
        let kind = DecodeErrorKind::UnexpectedNumber { expected: 1, found };
        return Err(DecodeError::new(0, kind));
    }
    Ok(bytes)
}

impl MessageSignature {
    /// The signature's length.
    pub const LEN: usize = LEN;

    /// Reads a token of 16 bytes.
    ///
    /// # Errors
    /// Another length, or another version.
    pub fn parse(token: &[u8]) -> Result<Self, DecodeError> {
        let [_, _, _, _, checksum @ .., s0, s1, s2, s3] = open(token)?;
        Ok(Self {
            checksum,
            sequence: u32::from_le_bytes([s0, s1, s2, s3]),
        })
    }

    /// The token.
    #[must_use]
    pub const fn to_bytes(&self) -> [u8; LEN] {
        let [c0, c1, c2, c3, c4, c5, c6, c7] = self.checksum;
        let [s0, s1, s2, s3] = self.sequence.to_le_bytes();
        [1, 0, 0, 0, c0, c1, c2, c3, c4, c5, c6, c7, s0, s1, s2, s3]
    }
}

impl MessageSignatureV1 {
    /// The signature's length.
    pub const LEN: usize = LEN;

    /// Reads a token of 16 bytes.
    ///
    /// # Errors
    /// Another length, or another version.
    pub fn parse(token: &[u8]) -> Result<Self, DecodeError> {
        let [_, _, _, _, p0, p1, p2, p3, c0, c1, c2, c3, s0, s1, s2, s3] = open(token)?;
        Ok(Self {
            random_pad: u32::from_le_bytes([p0, p1, p2, p3]),
            checksum: u32::from_le_bytes([c0, c1, c2, c3]),
            sequence: u32::from_le_bytes([s0, s1, s2, s3]),
        })
    }

    /// The token.
    #[must_use]
    pub const fn to_bytes(&self) -> [u8; LEN] {
        let [p0, p1, p2, p3] = self.random_pad.to_le_bytes();
        let [c0, c1, c2, c3] = self.checksum.to_le_bytes();
        let [s0, s1, s2, s3] = self.sequence.to_le_bytes();
        [1, 0, 0, 0, p0, p1, p2, p3, c0, c1, c2, c3, s0, s1, s2, s3]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// MS-NLMP §4.2.4.4 and §4.2.2.4.
    #[test]
    fn the_signatures_of_the_specification_s_examples_go_both_ways() {
        let token = [
            1, 0, 0, 0, 0x7f, 0xb3, 0x8e, 0xc5, 0xc5, 0x5d, 0x49, 0x76, 0, 0, 0, 0,
        ];
        let signature = MessageSignature::parse(&token).unwrap();
        assert_eq!(signature.checksum, token[4..12]);
        assert_eq!((signature.sequence, signature.to_bytes()), (0, token));

        let token = [
            1, 0, 0, 0, 0x45, 0xc8, 0x44, 0xe5, 0x09, 0xdc, 0xd1, 0xdf, 0x2e, 0x45, 0x9d, 0x36,
        ];
        let signature = MessageSignatureV1::parse(&token).unwrap();
        assert_eq!(signature.random_pad, 0xe544_c845);
        assert_eq!(signature.checksum, 0xdfd1_dc09);
        assert_eq!(signature.sequence, 0x369d_452e);
        assert_eq!(signature.to_bytes(), token);
    }

    #[test]
    fn other_lengths_and_versions_are_refused() {
        let signature = MessageSignature {
            checksum: [9; 8],
            sequence: u32::MAX,
        };
        let token = signature.to_bytes();
        assert_eq!(MessageSignature::parse(&token), Ok(signature));
        assert!(MessageSignatureV1::parse(&token).is_ok());
        for end in 0..LEN {
            let kind = DecodeErrorKind::Truncated { missing: LEN - end };
            let error = DecodeError::new(end, kind);
            assert_eq!(MessageSignature::parse(&token[..end]), Err(error));
            assert_eq!(MessageSignatureV1::parse(&token[..end]), Err(error));
        }
        let longer = [&token[..], &[0]].concat();
        let error = MessageSignature::parse(&longer).unwrap_err();
        assert_eq!(error.kind(), DecodeErrorKind::TrailingData);
        for place in 0..4 {
            let mut changed = token;
            changed[place] ^= 2;
            let error = MessageSignature::parse(&changed).unwrap_err();
            assert!(matches!(
                error.kind(),
                DecodeErrorKind::UnexpectedNumber { expected: 1, .. }
            ));
        }
    }
}
