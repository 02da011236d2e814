//! The 0x8003 checksum of an authenticator, RFC 4121 §4.1.1, written a second time.
//!
//! ```text
//! length of the bindings hash, 16 (32 bits, little-endian), MD5 of the bindings (16), flags (32 bits, little-endian)
//! [, DlgOpt 1 (16 bits), length of the KRB-CRED (16 bits), KRB-CRED -- when DELEG is set] [, extensions]
//! ```

use md5::{Digest, Md5};

use crate::flags::gss;

/// The checksum type of GSS-API, RFC 4121 §4.1.1.
pub const GSS_CHECKSUM: i32 = 0x8003;

/// The MD5 of channel bindings without addresses, RFC 4121 §4.1.1.2: four zero words, then the length of the
/// application data and the data themselves, integers little-endian.
#[must_use]
pub fn bindings_hash(application_data: &[u8]) -> [u8; 16] {
    let length = u32::try_from(application_data.len()).unwrap_or(u32::MAX);
    let mut hash = Md5::new();
    hash.update([0; 16]);
    hash.update(length.to_le_bytes());
    hash.update(application_data);
    hash.finalize().into()
}

/// The parts of a 0x8003 checksum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GssChecksum {
    /// The hash of the channel bindings; zeros for none.
    pub bindings: [u8; 16],
    /// The flags ([`flags::gss`](crate::flags::gss)).
    pub flags: u32,
    /// The delegated KRB-CRED.
    pub delegation: Option<Vec<u8>>,
    /// What follows.
    pub extensions: Vec<u8>,
}

impl GssChecksum {
    /// No bindings, no delegation, these flags.
    #[must_use]
    pub fn new(flags: u32) -> Self {
        Self {
            bindings: [0; 16],
            flags,
            delegation: None,
            extensions: Vec::new(),
        }
    }

    /// The bytes. The flag DELEG is written as it stands, delegation present or not.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = 16_u32.to_le_bytes().to_vec();
        out.extend_from_slice(&self.bindings);
        out.extend_from_slice(&self.flags.to_le_bytes());
        if let Some(message) = &self.delegation {
            out.extend_from_slice(&1_u16.to_le_bytes());
            let length = u16::try_from(message.len()).unwrap_or(u16::MAX);
            out.extend_from_slice(&length.to_le_bytes());
            out.extend_from_slice(message);
        }
        out.extend_from_slice(&self.extensions);
        out
    }

    /// Reads the bytes; `None` when they are too short for what they announce.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let (bindings, rest) = rest.split_first_chunk::<16>()?;
        let (flags, mut rest) = rest.split_first_chunk::<4>()?;
        let flags = u32::from_le_bytes(*flags);
        let mut delegation = None;
        if u32::from_le_bytes(*length) != 16 {
            return None;
        }
        if flags & gss::DELEG != 0 {
            let (option, after) = rest.split_first_chunk::<2>()?;
            let (length, after) = after.split_first_chunk::<2>()?;
            let length = usize::from(u16::from_le_bytes(*length));
            let (message, after) = after.split_at_checked(length)?;
            if u16::from_le_bytes(*option) != 1 {
                return None;
            }
            delegation = Some(message.to_vec());
            rest = after;
        }
        Some(Self {
            bindings: *bindings,
            flags,
            delegation,
            extensions: rest.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_survives_its_bytes() {
        let plain = GssChecksum::new(gss::MUTUAL | gss::CONF);
        assert_eq!(plain.to_bytes().len(), 24);
        let full = GssChecksum {
            bindings: bindings_hash(b"tls-unique:x"),
            flags: gss::DELEG,
            delegation: Some(vec![7; 300]),
            extensions: vec![1, 2, 3],
        };
        for checksum in [plain, full] {
            let bytes = checksum.to_bytes();
            assert_eq!(GssChecksum::parse(&bytes), Some(checksum));
            assert_eq!(GssChecksum::parse(&bytes[..23]), None);
        }
    }
}
