use core::fmt;

use super::av_pair::{AvFlags, AvId, AvPair};
use super::message::FieldBytes;
use super::single_host::SingleHostData;
use super::text::{Charset, Text};
use crate::error::{DecodeError, DecodeErrorKind};

/// A list of [`AvPair`]s with its end, checked once when it is read.
///
/// Each value is well-formed for its AvId, no AvId comes twice, and there are at most
/// [`MAX`](Self::MAX) pairs. Pairs of an unknown AvId are kept, and the order with them.
///
/// Source: MS-NLMP §2.2.2.1.
///
/// ```
/// use countersign_token::ntlm::{AvFlags, AvId, AvPairs};
///
/// let list = AvPairs::parse(b"\x01\0\x04\0S\0V\0\x06\0\x04\0\x02\0\0\0\0\0\0\0")?;
/// assert!(list.nb_computer().is_some_and(|name| name == "SV"));
/// assert_eq!(list.flags(), Some(AvFlags::MIC_PROVIDED));
/// assert_eq!(list.find(AvId::TIMESTAMP), None);
/// # Ok::<_, countersign_token::DecodeError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct AvPairs<'a> {
    /// The pairs and MsvAvEOL.
    bytes: &'a [u8],
}

impl<'a> AvPairs<'a> {
    /// The greatest number of pairs that are read, MsvAvEOL not counted.
    pub const MAX: usize = 64;

    /// The list that is all of `bytes`.
    ///
    /// # Errors
    /// As [`parse_prefix`](Self::parse_prefix), and bytes after MsvAvEOL.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        Self::of(FieldBytes { bytes, offset: 0 })
    }

    pub(super) fn of(field: FieldBytes<'a>) -> Result<Self, DecodeError> {
        let (list, rest) = Self::prefix_of(field)?;
        if rest.is_empty() {
            return Ok(list);
        }
        let at = field.offset.saturating_add(list.bytes.len());
        Err(DecodeError::new(at, DecodeErrorKind::TrailingData))
    }

    /// The list that `bytes` begin with, and what follows it.
    ///
    /// # Errors
    /// MsvAvEOL is missing or has a value, a pair is cut off or comes twice, a value is malformed
    /// for its AvId, or there are too many pairs.
    pub fn parse_prefix(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), DecodeError> {
        Self::prefix_of(FieldBytes { bytes, offset: 0 })
    }

    pub(super) fn prefix_of(field: FieldBytes<'a>) -> Result<(Self, &'a [u8]), DecodeError> {
        let mut rest = field.bytes;
        let read = |rest: &[u8]| field.bytes.len().saturating_sub(rest.len());
        let error = |rest: &[u8], kind| {
            let offset = field.offset.saturating_add(read(rest));
            DecodeError::new(offset, kind)
        };
        let mut seen = Seen::default();
        loop {
            let at = rest;
            let (id, length, value) = match *rest {
                [] => return Err(error(at, DecodeErrorKind::MissingEol)),
                [i0, i1, l0, l1, ref value @ ..] => {
                    let length = usize::from(u16::from_le_bytes([l0, l1]));
                    (AvId(u16::from_le_bytes([i0, i1])), length, value)
                }
                ref cut => {
                    let missing = 4_usize.saturating_sub(cut.len());
                    let end = cut.get(cut.len()..).unwrap_or_default();
                    return Err(error(end, DecodeErrorKind::Truncated { missing }));
                }
            };
            if id == AvId::EOL {
                if length != 0 {
                    let kind = DecodeErrorKind::UnexpectedLength {
                        expected: 0,
                        found: length,
                    };
                    return Err(error(at, kind));
                }
                let (list, rest) = field
                    .bytes
                    .split_at_checked(read(value))
                    .unwrap_or_default();
                return Ok((Self { bytes: list }, rest));
            }
            let Some((value, after)) = value.split_at_checked(length) else {
                let missing = length.saturating_sub(value.len());
                return Err(error(at, DecodeErrorKind::Truncated { missing }));
            };
            let before = field.bytes.get(..read(at)).unwrap_or_default();
            seen.add(id, before).map_err(|kind| error(at, kind))?;
            check(id, value).map_err(|kind| error(at, kind))?;
            rest = after;
        }
    }

    /// The pairs in their order, without MsvAvEOL.
    #[must_use]
    pub const fn iter(&self) -> AvPairsIter<'a> {
        AvPairsIter { rest: self.bytes }
    }

    /// The list as it arrived, with MsvAvEOL.
    #[must_use]
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The value of the pair with this AvId.
    #[must_use]
    pub fn find(&self, id: AvId) -> Option<&'a [u8]> {
        self.iter()
            .find(|pair| pair.id == id)
            .map(|pair| pair.value)
    }

    /// MsvAvFlags.
    #[must_use]
    pub fn flags(&self) -> Option<AvFlags> {
        let octets = self.find(AvId::FLAGS)?.first_chunk()?;
        Some(AvFlags(u32::from_le_bytes(*octets)))
    }

    /// MsvAvTimestamp: 100 ns intervals since 1601-01-01.
    #[must_use]
    pub fn timestamp(&self) -> Option<u64> {
        let octets = self.find(AvId::TIMESTAMP)?.first_chunk()?;
        Some(u64::from_le_bytes(*octets))
    }

    /// MsvAvChannelBindings: a hash, or all zero.
    #[must_use]
    pub fn channel_bindings(&self) -> Option<&'a [u8; 16]> {
        self.find(AvId::CHANNEL_BINDINGS)?.first_chunk()
    }

    /// MsvAvSingleHost.
    #[must_use]
    pub fn single_host(&self) -> Option<SingleHostData<'a>> {
        SingleHostData::parse(self.find(AvId::SINGLE_HOST)?).ok()
    }

    /// MsvAvTargetName.
    #[must_use]
    pub fn target_name(&self) -> Option<Text<'a>> {
        self.text(AvId::TARGET_NAME)
    }

    /// MsvAvNbComputerName.
    #[must_use]
    pub fn nb_computer(&self) -> Option<Text<'a>> {
        self.text(AvId::NB_COMPUTER_NAME)
    }

    /// MsvAvNbDomainName.
    #[must_use]
    pub fn nb_domain(&self) -> Option<Text<'a>> {
        self.text(AvId::NB_DOMAIN_NAME)
    }

    /// MsvAvDnsComputerName.
    #[must_use]
    pub fn dns_computer(&self) -> Option<Text<'a>> {
        self.text(AvId::DNS_COMPUTER_NAME)
    }

    /// MsvAvDnsDomainName.
    #[must_use]
    pub fn dns_domain(&self) -> Option<Text<'a>> {
        self.text(AvId::DNS_DOMAIN_NAME)
    }

    /// MsvAvDnsTreeName.
    #[must_use]
    pub fn dns_tree(&self) -> Option<Text<'a>> {
        self.text(AvId::DNS_TREE_NAME)
    }

    fn text(&self, id: AvId) -> Option<Text<'a>> {
        Text::parse(self.find(id)?, Charset::Unicode).ok()
    }
}

