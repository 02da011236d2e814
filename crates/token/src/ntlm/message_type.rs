use core::fmt;

use crate::error::{DecodeError, DecodeErrorKind};

/// What every message begins with, MS-NLMP §2.2.1.
pub const SIGNATURE: [u8; 8] = *b"NTLMSSP\0";

/// The kinds of message, by their `MessageType`.
///
/// Source: MS-NLMP §2.2.1.
///
/// ```
/// use countersign_token::{DecodeErrorKind, ntlm::MessageType};
///
/// assert_eq!(MessageType::of(b"NTLMSSP\0\x02\0\0\0..."), Ok(MessageType::Challenge));
/// let error = MessageType::of(b"\x60\x28\x06\x06").unwrap_err();
/// assert_eq!(error.kind(), DecodeErrorKind::NotNtlm);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageType {
    /// NEGOTIATE_MESSAGE, the initiator's first.
    Negotiate = 1,
    /// CHALLENGE_MESSAGE, the acceptor's.
    Challenge = 2,
    /// AUTHENTICATE_MESSAGE, the initiator's second.
    Authenticate = 3,
}

impl MessageType {
    /// The kind of message that `token` begins as; the rest of it is not looked at.
    ///
    /// # Errors
    /// The signature is another, the type is none of the three, or `token` ends before.
    pub fn of(token: &[u8]) -> Result<Self, DecodeError> {
        let head = token.get(..SIGNATURE.len()).unwrap_or(token);
        if !SIGNATURE.starts_with(head) {
            return Err(DecodeError::new(0, DecodeErrorKind::NotNtlm));
        }
        let number = token.split_first_chunk::<8>();
        let number = number.and_then(|(_, rest)| rest.first_chunk::<4>());
        match number.map(|octets| u32::from_le_bytes(*octets)) {
            Some(1) => Ok(Self::Negotiate),
            Some(2) => Ok(Self::Challenge),
            Some(3) => Ok(Self::Authenticate),
            Some(found) => {
                let kind = DecodeErrorKind::UnknownMessageType { found };
                Err(DecodeError::new(8, kind))
            }
            None => {
                let missing = 12_usize.saturating_sub(token.len());
                let kind = DecodeErrorKind::Truncated { missing };
                Err(DecodeError::new(token.len(), kind))
            }
        }
    }

    /// The value of `MessageType`.
    #[must_use]
    pub const fn number(self) -> u32 {
        match self {
            Self::Negotiate => 1,
            Self::Challenge => 2,
            Self::Authenticate => 3,
        }
    }
}

/// `NEGOTIATE`, `CHALLENGE`, `AUTHENTICATE`.
impl fmt::Display for MessageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Negotiate => "NEGOTIATE",
            Self::Challenge => "CHALLENGE",
            Self::Authenticate => "AUTHENTICATE",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_prefix_of_a_message_is_cut_off_and_not_of_another_protocol() {
        let token = b"NTLMSSP\0\x03\0\0\0";
        assert_eq!(MessageType::of(token), Ok(MessageType::Authenticate));
        for end in 0..token.len() {
            let error = MessageType::of(&token[..end]).unwrap_err();
            let kind = DecodeErrorKind::Truncated { missing: 12 - end };
            assert_eq!((error.offset(), error.kind()), (end, kind));
        }
    }

    #[test]
    fn other_signatures_and_other_types_are_refused() {
        let kind = |token| MessageType::of(token).unwrap_err().kind();
        assert_eq!(kind(b"NTLMSSP "), DecodeErrorKind::NotNtlm);
        assert_eq!(kind(b"K"), DecodeErrorKind::NotNtlm);
        assert_eq!(
            kind(b"NTLMSSP\0\x01\0\0\x80"),
            DecodeErrorKind::UnknownMessageType { found: 0x8000_0001 }
        );
        assert_eq!(
            kind(b"NTLMSSP\0\0\0\0\0"),
            DecodeErrorKind::UnknownMessageType { found: 0 }
        );
    }
}
