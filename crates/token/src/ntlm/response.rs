use alloc::vec::Vec;
use core::fmt;

use super::av_pairs::AvPairs;
use super::message::FieldBytes;
use crate::error::{DecodeError, DecodeErrorKind};

/// NTLMv2_RESPONSE, what the NT response of NTLM version 2 is: a proof, and what it is over
/// besides the acceptor's challenge.
///
/// ```text
///  0   Response              16 bytes, NTProofStr
/// 16   RespType              u8, 1
/// 17   HiRespType            u8, 1
/// 18   Reserved1             u16, ignored on receipt
/// 20   Reserved2             u32, ignored on receipt
/// 24   TimeStamp             u64 little-endian
/// 32   ChallengeFromClient   8 bytes
/// 40   Reserved3             u32, ignored on receipt
/// 44   AvPairs               with MsvAvEOL
///      (Windows adds four bytes of zero)
/// ```
///
/// Source: MS-NLMP §2.2.2.8; from byte 16 on the NTLMv2_CLIENT_CHALLENGE of §2.2.2.7, which §3.3.2
/// calls `temp`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct NtlmV2Response<'a> {
    /// NTProofStr.
    pub proof: &'a [u8; 16],
    /// The client challenge as it arrived, which the proof is over: all that follows the proof.
    pub blob: &'a [u8],
    /// The time: 100 ns intervals since 1601-01-01.
    pub timestamp: u64,
    /// The initiator's random number.
    pub client_challenge: &'a [u8; 8],
    /// The acceptor's pairs as the initiator received them, and the initiator's own.
    pub av_pairs: AvPairs<'a>,
}

impl<'a> NtlmV2Response<'a> {
    /// What stands before the pairs in the client challenge.
    const HEAD: usize = 28;

    /// Reads an NT response; one of 24 bytes, of version 1, is too short.
    ///
    /// Bytes after MsvAvEOL are part of the blob, and ignored otherwise.
    ///
    /// # Errors
    /// It is cut off, of another version, or has malformed pairs.
    pub fn parse(nt_response: &'a [u8]) -> Result<Self, DecodeError> {
        let truncated = || {
            let least = Self::HEAD.saturating_add(20);
            let missing = least.saturating_sub(nt_response.len()).max(1);
            let kind = DecodeErrorKind::Truncated { missing };
            DecodeError::new(nt_response.len(), kind)
        };
        let (proof, blob) = nt_response.split_first_chunk().ok_or_else(truncated)?;
        let (head, _) = blob.split_first_chunk::<16>().ok_or_else(truncated)?;
        let [resp_type, hi_resp_type, _, _, _, _, _, _, time @ ..] = *head;
        for (found, offset) in [(resp_type, 16), (hi_resp_type, 17)] {
            if found != 1 {
                let found = i32::from(found);
                let kind = DecodeErrorKind::UnexpectedNumber { expected: 1, found };
                return Err(DecodeError::new(offset, kind));
            }
        }
        let client_challenge = blob.get(16..).and_then(|rest| rest.first_chunk());
        let pairs = FieldBytes {
            bytes: blob.get(Self::HEAD..).ok_or_else(truncated)?,
            offset: Self::HEAD.saturating_add(16),
        };
        Ok(Self {
            proof,
            blob,
            timestamp: u64::from_le_bytes(time),
            client_challenge: client_challenge.ok_or_else(truncated)?,
            av_pairs: AvPairs::prefix_of(pairs)?.0,
        })
    }
}

/// The NTLMv2_CLIENT_CHALLENGE of MS-NLMP §2.2.2.7, which the proof is computed over and which
/// follows it in the NT response: `av_pairs` is a list with its MsvAvEOL, `trailing_zeros` are
/// bytes of zero after that, of which §3.3.2 has four.
#[must_use]
pub fn encode_client_challenge(
    timestamp: u64,
    client_challenge: &[u8; 8],
    av_pairs: &[u8],
    trailing_zeros: usize,
) -> Vec<u8> {
    let end = NtlmV2Response::HEAD.saturating_add(av_pairs.len());
    let length = end.saturating_add(trailing_zeros);
    let mut blob = Vec::with_capacity(length);
    blob.extend_from_slice(&[1, 1, 0, 0, 0, 0, 0, 0]);
    blob.extend_from_slice(&timestamp.to_le_bytes());
    blob.extend_from_slice(client_challenge);
    blob.extend_from_slice(&[0; 4]);
    blob.extend_from_slice(av_pairs);
    blob.resize(length, 0);
    blob
}

/// Without the proof: a password can be guessed with it.
impl fmt::Debug for NtlmV2Response<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NtlmV2Response")
            .field("timestamp", &self.timestamp)
            .field("client_challenge", &self.client_challenge)
            .field("av_pairs", &self.av_pairs)
            .finish_non_exhaustive()
    }
}
