use alloc::vec::Vec;
use core::fmt;

use super::av_pair::AvId;
use super::av_pairs::{AvPairsIter, Seen, check};
use crate::error::{DecodeError, DecodeErrorKind};

/// Writes a list that [`AvPairs::parse`](super::AvPairs::parse) reads.
///
/// ```
/// use countersign_token::DecodeErrorKind;
/// use countersign_token::ntlm::{AvFlags, AvId, AvPairs, AvPairsBuilder};
///
/// let mut builder = AvPairsBuilder::new();
/// builder.push_text(AvId::TARGET_NAME, "HTTP/www.example.com")?;
/// builder.push(AvId::FLAGS, &AvFlags::MIC_PROVIDED.0.to_le_bytes())?;
/// let error = builder.push(AvId::FLAGS, &[0; 4]).unwrap_err();
/// assert_eq!(error.kind(), DecodeErrorKind::DuplicateAvPair { id: 6 });
///
/// let list = builder.finish();
/// assert_eq!(AvPairs::parse(&list)?.iter().count(), 2);
/// # Ok::<_, countersign_token::DecodeError>(())
/// ```
#[derive(Default)]
pub struct AvPairsBuilder {
    bytes: Vec<u8>,
    seen: Seen,
}

impl AvPairsBuilder {
    /// No pairs.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// No pairs, and room for so many bytes of a list.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(bytes),
            seen: Seen::default(),
        }
    }

    /// Appends a pair.
    ///
    /// # Errors
    /// What [`AvPairs::parse`](super::AvPairs::parse) would refuse: an AvId that is there already or is MsvAvEOL, a value
    /// that is malformed for its AvId or too long, too many pairs.
    pub fn push(&mut self, id: AvId, value: &[u8]) -> Result<(), DecodeError> {
        self.append(id, |bytes| bytes.extend_from_slice(value))
    }

    /// Appends a pair whose value is text.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn push_text(&mut self, id: AvId, text: &str) -> Result<(), DecodeError> {
        self.append(id, |bytes| {
            for unit in text.encode_utf16() {
                bytes.extend_from_slice(&unit.to_le_bytes());
            }
        })
    }

    /// The pair whose value `write` appends; where it is refused the list stays as it was.
    fn append(&mut self, id: AvId, write: impl FnOnce(&mut Vec<u8>)) -> Result<(), DecodeError> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&id.0.to_le_bytes());
        self.bytes.extend_from_slice(&[0; 2]);
        write(&mut self.bytes);
        let appended = self.complete(id, start);
        if appended.is_err() {
            self.bytes.truncate(start);
        }
        appended.map_err(|kind| DecodeError::new(start, kind))
    }

    /// Checks the pair that begins at `start`, and writes its length.
    fn complete(&mut self, id: AvId, start: usize) -> Result<(), DecodeErrorKind> {
        let (before, pair) = self.bytes.split_at_mut(start);
        let (head, value) = pair.split_at_mut(4);
        let limit = usize::from(u16::MAX);
        let length =
            u16::try_from(value.len()).map_err(|_| DecodeErrorKind::ValueTooLong { limit })?;
        if id == AvId::EOL {
            return Err(DecodeErrorKind::DuplicateAvPair { id: id.0 });
        }
        check(id, value)?;
        self.seen.add(id, before)?;
        if let [_, _, place @ ..] = head {
            place.copy_from_slice(&length.to_le_bytes());
        }
        Ok(())
    }

    /// The list, with MsvAvEOL.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        self.bytes.extend_from_slice(&[0; 4]);
        self.bytes
    }
}

impl fmt::Debug for AvPairsBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pairs = AvPairsIter { rest: &self.bytes };
        f.debug_list().entries(pairs).finish()
    }
}
