use super::cursor::Cursor;
use super::{Sid, Utf16};
use crate::error::{DecodeError, DecodeErrorKind};

/// The client's other names.
///
/// ```text
/// typedef struct _UPN_DNS_INFO {
///     USHORT UpnLength;
///     USHORT UpnOffset;
///     USHORT DnsDomainNameLength;
///     USHORT DnsDomainNameOffset;
///     ULONG Flags;
///     USHORT SamNameLength;           // these where the S flag is set
///     USHORT SamNameOffset;
///     USHORT SidLength;
///     USHORT SidOffset;
/// } UPN_DNS_INFO;
/// ```
///
/// Offsets count from the start of the structure. Source: MS-PAC §2.10.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpnDnsInfo<'a> {
    /// The user principal name, `user@domain`.
    pub upn: Utf16<'a>,
    /// The DNS name of the account's domain.
    pub dns_domain_name: Utf16<'a>,
    /// What is known of them.
    pub flags: UpnDnsFlags,
    /// The account's name (sAMAccountName), where the S flag is set.
    pub sam_name: Option<Utf16<'a>>,
    /// The account, where the S flag is set.
    pub sid: Option<Sid>,
}

/// `Flags` of MS-PAC §2.10.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UpnDnsFlags(pub u32);

impl UpnDnsFlags {
    /// U: the account has no `userPrincipalName`; the UPN was made up of its name and domain.
    pub const CONSTRUCTED: Self = Self(1);
    /// S: the account's name and SID follow.
    pub const EXTENDED: Self = Self(2);

    /// Whether all of these are set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl<'a> UpnDnsInfo<'a> {
    pub(super) fn read(mut cursor: Cursor<'a>) -> Result<Self, DecodeError> {
        let whole = cursor;
        let upn = Place::read(&mut cursor)?;
        let dns_domain_name = Place::read(&mut cursor)?;
        let flags = UpnDnsFlags(cursor.u32()?);
        let extension = if flags.contains(UpnDnsFlags::EXTENDED) {
            Some((Place::read(&mut cursor)?, Place::read(&mut cursor)?))
        } else {
            None
        };
        let header = cursor.offset().saturating_sub(whole.offset());
        let text = |place: Place| {
            let (bytes, offset) = place.find(whole, header)?;
            Utf16::at(bytes, offset)
        };
        let (sam_name, sid) = match extension {
            Some((name, sid)) => {
                let (bytes, offset) = sid.find(whole, header)?;
                (Some(text(name)?), Some(Sid::at(bytes, offset)?))
            }
            None => (None, None),
        };
        Ok(Self {
            upn: text(upn)?,
            dns_domain_name: text(dns_domain_name)?,
            flags,
            sam_name,
            sid,
        })
    }
}

/// A length and an offset from the start of the structure.
#[derive(Clone, Copy)]
struct Place {
    length: u16,
    offset: u16,
    /// Where it stands itself.
    at: usize,
}

impl Place {
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            at: cursor.offset(),
            length: cursor.u16()?,
            offset: cursor.u16()?,
        })
    }

    /// The bytes, which must lie behind the header, and their offset in the PAC.
    fn find<'a>(self, whole: Cursor<'a>, header: usize) -> Result<(&'a [u8], usize), DecodeError> {
        let start = usize::from(self.offset);
        let end = start.saturating_add(usize::from(self.length));
        let offset = whole.offset().saturating_add(start);
        if self.length == 0 {
            return Ok((&[], offset));
        }
        whole
            .rest()
            .get(start..end)
            .filter(|_| start >= header)
            .map(|bytes| (bytes, offset))
            .ok_or(DecodeError::new(self.at, DecodeErrorKind::OutOfBounds))
    }
}
