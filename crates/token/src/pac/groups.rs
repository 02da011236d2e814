use core::fmt;

use super::Sid;
use super::ndr::{Pointer, Reader};
use crate::error::DecodeError;

/// What a group means for access: MS-PAC §2.2.1, `SE_GROUP_…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GroupAttributes(pub u32);

impl GroupAttributes {
    /// It cannot be disabled.
    pub const MANDATORY: Self = Self(0x1);
    /// It is enabled by default.
    pub const ENABLED_BY_DEFAULT: Self = Self(0x2);
    /// It counts. A group without this grants nothing.
    pub const ENABLED: Self = Self(0x4);
    /// It may own objects.
    pub const OWNER: Self = Self(0x8);
    /// It is a group of another domain or of this one only.
    pub const RESOURCE: Self = Self(0x2000_0000);

    /// Whether all of these are set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether the group counts: MS-PAC §2.2.1.
    #[must_use]
    pub const fn is_enabled(self) -> bool {
        self.contains(Self::ENABLED)
    }
}

/// A group of the domain by its relative identifier.
///
/// ```text
/// typedef struct _GROUP_MEMBERSHIP {
///     ULONG RelativeId;
///     ULONG Attributes;
/// } GROUP_MEMBERSHIP;
/// ```
///
/// Source: MS-PAC §2.2.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupMembership {
    /// The last sub-authority of the group.
    pub relative_id: u32,
    /// What it means.
    pub attributes: GroupAttributes,
}

/// An array of [`GroupMembership`], where it arrived.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct GroupMemberships<'a>(&'a [u8]);

impl<'a> GroupMemberships<'a> {
    const SIZE: usize = 8;

    /// The pointed-to array of so many.
    pub(super) fn read(
        reader: &mut Reader<'a>,
        pointer: Pointer,
        count: u32,
    ) -> Result<Self, DecodeError> {
        let array = reader.array(pointer, count, Self::SIZE)?;
        Ok(Self(array.bytes))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.chunks_exact(Self::SIZE).len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The groups.
    pub fn iter(self) -> impl ExactSizeIterator<Item = GroupMembership> + 'a {
        self.0.chunks_exact(Self::SIZE).map(|bytes| {
            let number = |at: usize| {
                let bytes = bytes.get(at..).and_then(<[u8]>::first_chunk);
                u32::from_le_bytes(bytes.copied().unwrap_or_default())
            };
            GroupMembership {
                relative_id: number(0),
                attributes: GroupAttributes(number(4)),
            }
        })
    }
}

impl fmt::Debug for GroupMemberships<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// A group of any domain.
///
/// ```text
/// typedef struct _KERB_SID_AND_ATTRIBUTES {
///     PISID Sid;
///     ULONG Attributes;
/// } KERB_SID_AND_ATTRIBUTES;
/// ```
///
/// Source: MS-PAC §2.2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SidAndAttributes {
    /// Which.
    pub sid: Sid,
    /// What it means.
    pub attributes: GroupAttributes,
}

/// An array of [`SidAndAttributes`], where it arrived.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ExtraSids<'a> {
    heads: &'a [u8],
    sids: &'a [u8],
}

impl<'a> ExtraSids<'a> {
    const SIZE: usize = 8;

    /// The pointed-to array of so many, and the SIDs behind it.
    pub(super) fn read(
        reader: &mut Reader<'a>,
        pointer: Pointer,
        count: u32,
    ) -> Result<Self, DecodeError> {
        let heads = reader.array(pointer, count, Self::SIZE)?;
        let (sids, ()) = reader.record(|reader| {
            let mut elements = heads.reader();
            for _ in 0..count {
                elements.pointer()?.required()?;
                elements.u32()?;
                reader.sid()?;
            }
            Ok(())
        })?;
        Ok(Self {
            heads: heads.bytes,
            sids,
        })
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.heads.chunks_exact(Self::SIZE).len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.heads.is_empty()
    }

    /// The groups.
    pub fn iter(self) -> impl Iterator<Item = SidAndAttributes> + 'a {
        let mut sids = Reader::again(self.sids);
        self.heads.chunks_exact(Self::SIZE).map_while(move |head| {
            let attributes = head.get(4..).and_then(<[u8]>::first_chunk)?;
            Some(SidAndAttributes {
                sid: sids.sid().ok()?,
                attributes: GroupAttributes(u32::from_le_bytes(*attributes)),
            })
        })
    }
}

impl fmt::Debug for ExtraSids<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