/// Which AvIds have come, and how many.
#[derive(Default)]
pub(super) struct Seen {
    /// A bit for each AvId below 64, which all the known ones are.
    low: u64,
    count: usize,
}

impl Seen {
    /// Adds the AvId that comes after the pairs in `before`.
    pub(super) fn add(&mut self, id: AvId, before: &[u8]) -> Result<(), DecodeErrorKind> {
        let twice = match 1_u64.checked_shl(u32::from(id.0)) {
            Some(bit) => {
                let twice = self.low & bit != 0;
                self.low |= bit;
                twice
            }
            None => AvPairsIter { rest: before }.any(|pair| pair.id == id),
        };
        if twice {
            return Err(DecodeErrorKind::DuplicateAvPair { id: id.0 });
        }
        self.count = self.count.saturating_add(1);
        if self.count > AvPairs::MAX {
            let limit = AvPairs::MAX;
            return Err(DecodeErrorKind::TooManyElements { limit });
        }
        Ok(())
    }
}

/// Checks a value against its AvId.
pub(super) fn check(id: AvId, value: &[u8]) -> Result<(), DecodeErrorKind> {
    let found = value.len();
    let (expected, sound) = match id {
        AvId::FLAGS => (4, found == 4),
        AvId::TIMESTAMP => (8, found == 8),
        AvId::CHANNEL_BINDINGS => (16, found == 16),
        AvId::SINGLE_HOST => (SingleHostData::LEN, found >= SingleHostData::LEN),
        _ if id.is_text() => {
            return Text::parse(value, Charset::Unicode)
                .map(|_| ())
                .map_err(|error| error.kind());
        }
        _ => return Ok(()),
    };
    if sound {
        Ok(())
    } else {
        Err(DecodeErrorKind::UnexpectedLength { expected, found })
    }
}

impl fmt::Debug for AvPairs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<'a> IntoIterator for AvPairs<'a> {
    type Item = AvPair<'a>;
    type IntoIter = AvPairsIter<'a>;

    fn into_iter(self) -> AvPairsIter<'a> {
        self.iter()
    }
}

impl<'a> IntoIterator for &AvPairs<'a> {
    type Item = AvPair<'a>;
    type IntoIter = AvPairsIter<'a>;

    fn into_iter(self) -> AvPairsIter<'a> {
        self.iter()
    }
}

/// The pairs of an [`AvPairs`], in order.
#[derive(Clone, Debug)]
pub struct AvPairsIter<'a> {
    pub(super) rest: &'a [u8],
}

impl<'a> Iterator for AvPairsIter<'a> {
    type Item = AvPair<'a>;

    fn next(&mut self) -> Option<AvPair<'a>> {
        let ([i0, i1, l0, l1], rest) = self.rest.split_first_chunk()?;
        let id = AvId(u16::from_le_bytes([*i0, *i1]));
        if id == AvId::EOL {
            self.rest = &[];
            return None;
        }
        let length = usize::from(u16::from_le_bytes([*l0, *l1]));
        let (value, rest) = rest.split_at_checked(length)?;
        self.rest = rest;
        Some(AvPair { id, value })
    }
}

impl core::iter::FusedIterator for AvPairsIter<'_> {}
