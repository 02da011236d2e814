//! A decrypted part of a token, wiped when dropped.

use core::ops::{Deref, Range};

use countersign_crypto::Cipher;
use zeroize::Zeroizing;

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
