use core::fmt;

use super::cursor::Cursor;
use super::{
    ClientInfo, DelegationInfo, LogonInfo, PacAttributes, Sid, SignatureData, SignedParts,
    UpnDnsInfo,
};
use crate::error::{DecodeError, DecodeErrorKind};

/// What a buffer of a PAC holds: `ulType` of MS-PAC §2.4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BufferType(pub u32);

impl BufferType {
    /// KERB_VALIDATION_INFO, MS-PAC §2.5.
    pub const LOGON_INFO: Self = Self(1);
    /// PAC_CREDENTIAL_INFO, MS-PAC §2.6: encrypted, for the client.
    pub const CREDENTIALS_INFO: Self = Self(2);
    /// The server's signature, MS-PAC §2.8.
    pub const SERVER_SIGNATURE: Self = Self(6);
    /// The KDC's signature, MS-PAC §2.8.
    pub const KDC_SIGNATURE: Self = Self(7);
    /// PAC_CLIENT_INFO, MS-PAC §2.7.
    pub const CLIENT_INFO: Self = Self(0x0a);
    /// S4U_DELEGATION_INFO, MS-PAC §2.9.
    pub const DELEGATION_INFO: Self = Self(0x0b);
    /// UPN_DNS_INFO, MS-PAC §2.10.
    pub const UPN_DNS_INFO: Self = Self(0x0c);
    /// PAC_CLIENT_CLAIMS_INFO, MS-PAC §2.11.
    pub const CLIENT_CLAIMS_INFO: Self = Self(0x0d);
    /// PAC_DEVICE_INFO, MS-PAC §2.12.
    pub const DEVICE_INFO: Self = Self(0x0e);
    /// PAC_DEVICE_CLAIMS_INFO, MS-PAC §2.13.
    pub const DEVICE_CLAIMS_INFO: Self = Self(0x0f);
    /// The ticket's signature, MS-PAC §2.8.
    pub const TICKET_SIGNATURE: Self = Self(0x10);
    /// PAC_ATTRIBUTES_INFO, MS-PAC §2.14.
    pub const ATTRIBUTES_INFO: Self = Self(0x11);
    /// PAC_REQUESTOR, MS-PAC §2.15.
    pub const REQUESTOR: Self = Self(0x12);
    /// The extended KDC signature, over the whole PAC: MS-PAC §2.8.
    pub const FULL_SIGNATURE: Self = Self(0x13);

    /// The name of the structure; `None` for an unknown type.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::LOGON_INFO => "KERB_VALIDATION_INFO",
            Self::CREDENTIALS_INFO => "PAC_CREDENTIAL_INFO",
            Self::SERVER_SIGNATURE => "server signature",
            Self::KDC_SIGNATURE => "KDC signature",
            Self::CLIENT_INFO => "PAC_CLIENT_INFO",
            Self::DELEGATION_INFO => "S4U_DELEGATION_INFO",
            Self::UPN_DNS_INFO => "UPN_DNS_INFO",
            Self::CLIENT_CLAIMS_INFO => "PAC_CLIENT_CLAIMS_INFO",
            Self::DEVICE_INFO => "PAC_DEVICE_INFO",
            Self::DEVICE_CLAIMS_INFO => "PAC_DEVICE_CLAIMS_INFO",
            Self::TICKET_SIGNATURE => "ticket signature",
            Self::ATTRIBUTES_INFO => "PAC_ATTRIBUTES_INFO",
            Self::REQUESTOR => "PAC_REQUESTOR",
            Self::FULL_SIGNATURE => "extended KDC signature",
            _ => return None,
        })
    }
}

/// A PAC whose header has been checked: MS-PAC §2.3.
///
/// ```text
/// typedef struct _PACTYPE {
///     ULONG cBuffers;
///     ULONG Version;                  // 0
///     PAC_INFO_BUFFER Buffers[1];
/// } PACTYPE;
///
/// typedef struct _PAC_INFO_BUFFER {
///     ULONG ulType;
///     ULONG cbBufferSize;
///     ULONG64 Offset;
/// } PAC_INFO_BUFFER;
/// ```
///
/// Every buffer lies inside of the bytes, behind the header, on an 8-byte boundary, and shares no
/// byte with another. There is one of each known type at most: MS-PAC §2.4 has receivers ignore
/// the others, which no KDC sends; here, as in MIT krb5, they are refused, so that nobody can take
/// one for the other. Types that are not known may be repeated.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Pac<'a> {
    bytes: &'a [u8],
    /// The `PAC_INFO_BUFFER`s.
    table: &'a [u8],
}

