use super::cursor::Cursor;
use super::{BufferType, Pac};
use crate::error::{DecodeError, DecodeErrorKind};

/// A signature over a PAC or its ticket.
///
/// ```text
/// typedef struct _PAC_SIGNATURE_DATA {
///     ULONG SignatureType;
///     UCHAR Signature[ANYSIZE_ARRAY];
///     USHORT RODCIdentifier;          // only where a read-only DC signed
/// } PAC_SIGNATURE_DATA;
/// ```
///
/// Source: MS-PAC §2.8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignatureData<'a> {
    /// The checksum type of RFC 3961, signed as Kerberos has it.
    pub signature_type: i32,
    /// The checksum.
    pub signature: &'a [u8],
    /// The number of the read-only domain controller whose `krbtgt` key made it: the upper half of
    /// that key's version number.
    pub rodc_identifier: Option<u16>,
}

impl<'a> SignatureData<'a> {
    /// The types of the buffers that hold one.
    pub const TYPES: [BufferType; 4] = [
        BufferType::SERVER_SIGNATURE,
        BufferType::KDC_SIGNATURE,
        BufferType::TICKET_SIGNATURE,
        BufferType::FULL_SIGNATURE,
    ];

    /// Bytes before the signature.
    pub(super) const TYPE_LENGTH: usize = 4;

    pub(super) fn read(mut cursor: Cursor<'a>) -> Result<Self, DecodeError> {
        let signature_type = i32::from_le_bytes(cursor.array()?);
        let length = match signature_length(signature_type) {
            Some(length) => length,
            // Nobody can verify it, nor tell where it ends.
            None => cursor.rest().len(),
        };
        let signature = cursor.take(length)?;
        let rodc_identifier = if cursor.rest().is_empty() {
            None
        } else {
            Some(cursor.u16()?)
        };
        cursor.finish()?;
        Ok(Self {
            signature_type,
            signature,
            rodc_identifier,
        })
    }
}

/// MS-PAC §2.8; the others are those of RFC 6803 and RFC 8009, which MIT krb5 signs with.
const fn signature_length(signature_type: i32) -> Option<usize> {
    Some(match signature_type {
        15 | 16 => 12,
        -138 | 17..=19 => 16,
        20 => 24,
        _ => return None,
    })
}

/// The bytes that a signature covers, in pieces that lie in the PAC, with zeros for what it cannot
/// cover. Nothing is copied.
///
/// Zeros stand for everything behind the signature's type: the identifier of a read-only domain
/// controller is zeroed with the signature, as Windows, Samba, Heimdal and MIT krb5 do.
#[derive(Clone, Copy, Debug)]
pub struct SignedParts<'a> {
    parts: [&'a [u8]; PARTS],
}

/// Three pieces of zeros, and what is around them.
const PARTS: usize = 7;

/// The longest signature, and the identifier behind it, with room to spare.
static ZEROS: [u8; 64] = [0; 64];

impl<'a> SignedParts<'a> {
    pub(super) fn of(pac: &Pac<'a>, zeroed: &[BufferType]) -> Result<Self, DecodeError> {
        let bytes = pac.as_bytes();
        let mut holes = [(bytes.len(), 0); 3];
        for (hole, buffer_type) in holes.iter_mut().zip(zeroed) {
            let Some(buffer) = pac.find(*buffer_type) else {
                continue;
            };
            let too_long = DecodeError::new(buffer.offset, DecodeErrorKind::OutOfBounds);
            let length = buffer.data.len();
            let length = length.saturating_sub(SignatureData::TYPE_LENGTH);
            if length > ZEROS.len() {
                return Err(too_long);
            }
            let start = buffer.offset.saturating_add(SignatureData::TYPE_LENGTH);
            *hole = (start.min(bytes.len()), length);
        }
        holes.sort_unstable();
        let mut parts: [&[u8]; PARTS] = [&[]; PARTS];
        let mut places = parts.iter_mut();
        let mut done = 0_usize;
        let mut push = |part| {
            if let Some(place) = places.next() {
                *place = part;
            }
        };
        for (start, length) in holes {
            push(bytes.get(done..start).unwrap_or_default());
            push(ZEROS.get(..length).unwrap_or_default());
            done = start.saturating_add(length);
        }
        push(bytes.get(done..).unwrap_or_default());
        Ok(Self { parts })
    }

    /// The pieces, one after the other; some are empty.
    #[must_use]
    pub const fn as_slice(&self) -> &[&'a [u8]] {
        &self.parts
    }
}
