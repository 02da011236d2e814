//! The encrypted parts of messages: one that was decrypted is wiped when dropped, and one that is encrypted
//! never lies anywhere else in the clear.

use core::ops::{Deref, Range};

use countersign_crypto::{Cipher, Key, KeyUsage, Random};
use countersign_token::der::{Encode, Writer};
use zeroize::Zeroizing;

use crate::error::ErrorKind;

/// As long as the encrypted part of an ordinary AP-REQ or AP-REP.
const BLANK: [u8; 512] = [0; 512];

/// Makes a message around a ciphertext.
type Frame<'a> = dyn Fn(&[u8]) -> Result<Vec<u8>, ErrorKind> + 'a;

/// A message whose last field is the encryption of `part`: `frame` makes it around a ciphertext of that length,
/// in whose place the part is encoded and then encrypted.
pub(in crate::kerberos) fn sealed_last(
    part: &dyn Encode,
    key: &Key,
    usage: KeyUsage,
    random: &mut dyn Random,
    frame: &Frame<'_>,
) -> Result<Vec<u8>, ErrorKind> {
    let cipher = key.cipher(usage);
    let mut counter = Writer::counting();
    part.encode(&mut counter);
    let length = cipher.sealed_len(counter.len());
    let mut message = match BLANK.get(..length) {
        Some(blank) => frame(blank),
        None => frame(&vec![0; length]),
    }?;

    let internal = ErrorKind::Internal("place of an encrypted part");
    let end = message.len();
    let start = end.checked_sub(length).ok_or(internal)?;
    let confounder = start.saturating_add(cipher.confounder_offset());
    let begin = confounder.saturating_add(cipher.confounder_len());
    random.fill(message.get_mut(confounder..begin).ok_or(internal)?)?;
    message.truncate(begin);
    // There is room: growing would leave a copy in freed memory.
    let mut writer = Writer::from(message);
    part.encode(&mut writer);
    let mut message = writer.into_vec();
    message.resize(end, 0);
    let sealed = message.get_mut(start..).ok_or(internal)?;
    cipher.encrypt_in_place(sealed).map_err(|_| internal)?;
    Ok(message)
}

/// The encryption of `part`, alone.
pub(in crate::kerberos) fn seal(
    part: &dyn Encode,
    key: &Key,
    usage: KeyUsage,
    random: &mut dyn Random,
) -> Result<Vec<u8>, ErrorKind> {
    sealed_last(part, key, usage, random, &|blank| Ok(blank.to_vec()))
}

/// The plaintext inside the buffer that it was decrypted in.
pub(in crate::kerberos) struct Plaintext {
    buffer: Zeroizing<Vec<u8>>,
    range: Range<usize>,
}

impl Plaintext {
    /// Nothing yet, and room for a ciphertext of this length.
    pub(in crate::kerberos) fn with_capacity(length: usize) -> Self {
        Self {
            buffer: Vec::with_capacity(length).into(),
            range: 0..0,
        }
    }

    /// Decrypts a copy of the ciphertext; `None` if it is not one of this key and usage.
    pub(in crate::kerberos) fn open(cipher: &Cipher, ciphertext: &[u8]) -> Option<Self> {
        let mut plaintext = Self::with_capacity(ciphertext.len());
        plaintext.decrypt(cipher, ciphertext).then_some(plaintext)
    }

    /// Decrypts a copy of the ciphertext in the place of what is there; false if it is not one of this key and
    /// usage, and then nothing is there any more.
    pub(in crate::kerberos) fn decrypt(&mut self, cipher: &Cipher, ciphertext: &[u8]) -> bool {
        // Growing would leave what is there in freed memory.
        if self.buffer.capacity() < ciphertext.len() {
            *self = Self::with_capacity(ciphertext.len());
        }
        self.range = 0..0;
        self.buffer.clear();
        self.buffer.extend_from_slice(ciphertext);
        let Ok(plaintext) = cipher.decrypt_in_place(&mut self.buffer) else {
            return false;
        };
        let start = cipher
            .confounder_offset()
            .saturating_add(cipher.confounder_len());
        self.range = start..start.saturating_add(plaintext.len());
        true
    }
}

impl Deref for Plaintext {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        self.buffer.get(self.range.clone()).unwrap_or_default()
    }
}