/// Bytes of `cBuffers` and `Version`.
const HEADER: usize = 8;
/// Bytes of a `PAC_INFO_BUFFER`.
const ENTRY: usize = 16;
/// MS-PAC §2.3: "All PAC elements MUST be placed on an 8-byte boundary."
const ALIGNMENT: usize = 8;

impl<'a> Pac<'a> {
    /// Buffers of a PAC, at most. A full one of Windows has 13.
    pub const MAX_BUFFERS: usize = 64;

    /// Checks the header. What is in the buffers is checked when they are read.
    ///
    /// # Errors
    /// Anything but what the type promises.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut cursor = Cursor::new(bytes, 0);
        let count = cursor.u32()?;
        if usize::try_from(count).map_or(true, |count| count > Self::MAX_BUFFERS) {
            let limit = Self::MAX_BUFFERS;
            return Err(DecodeError::new(
                0,
                DecodeErrorKind::TooManyElements { limit },
            ));
        }
        let version = cursor.array::<4>()?;
        if version != [0; 4] {
            return Err(DecodeError::new(
                4,
                DecodeErrorKind::UnexpectedNumber {
                    expected: 0,
                    found: i32::from_le_bytes(version),
                },
            ));
        }
        let table = cursor.elements(count, ENTRY)?;
        let pac = Self { bytes, table };
        pac.check(cursor.offset())?;
        Ok(pac)
    }

    fn check(&self, header: usize) -> Result<(), DecodeError> {
        for (index, entry) in self.entries().enumerate() {
            let at = ENTRY.saturating_mul(index).saturating_add(HEADER);
            let refuse = |offset: usize, kind| DecodeError::new(at.saturating_add(offset), kind);
            let place = entry
                .range()
                .filter(|range| range.start >= header && range.end <= self.bytes.len())
                .ok_or(refuse(8, DecodeErrorKind::OutOfBounds))?;
            if place.start % ALIGNMENT != 0 {
                return Err(refuse(8, DecodeErrorKind::Unaligned));
            }
            for earlier in self.entries().take(index) {
                if earlier.buffer_type == entry.buffer_type && entry.buffer_type.name().is_some() {
                    let buffer_type = entry.buffer_type.0;
                    return Err(refuse(0, DecodeErrorKind::DuplicateBuffer { buffer_type }));
                }
                let other = earlier.range().unwrap_or_default();
                if place.start < other.end && other.start < place.end {
                    return Err(refuse(8, DecodeErrorKind::Overlap));
                }
            }
        }
        Ok(())
    }

    fn entries(&self) -> impl Iterator<Item = Entry> + 'a {
        self.table.chunks_exact(ENTRY).filter_map(Entry::read)
    }

    /// All of it.
    #[must_use]
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The buffers in the order of the header.
    #[must_use]
    pub const fn buffers(&self) -> Buffers<'a> {
        Buffers {
            bytes: self.bytes,
            table: self.table,
        }
    }

    /// The contents of the first buffer of a type.
    #[must_use]
    pub fn buffer(&self, buffer_type: BufferType) -> Option<&'a [u8]> {
        self.find(buffer_type).map(|buffer| buffer.data)
    }

    pub(super) fn find(&self, buffer_type: BufferType) -> Option<Buffer<'a>> {
        self.buffers()
            .find(|buffer| buffer.buffer_type == buffer_type)
    }

    fn read<T>(
        &self,
        buffer_type: BufferType,
        read: impl FnOnce(Cursor<'a>) -> Result<T, DecodeError>,
    ) -> Result<Option<T>, DecodeError> {
        self.find(buffer_type)
            .map(|buffer| read(Cursor::new(buffer.data, buffer.offset)))
            .transpose()
    }

    /// Who the client is in the domain's terms; absent from a PAC of MIT krb5.
    ///
    /// # Errors
    /// The buffer is malformed.
    pub fn logon_info(&self) -> Result<Option<LogonInfo<'a>>, DecodeError> {
        self.read(BufferType::LOGON_INFO, LogonInfo::read)
    }

    /// Which ticket the PAC belongs to.
    ///
    /// # Errors
    /// The buffer is malformed.
    pub fn client_info(&self) -> Result<Option<ClientInfo<'a>>, DecodeError> {
        self.read(BufferType::CLIENT_INFO, ClientInfo::read)
    }

    /// The client's other names.
    ///
    /// # Errors
    /// The buffer is malformed.
    pub fn upn_dns_info(&self) -> Result<Option<UpnDnsInfo<'a>>, DecodeError> {
        self.read(BufferType::UPN_DNS_INFO, UpnDnsInfo::read)
    }

    /// PAC_REQUESTOR: who asked for the ticket-granting ticket.
    ///
    /// ```text
    /// typedef struct _PAC_REQUESTOR {
    ///     SID UserSid;
    /// } PAC_REQUESTOR;
    /// ```
    ///
    /// Source: MS-PAC §2.15.
    ///
    /// # Errors
    /// The buffer is malformed.
    pub fn requestor(&self) -> Result<Option<Sid>, DecodeError> {
        self.read(BufferType::REQUESTOR, |cursor| {
            Sid::at(cursor.rest(), cursor.offset())
        })
    }

    /// How the PAC came to be asked for.
    ///
    /// # Errors
    /// The buffer is malformed.
    pub fn attributes(&self) -> Result<Option<PacAttributes>, DecodeError> {
        self.read(BufferType::ATTRIBUTES_INFO, PacAttributes::read)
    }

    /// Which services the client's identity came through (S4U2proxy).
    ///
    /// # Errors
    /// The buffer is malformed.
    pub fn delegation_info(&self) -> Result<Option<DelegationInfo<'a>>, DecodeError> {
        self.read(BufferType::DELEGATION_INFO, DelegationInfo::read)
    }

    /// One of the four signatures; `None` when it is absent or the type is no signature's.
    ///
    /// # Errors
    /// The buffer is malformed.
    pub fn signature(
        &self,
        buffer_type: BufferType,
    ) -> Result<Option<SignatureData<'a>>, DecodeError> {
        if !SignatureData::TYPES.contains(&buffer_type) {
            return Ok(None);
        }
        self.read(buffer_type, SignatureData::read)
    }

    /// The bytes that the server's signature covers: the PAC with zeros for the server's and the
    /// KDC's signature. MS-PAC §2.8.
    ///
    /// # Errors
    /// A signature's buffer is malformed.
    pub fn server_signed(&self) -> Result<SignedParts<'a>, DecodeError> {
        SignedParts::of(
            self,
            &[BufferType::SERVER_SIGNATURE, BufferType::KDC_SIGNATURE],
        )
    }

    /// The bytes that the extended KDC signature covers: the PAC with zeros for the server's, the
    /// KDC's and the extended KDC signature. MS-PAC §2.8.
    ///
    /// # Errors
    /// A signature's buffer is malformed.
    pub fn fully_signed(&self) -> Result<SignedParts<'a>, DecodeError> {
        SignedParts::of(
            self,
            &[
                BufferType::SERVER_SIGNATURE,
                BufferType::KDC_SIGNATURE,
                BufferType::FULL_SIGNATURE,
            ],
        )
    }

    /// The bytes that the KDC's signature covers: what stands behind the server's signature type.
    /// MS-PAC §2.8. `None` when there is no server's signature.
    #[must_use]
    pub fn kdc_signed(&self) -> Option<&'a [u8]> {
        self.buffer(BufferType::SERVER_SIGNATURE)?
            .get(SignatureData::TYPE_LENGTH..)
    }
}

