//! Channel bindings: what ties a security context to the channel that carries it.

use alloc::vec::Vec;

use crate::error::{DecodeError, DecodeErrorKind};

/// The channel bindings of RFC 2744 §3.11 (`gss_channel_bindings_struct`).
///
/// ```
/// use countersign_token::bindings::ChannelBindings;
///
/// let bindings = ChannelBindings::new(b"tls-exporter:...");
/// let mut input = Vec::new();
/// bindings.write_hash_input(&mut |bytes| input.extend_from_slice(bytes));
/// assert_eq!(input.len(), 20 + 16);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChannelBindings<'a> {
    /// The type of the initiator's address, RFC 2744 §3.11; 0 for none.
    pub initiator_address_type: u32,
    /// The initiator's address.
    pub initiator_address: &'a [u8],
    /// The type of the acceptor's address; 0 for none.
    pub acceptor_address_type: u32,
    /// The acceptor's address.
    pub acceptor_address: &'a [u8],
    /// What names the channel: for TLS, RFC 5929's or RFC 9266's prefix and value.
    pub application_data: &'a [u8],
}

impl<'a> ChannelBindings<'a> {
    /// The length of the fixed part of SEC_CHANNEL_BINDINGS.
    const HEADER: usize = 32;

    /// Bindings without addresses.
    #[must_use]
    pub const fn new(application_data: &'a [u8]) -> Self {
        Self {
            initiator_address_type: 0,
            initiator_address: &[],
            acceptor_address_type: 0,
            acceptor_address: &[],
            application_data,
        }
    }

    /// Hands `write`, piece by piece, what RFC 4121 §4.1.1.2 hashes with MD5 into the `Bnd` field:
    ///
    /// ```text
    /// initiator address type  u32 little-endian
    /// initiator address       u32 little-endian length, bytes
    /// acceptor address type   u32 little-endian
    /// acceptor address        u32 little-endian length, bytes
    /// application data        u32 little-endian length, bytes
    /// ```
    pub fn write_hash_input(&self, write: &mut impl FnMut(&[u8])) {
        write(&self.initiator_address_type.to_le_bytes());
        write(&length(self.initiator_address).to_le_bytes());
        write(self.initiator_address);
        write(&self.acceptor_address_type.to_le_bytes());
        write(&length(self.acceptor_address).to_le_bytes());
        write(self.acceptor_address);
        write(&length(self.application_data).to_le_bytes());
        write(self.application_data);
    }

    /// Reads a SEC_CHANNEL_BINDINGS (`sspi.h`), as SSPI callers hand it over:
    ///
    /// ```text
    ///  0  dwInitiatorAddrType        u32 little-endian
    ///  4  cbInitiatorLength          u32
    ///  8  dwInitiatorOffset          u32, from the start of the structure
    /// 12  dwAcceptorAddrType         u32
    /// 16  cbAcceptorLength           u32
    /// 20  dwAcceptorOffset           u32
    /// 24  cbApplicationDataLength    u32
    /// 28  dwApplicationDataOffset    u32
    /// 32  data
    /// ```
    ///
    /// # Errors
    /// Fewer than 32 bytes, or an offset and a length that reach outside them.
    pub fn parse(blob: &'a [u8]) -> Result<Self, DecodeError> {
        let field = |index: usize| {
            blob.as_chunks::<4>()
                .0
                .get(index)
                .map(|octets| u32::from_le_bytes(*octets))
                .ok_or_else(|| {
                    let missing = Self::HEADER.saturating_sub(blob.len());
                    DecodeError::new(blob.len(), DecodeErrorKind::Truncated { missing })
                })
        };
        let data = |index: usize| {
            let (length, offset) = (field(index)?, field(index.saturating_add(1))?);
            // An absent part has no length, and then its offset says nothing.
            if length == 0 {
                return Ok(&[][..]);
            }
            let range = usize::try_from(offset)
                .ok()
                .zip(usize::try_from(length).ok());
            range
                .and_then(|(offset, length)| blob.get(offset..offset.checked_add(length)?))
                .ok_or(DecodeError::new(
                    index.saturating_mul(4),
                    DecodeErrorKind::OutOfBounds,
                ))
        };
        // The last field first: that the whole header is there.
        field(7)?;
        Ok(Self {
            initiator_address_type: field(0)?,
            initiator_address: data(1)?,
            acceptor_address_type: field(3)?,
            acceptor_address: data(4)?,
            application_data: data(6)?,
        })
    }

    /// These bindings as a SEC_CHANNEL_BINDINGS: the parts in order after the header; an absent
    /// part has length and offset 0.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let parts = [
            self.initiator_address,
            self.acceptor_address,
            self.application_data,
        ];
        let mut offset = Self::HEADER;
        let [initiator, acceptor, application] = parts.map(|part| {
            let at = if part.is_empty() { 0 } else { offset };
            offset = offset.saturating_add(part.len());
            u32::try_from(at).unwrap_or(u32::MAX)
        });
        let mut blob = Vec::with_capacity(offset);
        for number in [
            self.initiator_address_type,
            length(self.initiator_address),
            initiator,
            self.acceptor_address_type,
            length(self.acceptor_address),
            acceptor,
            length(self.application_data),
            application,
        ] {
            blob.extend_from_slice(&number.to_le_bytes());
        }
        for part in parts {
            blob.extend_from_slice(part);
        }
        blob
    }
}

/// No address and no binding has 4 GiB; what would is bound with a length that matches nothing.
fn length(part: &[u8]) -> u32 {
    u32::try_from(part.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BINDINGS: ChannelBindings<'_> = ChannelBindings {
        initiator_address_type: 2,
        initiator_address: &[192, 0, 2, 1],
        acceptor_address_type: 24,
        acceptor_address: &[0x20; 16],
        application_data: b"tls-unique:value",
    };

    #[test]
    fn sec_channel_bindings_round_trip() {
        for bindings in [
            BINDINGS,
            ChannelBindings::new(b"x"),
            ChannelBindings::default(),
        ] {
            assert_eq!(ChannelBindings::parse(&bindings.encode()), Ok(bindings));
        }
    }

    #[test]
    fn hash_input_is_little_endian_and_in_the_order_of_rfc_4121() {
        let mut input = Vec::new();
        BINDINGS.write_hash_input(&mut |bytes| input.extend_from_slice(bytes));
        let mut expected = alloc::vec![2, 0, 0, 0, 4, 0, 0, 0, 192, 0, 2, 1];
        expected.extend_from_slice(&[24, 0, 0, 0, 16, 0, 0, 0]);
        expected.extend_from_slice(&[0x20; 16]);
        expected.extend_from_slice(&[16, 0, 0, 0]);
        expected.extend_from_slice(b"tls-unique:value");
        assert_eq!(input, expected);
    }

    #[test]
    fn every_prefix_and_an_offset_that_wraps_are_refused() {
        let blob = BINDINGS.encode();
        assert!(ChannelBindings::parse(&blob).is_ok());
        for end in 0..blob.len() {
            assert!(
                ChannelBindings::parse(&blob[..end]).is_err(),
                "prefix of {end}"
            );
        }
        let mut wrapping = blob;
        wrapping[28..32].copy_from_slice(&0xffff_fff8_u32.to_le_bytes());
        let error = ChannelBindings::parse(&wrapping).unwrap_err();
        assert_eq!(
            (error.offset(), error.kind()),
            (24, DecodeErrorKind::OutOfBounds)
        );
    }
}
