//! Signatures (MS-PAC §2.8), honest and forged.

use std::ops::Range;
use std::sync::Arc;

use countersign_crypto::{Key, KeyUsage};
use md5::{Digest, Md5};

use super::buffer_type::{KDC_SIGNATURE, SERVER_SIGNATURE};
use crate::Error;

/// How a signature is made.
#[derive(Clone, Debug)]
pub enum PacSigner {
    /// The keyed checksum of a key's enctype, key usage 17.
    Key(Arc<Key>),
    /// As with [`Key`](Self::Key), under another checksum type's number.
    Mislabelled(Arc<Key>, i32),
    /// rsa-md5 (7), which anybody can make.
    Md5,
    /// crc32 (1), which anybody can make.
    Crc32,
    /// A type and bytes.
    Bytes(i32, Vec<u8>),
}

impl PacSigner {
    /// A key of one's own.
    #[must_use]
    pub fn key(key: &Key) -> Self {
        Self::Key(Arc::new(key.duplicate()))
    }

    /// A key of one's own, under another checksum type's number.
    #[must_use]
    pub fn mislabelled(key: &Key, signature_type: i32) -> Self {
        Self::Mislabelled(Arc::new(key.duplicate()), signature_type)
    }

    fn signature_type(&self) -> i32 {
        match self {
            Self::Key(key) => key.enctype().checksum_type().id(),
            Self::Mislabelled(_, signature_type) | Self::Bytes(signature_type, _) => {
                *signature_type
            }
            Self::Md5 => 7,
            Self::Crc32 => 1,
        }
    }

    /// The type, and zeros as long as the signature.
    pub(super) fn empty(&self) -> Vec<u8> {
        let length = match self {
            Self::Key(key) | Self::Mislabelled(key, _) => key.enctype().checksum_type().len(),
            Self::Md5 => 16,
            Self::Crc32 => 4,
            Self::Bytes(_, bytes) => bytes.len(),
        };
        let mut empty = self.signature_type().to_le_bytes().to_vec();
        empty.resize(length.saturating_add(4), 0);
        empty
    }

    pub(super) fn sign(&self, covered: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(match self {
            Self::Key(key) | Self::Mislabelled(key, _) => {
                let checksum_type = key.enctype().checksum_type();
                let tag = key.checksum(KeyUsage::PAC_SIGNATURE, checksum_type, covered)?;
                tag.as_ref().to_vec()
            }
            Self::Md5 => Md5::digest(covered).to_vec(),
            Self::Crc32 => crc32(covered).to_le_bytes().to_vec(),
            Self::Bytes(_, bytes) => bytes.clone(),
        })
    }
}

/// The CRC of RFC 3961 §6.1.3.
fn crc32(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    })
}

/// Types and places of a PAC's buffers, as its header says.
pub(super) fn buffers(pac: &[u8]) -> Option<Vec<(u32, Range<usize>)>> {
    let number = |at: usize| {
        let bytes = pac.get(at..at.checked_add(4)?)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?))
    };
    let count = usize::try_from(number(0)?).ok()?;
    (0..count)
        .map(|index| {
            let entry = index.checked_mul(16)?.checked_add(8)?;
            let size = usize::try_from(number(entry.checked_add(4)?)?).ok()?;
            let start = usize::try_from(number(entry.checked_add(8)?)?).ok()?;
            Some((number(entry)?, start..start.checked_add(size)?))
        })
        .collect()
}

pub(super) fn overwrite(bytes: &mut [u8], at: usize, with: &[u8]) {
    if let Some(place) = bytes.get_mut(at..at.saturating_add(with.len())) {
        place.copy_from_slice(with);
    }
}

/// Signs a PAC anew with the server's key, and leaves the KDC's signatures as they are: what a service can do to a PAC
/// in a ticket for itself.
///
/// # Errors
/// [`Error::Decode`] when it is not a PAC with both signatures, or [`Error::Crypto`].
pub fn resign_server(pac: &mut [u8], key: &Key) -> Result<(), Error> {
    let places = buffers(pac).ok_or(Error::Decode)?;
    let mut covered = pac.to_vec();
    let mut place = Err(Error::Decode);
    for (kind, range) in places {
        let behind_type = range.start.saturating_add(4)..range.end;
        if kind == SERVER_SIGNATURE {
            place = Ok(behind_type.start);
        }
        if matches!(kind, SERVER_SIGNATURE | KDC_SIGNATURE) {
            covered.get_mut(behind_type).ok_or(Error::Decode)?.fill(0);
        }
    }
    let signature = PacSigner::key(key).sign(&covered)?;
    overwrite(pac, place?, &signature);
    Ok(())
}
