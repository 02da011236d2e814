//! Reading tokens of RFC 4757.

use countersign_crypto::rc4::{GssKey, TokenUsage};
use countersign_crypto::verify_equal;
use countersign_token::kerberos::gss_token::TokenId;
use countersign_token::kerberos::rfc1964::Rfc1964Header;
use countersign_token::oid::Oid;
use countersign_token::{DecodeError, DecodeErrorKind};
use zeroize::Zeroize;

use super::seal::covered;
use super::{CONFOUNDER, COVERED, Frame, HEADER, MIC_LEN, direction, mechanism};
use crate::error::{Error, ErrorKind};
use crate::security_context::Role;
use crate::security_context::cfx::Opened;
use crate::security_context::facts::KerberosFacts;
use crate::security_context::iov::{self, Gathered, IoBuffer, Protection, Survey};
use crate::security_context::order::ReceiveWindow;

/// The receiving direction.
pub(crate) struct Rfc4757Receiver {
    key: GssKey,
    peer: Role,
}

/// A header that was read, with its sequence number decrypted.
struct Token {
    header: Rfc1964Header,
    number: u32,
    protection: Protection,
    /// Length of the frame.
    frame: usize,
}

impl Rfc4757Receiver {
    pub(crate) fn new(facts: KerberosFacts<'_>) -> Self {
        Self {
            key: GssKey::new(&facts.keys.key),
            peer: facts.role.other(),
        }
    }

    /// Reads frame and header; `following` bytes of the token lie in other buffers.
    fn token(
        &self,
        facts: KerberosFacts<'_>,
        id: TokenId,
        token: &[u8],
        following: usize,
    ) -> Result<Token, Error> {
        let total = token
            .len()
            .checked_add(following)
            .ok_or(ErrorKind::Overflow)?;
        let frame = frame_len(facts, token, total)?;
        let (_, inner) = token
            .split_at_checked(frame)
            .ok_or(ErrorKind::Internal("frame"))?;
        let (header, _) = Rfc1964Header::parse(inner).map_err(ErrorKind::DefectiveToken)?;
        if header.tok_id != id {
            return Err(ErrorKind::WrongTokenId {
                found: header.tok_id.to_bytes(),
            }
            .into());
        }
        // RFC 4757 §7.2 and §7.3: these algorithms and no others (CVE-2014-4341 families).
        let protection = match (header.sgn_alg, header.seal_alg) {
            (Rfc1964Header::SGN_ALG_HMAC, Rfc1964Header::SEAL_ALG_NONE) => Protection::Signed,
            (Rfc1964Header::SGN_ALG_HMAC, Rfc1964Header::SEAL_ALG_RC4) => Protection::Sealed,
            _ => return Err(ErrorKind::MessageModified.into()),
        };
        let mut sequence = header.snd_seq;
        self.key.apply_to_sequence(&header.sgn_cksum, &mut sequence);
        let [a, b, c, d, sender @ ..] = sequence;
        if sender == direction(facts.role) {
            return Err(ErrorKind::MessageReflected.into());
        }
        if sender != direction(self.peer) {
            return Err(ErrorKind::MessageModified.into());
        }
        let number = u32::from_be_bytes([a, b, c, d]);
        Ok(Token {
            header,
            number,
            protection,
            frame,
        })
    }

    /// Opens a whole token in place.
    pub(crate) fn unwrap(
        &mut self,
        facts: KerberosFacts<'_>,
        window: &ReceiveWindow,
        token: &mut [u8],
    ) -> Result<Opened, Error> {
        let Token {
            header,
            number,
            protection,
            frame,
        } = self.token(facts, TokenId::Rfc1964Wrap, token, 0)?;
        let start = frame.saturating_add(Rfc1964Header::LEN);
        let (_, data) = token
            .split_at_mut_checked(start)
            .ok_or(ErrorKind::Internal("header"))?;
        if protection.is_sealed() {
            self.key.data_stream(number).apply(data);
        }
        let computed = self
            .key
            .checksum(TokenUsage::Wrap, &[&covered(&header), data]);
        // The padding is looked at only once it is authentic, so that no time tells of it
        // (CVE-2014-4342).
        let genuine = verify_equal(computed.as_bytes(), &header.sgn_cksum);
        let padded = genuine.then(|| unpadded(data)).flatten();
        let Some(length) = padded.and_then(|length| length.checked_sub(CONFOUNDER)) else {
            data.zeroize();
            return Err(ErrorKind::MessageModified.into());
        };
        let start = start.saturating_add(CONFOUNDER);
        let message = start..start.saturating_add(length);
        Ok(Opened {
            message,
            protection,
            sequence: window.widen(number),
        })
    }