impl fmt::Debug for Pac<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.buffers().map(|buffer| buffer.buffer_type))
            .finish()
    }
}

/// A buffer of a PAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Buffer<'a> {
    /// What it holds.
    pub buffer_type: BufferType,
    /// Where it begins in the PAC.
    pub offset: usize,
    /// Its bytes.
    pub data: &'a [u8],
}

/// The buffers of a PAC, in the order of the header.
#[derive(Clone, Debug)]
pub struct Buffers<'a> {
    bytes: &'a [u8],
    table: &'a [u8],
}

impl<'a> Iterator for Buffers<'a> {
    type Item = Buffer<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let (entry, rest) = self.table.split_at_checked(ENTRY)?;
        self.table = rest;
        let entry = Entry::read(entry)?;
        let range = entry.range()?;
        Some(Buffer {
            buffer_type: entry.buffer_type,
            offset: range.start,
            data: self.bytes.get(range)?,
        })
    }
}

struct Entry {
    buffer_type: BufferType,
    size: u32,
    offset: u64,
}

impl Entry {
    fn read(bytes: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(bytes, 0);
        Some(Self {
            buffer_type: BufferType(cursor.u32().ok()?),
            size: cursor.u32().ok()?,
            offset: cursor.u64().ok()?,
        })
    }

    /// `None` where it does not fit into memory, let alone into the PAC.
    fn range(&self) -> Option<core::ops::Range<usize>> {
        let start = usize::try_from(self.offset).ok()?;
        let end = start.checked_add(usize::try_from(self.size).ok()?)?;
        Some(start..end)
    }
}
