//! The encrypted parts of messages: one that was decrypted is wiped when dropped, and one that is encrypted
//! never lies anywhere else in the clear.

use core::ops::{Deref, Range};

use countersign_crypto::{Cipher, Key, KeyUsage, Random};
use countersign_token::der::{Encode, Writer};
use zeroize::{Zeroize, Zeroizing};

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
    if cipher.encrypt_in_place(sealed).is_err() {
        message.zeroize();
        return Err(internal);
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kerberos::drawn::Drawn;
    use countersign_crypto::Enctype;
    use countersign_token::der::Tag;

    struct Seven;

    impl Random for Seven {
        fn fill(&mut self, out: &mut [u8]) -> Result<(), countersign_crypto::RandomError> {
            out.fill(7);
            Ok(())
        }
    }

    struct Part(Vec<u8>);

    impl Encode for Part {
        fn encode(&self, writer: &mut Writer) {
            writer.nest(Tag::SEQUENCE, |writer| {
                writer.element(Tag::OCTET_STRING, &self.0)
            });
        }
    }

    fn key(enctype: Enctype, octet: u8) -> Key {
        Key::new(enctype, &vec![octet; enctype.key_len()]).unwrap()
    }

    /// Lengths of one, two and three octets, and parts that are longer than what is kept blank for them.
    #[test]
    fn parts_of_every_length_are_sealed_where_they_are_framed_and_never_moved() {
        let lengths = (0..300).chain(420..520).chain(65_520..65_540);
        for (&enctype, length) in Enctype::ALL
            .iter()
            .flat_map(|enctype| lengths.clone().map(move |length| (enctype, length)))
        {
            let (key, usage) = (key(enctype, 1), KeyUsage::AP_REP);
            let part = Part(vec![0x5a; length]);
            let place = core::cell::Cell::new(None);
            let frame = |blank: &[u8]| {
                assert!(blank.iter().all(|octet| *octet == 0));
                let message = [b"in front", blank].concat();
                place.set(Some(message.as_ptr().addr()));
                Ok(message)
            };
            let sealed = sealed_last(&part, &key, usage, &mut Seven, &frame).unwrap();
            assert_eq!(
                Some(sealed.as_ptr().addr()),
                place.get(),
                "{enctype} {length}"
            );
            let ciphertext = sealed.strip_prefix(b"in front").unwrap();
            let opened = Plaintext::open(&key.cipher(usage), ciphertext).unwrap();
            assert_eq!(*opened, part.to_der(), "{enctype} {length}");
            // RFC 3961 §3: the confounder is drawn.
            let cipher = key.cipher(usage);
            let confounder = opened.buffer.get(cipher.confounder_offset()..).unwrap();
            assert_eq!(
                confounder.get(..cipher.confounder_len()),
                Some(&[7; 16][..cipher.confounder_len()])
            );
        }
        let of_one = |seed: &mut Drawn<'_>| {
            let part = Part(vec![1; 40]);
            seal(
                &part,
                &key(Enctype::Aes128CtsHmacSha1_96, 1),
                KeyUsage::AP_REP,
                seed,
            )
            .unwrap()
        };
        let mut seven = Seven;
        let mut drawn = Drawn::from(&mut seven);
        assert_ne!(of_one(&mut drawn), of_one(&mut drawn));
    }

    #[test]
    fn a_place_shows_the_last_plaintext_alone_and_after_a_failure_none() {
        for &enctype in Enctype::ALL {
            let usage = KeyUsage::TICKET;
            let (right, wrong) = (key(enctype, 1).cipher(usage), key(enctype, 2).cipher(usage));
            let sealed = |length| {
                let part = Part(vec![0x33; length]);
                let sealed = seal(&part, &key(enctype, 1), usage, &mut Seven).unwrap();
                (sealed, part.to_der())
            };
            let (long, short) = (sealed(5000), sealed(3));
            for capacity in [0, 10, 400, 6000] {
                let mut place = Plaintext::with_capacity(capacity);
                assert_eq!(*place, []);
                for (ciphertext, plaintext) in [&long, &short, &long] {
                    assert!(place.decrypt(&right, ciphertext), "{enctype}");
                    assert_eq!(*place, **plaintext);
                    assert!(!place.decrypt(&wrong, ciphertext));
                    assert_eq!(*place, []);
                    for length in [0, 1, 8, 15, 16, 24, 27, 28] {
                        assert!(place.decrypt(&right, ciphertext));
                        assert!(!place.decrypt(&right, &ciphertext[..length]));
                        assert_eq!(*place, [], "{enctype} {length}");
                    }
                }
            }
        }
    }
}
