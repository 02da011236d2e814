//! What the three messages share: a fixed part with descriptors of fields, then a payload in which
//! the fields lie in any order.

use alloc::vec::Vec;

use super::message_type::{MessageType, SIGNATURE};
use super::version::Version;
use crate::error::{DecodeError, DecodeErrorKind};

/// A message that is being read.
pub(crate) struct Message<'a> {
    token: &'a [u8],
    /// The lowest offset of a field that was read and is not empty; until then, the end.
    payload: usize,
}

/// A field, and where it stands in the message.
#[derive(Clone, Copy)]
pub(crate) struct FieldBytes<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) offset: usize,
}

impl<'a> Message<'a> {
    /// A message of this type.
    pub(crate) fn open(token: &'a [u8], expected: MessageType) -> Result<Self, DecodeError> {
        let found = MessageType::of(token)?;
        if found != expected {
            let (expected, found) = (expected.number(), found.number());
            let kind = DecodeErrorKind::UnexpectedMessageType { expected, found };
            return Err(DecodeError::new(8, kind));
        }
        Ok(Self {
            token,
            payload: token.len(),
        })
    }

    pub(crate) const fn len(&self) -> usize {
        self.token.len()
    }

    /// Where the fixed part ends, as far as the fields tell that were read so far.
    pub(crate) const fn fixed_part(&self) -> usize {
        self.payload
    }

    /// Bytes of the fixed part.
    pub(crate) fn array<const N: usize>(&self, at: usize) -> Result<[u8; N], DecodeError> {
        let bytes = self.token.get(at..).and_then(|rest| rest.first_chunk());
        bytes.copied().ok_or_else(|| {
            let missing = at.saturating_add(N).saturating_sub(self.token.len());
            let kind = DecodeErrorKind::Truncated { missing };
            DecodeError::new(self.token.len(), kind)
        })
    }

    pub(crate) fn u32(&self, at: usize) -> Result<u32, DecodeError> {
        self.array(at).map(u32::from_le_bytes)
    }

    /// The version at `at`, if the fixed part reaches that far.
    pub(crate) fn version(&self, at: usize) -> Option<Version> {
        if self.payload < at.saturating_add(Version::LEN) {
            return None;
        }
        self.array(at).ok().map(Version::from_bytes)
    }

    /// The field that the descriptor at `at` describes.
    ///
    /// ```text
    /// 0   Len            u16 little-endian
    /// 2   MaxLen         u16, ignored on receipt
    /// 4   BufferOffset   u32, from the start of the message
    /// ```
    ///
    /// An empty field's offset says nothing. Any other field begins behind `fixed` bytes, the
    /// shortest fixed part that a message with this descriptor can have, and ends in the message.
    pub(crate) fn field(&mut self, at: usize, fixed: usize) -> Result<FieldBytes<'a>, DecodeError> {
        let [l0, l1, _, _, o0, o1, o2, o3] = self.array(at)?;
        let length = usize::from(u16::from_le_bytes([l0, l1]));
        if length == 0 {
            let bytes = &[];
            return Ok(FieldBytes { bytes, offset: at });
        }
        let outside = DecodeError::new(at, DecodeErrorKind::OutOfBounds);
        let offset = usize::try_from(u32::from_le_bytes([o0, o1, o2, o3]));
        let offset = offset.map_err(|_| outside)?;
        let end = offset.checked_add(length).ok_or(outside)?;
        if offset < fixed {
            return Err(outside);
        }
        let bytes = self.token.get(offset..end).ok_or(outside)?;
        self.payload = self.payload.min(offset);
        Ok(FieldBytes { bytes, offset })
    }
}

/// The payload of a message that is being written: hands out the places of its fields, one behind
/// the other.
pub(super) struct Payload {
    next: usize,
}

impl Payload {
    /// A payload behind a fixed part of so many bytes.
    pub(super) const fn behind(fixed: usize) -> Self {
        Self { next: fixed }
    }

    /// The descriptor, which will stand at `at`, of a field that comes next in the payload.
    pub(super) fn place(&mut self, at: usize, bytes: &[u8]) -> Result<[u8; 8], DecodeError> {
        let limit = usize::from(u16::MAX);
        let too_long = DecodeError::new(at, DecodeErrorKind::ValueTooLong { limit });
        let length = u16::try_from(bytes.len()).map_err(|_| too_long)?;
        let offset = u32::try_from(self.next).map_err(|_| too_long)?;
        self.next = self.next.saturating_add(bytes.len());
        let [l0, l1] = length.to_le_bytes();
        let [o0, o1, o2, o3] = offset.to_le_bytes();
        Ok([l0, l1, l0, l1, o0, o1, o2, o3])
    }

    /// An empty buffer with room for the whole message, and the message's beginning in it.
    pub(super) fn begin(&self, message_type: MessageType) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.next);
        out.extend_from_slice(&SIGNATURE);
        out.extend_from_slice(&message_type.number().to_le_bytes());
        out
    }
}
