//! The encrypted parts of messages: one that was decrypted is wiped when dropped, and one that is encrypted
//! never lies anywhere else in the clear.

use core::ops::{Deref, Range};

use countersign_crypto::{Cipher, Key, KeyUsage, Random};
use countersign_token::der::{Encode, Writer};
use zeroize::Zeroizing;

use crate::error::ErrorKind;

/// Encodes a part in the place in which it is then encrypted.
pub(in crate::kerberos) fn seal(
    part: &impl Encode,
    key: &Key,
    usage: KeyUsage,
    random: &mut dyn Random,
) -> Result<Vec<u8>, ErrorKind> {
    let cipher = key.cipher(usage);
    let mut counter = Writer::counting();
    part.encode(&mut counter);
    let length = cipher.sealed_len(counter.len());
    // All at once: growing later would leave copies in freed memory.
    let mut sealed = Vec::with_capacity(length);
    let confounder = cipher.confounder_offset();
    sealed.resize(confounder.saturating_add(cipher.confounder_len()), 0);
    random.fill(sealed.get_mut(confounder..).unwrap_or_default())?;
    let mut writer = Writer::from(sealed);
    part.encode(&mut writer);
    let mut sealed = writer.into_vec();
    sealed.resize(length, 0);
    cipher
        .encrypt_in_place(&mut sealed)
        .map_err(|_| ErrorKind::Internal("length of a part"))?;
    Ok(sealed)
}

/// The plaintext inside the buffer that it was decrypted in.
pub(in crate::kerberos) struct Plaintext {
    buffer: Zeroizing<Vec<u8>>,
    range: Range<usize>,
}

impl Plaintext {
    /// Decrypts a copy of the ciphertext; `None` if it is not one of this key and usage.
    pub(in crate::kerberos) fn open(cipher: &Cipher, ciphertext: &[u8]) -> Option<Self> {
        let mut buffer = Zeroizing::new(ciphertext.to_vec());
        let length = cipher.decrypt_in_place(&mut buffer).ok()?.len();
        let start = cipher
            .confounder_offset()
            .checked_add(cipher.confounder_len())?;
        let range = start..start.checked_add(length)?;
        buffer.get(range.clone())?;
        Some(Self { buffer, range })
    }
}

impl Deref for Plaintext {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        self.buffer.get(self.range.clone()).unwrap_or_default()
    }
}