    pub(crate) fn verify_mic(
        &mut self,
        facts: KerberosFacts<'_>,
        window: &ReceiveWindow,
        message: &[IoBuffer<'_>],
        token: &[u8],
    ) -> Result<u64, Error> {
        let Token { header, number, .. } = self.token(facts, TokenId::Rfc1964Mic, token, 0)?;
        let computed = iov::with_parts(Some(&covered(&header)), message, None, |parts| {
            self.key.checksum(TokenUsage::Mic, parts)
        });
        if token.len() != MIC_LEN || !verify_equal(computed.as_bytes(), &header.sgn_cksum) {
            return Err(ErrorKind::MessageModified.into());
        }
        Ok(window.widen(number))
    }

    /// Opens scattered buffers in place.
    pub(crate) fn unwrap_iov(
        &mut self,
        facts: KerberosFacts<'_>,
        window: &ReceiveWindow,
        buffers: &mut [IoBuffer<'_>],
    ) -> Result<(Protection, u64), Error> {
        if Survey::of(buffers)?.streams != 0 {
            return self.unwrap_stream(facts, window, buffers);
        }
        let survey = Survey::of_header(buffers)?;
        let following = if facts.dce_style() {
            0
        } else {
            survey.data.saturating_add(survey.padding)
        };
        let trailer = buffers
            .iter()
            .any(|buffer| matches!(buffer, IoBuffer::Trailer(bytes) if !bytes.is_empty()));
        if trailer {
            return Err(ErrorKind::BufferLayout.into());
        }
        let header = iov::header_bytes(buffers);
        let token = self.token(facts, TokenId::Rfc1964Wrap, header, following)?;
        let start = token.frame.saturating_add(Rfc1964Header::LEN);
        let confounder = header.get(start..).unwrap_or_default();
        let confounder: [u8; CONFOUNDER] =
            confounder.try_into().map_err(|_| ErrorKind::BufferLayout)?;
        self.open(&token, confounder, buffers)?;
        if !facts.dce_style() {
            cut_padding(buffers).inspect_err(|_| iov::wipe(buffers))?;
        }
        Ok((token.protection, window.widen(token.number)))
    }

    /// Opens a whole token beside associated data; the one data buffer becomes the message.
    fn unwrap_stream(
        &mut self,
        facts: KerberosFacts<'_>,
        window: &ReceiveWindow,
        buffers: &mut [IoBuffer<'_>],
    ) -> Result<(Protection, u64), Error> {
        let stream = iov::take_stream(buffers)?;
        let token = self.token(facts, TokenId::Rfc1964Wrap, stream, 0)?;
        let start = token.frame.saturating_add(HEADER);
        let length = stream.len();
        let Some((header, message)) = stream.split_at_mut_checked(start) else {
            return Err(truncated(length, start));
        };
        let confounder = header
            .last_chunk()
            .copied()
            .ok_or(ErrorKind::Internal("confounder"))?;
        iov::place_message(buffers, message);
        self.open(&token, confounder, buffers)?;
        cut_padding(buffers).inspect_err(|_| iov::wipe(buffers))?;
        Ok((token.protection, window.widen(token.number)))
    }

    /// Decrypts and verifies what lies in the buffers.
    fn open(
        &self,
        token: &Token,
        mut confounder: [u8; CONFOUNDER],
        buffers: &mut [IoBuffer<'_>],
    ) -> Result<(), Error> {
        if token.protection.is_sealed() {
            let Gathered { mut segments, .. } = iov::gather(buffers);
            let mut stream = self.key.data_stream(token.number);
            stream.apply(&mut confounder);
            segments.sealed_mut().for_each(|bytes| stream.apply(bytes));
        }
        let mut before = [0; COVERED + CONFOUNDER];
        let (first, second) = before.split_at_mut(COVERED);
        first.copy_from_slice(&covered(&token.header));
        second.copy_from_slice(&confounder);
        let genuine = iov::with_parts(Some(&before), buffers, None, |parts| {
            let computed = self.key.checksum(TokenUsage::Wrap, parts);
            verify_equal(computed.as_bytes(), &token.header.sgn_cksum)
        });
        if genuine {
            return Ok(());
        }
        iov::wipe(buffers);
        Err(ErrorKind::MessageModified.into())
    }
}

/// The frame at the start of a token of `total` bytes, under either of Kerberos' identifiers.
fn frame_len(facts: KerberosFacts<'_>, token: &[u8], total: usize) -> Result<usize, Error> {
    for oid in [mechanism(facts), Oid::KERBEROS, Oid::MS_KERBEROS] {
        match Frame::within(oid, total) {
            Some(frame) if token.starts_with(frame.as_bytes()) => return Ok(frame.len),
            _ => {}
        }
    }
    // Something is wrong: the strict parser of whole frames says what.
    countersign_token::framing::InitialToken::parse(token).map_err(ErrorKind::DefectiveToken)?;
    Err(ErrorKind::WrongMechanism.into())
}

/// RFC 1964 §1.2.2.3: one to eight bytes of padding, each the padding's length. The length of
/// what is before it.
fn unpadded(data: &[u8]) -> Option<usize> {
    let count = *data.last()?;
    let length = data.len().checked_sub(usize::from(count))?;
    let padding = data.get(length..)?;
    let proper = (1..=8).contains(&count) && padding.iter().all(|byte| *byte == count);
    if proper { Some(length) } else { None }
}

/// Takes the padding off the end of the last buffers.
fn cut_padding(buffers: &mut [IoBuffer<'_>]) -> Result<(), Error> {
    let mut padding: Option<u8> = None;
    let mut left = 0usize;
    for buffer in buffers.iter_mut().rev() {
        let (IoBuffer::Data(bytes) | IoBuffer::Padding(bytes)) = buffer else {
            continue;
        };
        let Some(last) = bytes.last().copied() else {
            continue;
        };
        let count = *padding.get_or_insert_with(|| {
            left = usize::from(last);
            last
        });
        let (kept, cut) = bytes.split_at(bytes.len().saturating_sub(left));
        if !(1..=8).contains(&count) || cut.iter().any(|byte| *byte != count) {
            break;
        }
        left = left.saturating_sub(cut.len());
        let kept = kept.len();
        if let Some((kept, _)) = core::mem::take(bytes).split_at_mut_checked(kept) {
            *bytes = kept;
        }
        if left == 0 {
            return Ok(());
        }
    }
    Err(ErrorKind::MessageModified.into())
}

fn truncated(length: usize, needed: usize) -> Error {
    let missing = needed.saturating_sub(length);
    let error = DecodeError::new(length, DecodeErrorKind::Truncated { missing });
    ErrorKind::DefectiveToken(error).into()
}
