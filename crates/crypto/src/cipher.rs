use alloc::vec::Vec;
use core::fmt;

use aes::{Aes128, Aes256};
use camellia::{Camellia128, Camellia256};
use cmac::Cmac;
use hmac::Hmac;
use sha1::Sha1;
use sha2::{Sha256, Sha384};
use zeroize::Zeroize;

use crate::{
    Enctype, Error, KeyUsage, Segment, derive::Deriver, mac::keyed, segment::sealed_len,
    suite::Suite,
};

/// A key prepared to seal and open messages for one [`KeyUsage`].
///
/// Ke's schedule and Ki's pads are computed once, here. No call allocates, except that
/// [`encrypt_into`](Cipher::encrypt_into) grows the caller's vector. `Send + Sync`; wiped when dropped.
///
/// A whole ciphertext (RFC 3961 §5.3) is the sealed confounder and plaintext followed by the MAC;
/// rc4-hmac's (RFC 4757 §5) begins with the MAC.
pub struct Cipher {
    suite: Kind,
    enctype: Enctype,
}

enum Kind {
    Aes128Sha1(Suite<Aes128, Hmac<Sha1>>),
    Aes256Sha1(Suite<Aes256, Hmac<Sha1>>),
    Aes128Sha256(Suite<Aes128, Hmac<Sha256>>),
    Aes256Sha384(Suite<Aes256, Hmac<Sha384>>),
    Camellia128(Suite<Camellia128, Cmac<Camellia128>>),
    Camellia256(Suite<Camellia256, Cmac<Camellia256>>),
    #[cfg(feature = "rc4")]
    Rc4(crate::rc4::MessageKey),
}

impl Cipher {
    pub(crate) fn new(enctype: Enctype, key: &[u8], usage: KeyUsage) -> Self {
        let suite = match enctype {
            Enctype::Aes128CtsHmacSha1_96 => {
                let deriver = Deriver::Aes128(keyed(key));
                Kind::Aes128Sha1(Suite::new(&deriver, usage))
            }
            Enctype::Aes256CtsHmacSha1_96 => {
                let deriver = Deriver::Aes256(keyed(key));
                Kind::Aes256Sha1(Suite::new(&deriver, usage))
            }
            Enctype::Aes128CtsHmacSha256_128 => {
                let deriver = Deriver::Sha256(keyed(key));
                Kind::Aes128Sha256(Suite::new(&deriver, usage))
            }
            Enctype::Aes256CtsHmacSha384_192 => {
                let deriver = Deriver::Sha384(keyed(key));
                Kind::Aes256Sha384(Suite::new(&deriver, usage))
            }
            Enctype::Camellia128CtsCmac => {
                let deriver = Deriver::Camellia128(keyed(key));
                Kind::Camellia128(Suite::new(&deriver, usage))
            }
            Enctype::Camellia256CtsCmac => {
                let deriver = Deriver::Camellia256(keyed(key));
                Kind::Camellia256(Suite::new(&deriver, usage))
            }
            #[cfg(feature = "rc4")]
            Enctype::Rc4Hmac => Kind::Rc4(crate::rc4::MessageKey::new(key, usage)),
        };
        Cipher { suite, enctype }
    }

    /// The enctype.
    #[must_use]
    pub fn enctype(&self) -> Enctype {
        self.enctype
    }

    /// Bytes of the confounder.
    #[must_use]
    pub fn confounder_len(&self) -> usize {
        self.enctype.confounder_len()
    }

    /// Bytes of the MAC.
    #[must_use]
    pub fn trailer_len(&self) -> usize {
        self.enctype.trailer_len()
    }

    /// Bytes of a whole ciphertext of `plaintext` bytes.
    #[must_use]
    pub fn sealed_len(&self, plaintext: usize) -> usize {
        plaintext.saturating_add(self.confounder_len() + self.trailer_len())
    }

    /// Where the confounder stands in a whole ciphertext: at the start, except rc4-hmac's, which follows
    /// the MAC.
    #[must_use]
    pub fn confounder_offset(&self) -> usize {
        if self.mac_leads() {
            self.trailer_len()
        } else {
            0
        }
    }

    fn mac_leads(&self) -> bool {
        self.confounder_len() < 16
    }

    /// Encrypts the concatenation of `plaintext` and appends the whole ciphertext to `out`.
    ///
    /// `confounder` is [`confounder_len`](Cipher::confounder_len) fresh random bytes.
    ///
    /// # Errors
    ///
    /// [`Error::ConfounderLength`]; `out` is then unchanged.
    pub fn encrypt_into(
        &self,
        confounder: &[u8],
        plaintext: &[&[u8]],
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let expected = self.confounder_len();
        if confounder.len() != expected {
            return Err(Error::ConfounderLength {
                expected,
                actual: confounder.len(),
            });
        }
        let start = out.len();
        let len = plaintext
            .iter()
            .fold(0usize, |sum, part| sum.saturating_add(part.len()));
        // All at once: growing later would leave copies of the plaintext in freed memory.
        out.reserve(self.sealed_len(len));
        out.resize(start + self.confounder_offset(), 0);
        out.extend_from_slice(confounder);
        for part in plaintext {
            out.extend_from_slice(part);
        }
        out.resize(start + self.sealed_len(len), 0);
        self.encrypt_in_place(&mut out[start..])
    }

    /// Encrypts a buffer that is laid out as a whole ciphertext, with the confounder and the plaintext in
    /// their places and any bytes in the MAC's.
    ///
    /// # Errors
    ///
    /// [`Error::CiphertextTooShort`] when the buffer has no room for a confounder and a MAC.
    pub fn encrypt_in_place(&self, buffer: &mut [u8]) -> Result<(), Error> {
        let (sealed, trailer) = self.split(buffer)?;
        self.seal_segments(&mut [Segment::Sealed(sealed)], trailer)
    }

    /// Decrypts a whole ciphertext in place and returns the plaintext inside the buffer.
    ///
    /// # Errors
    ///
    /// [`Error::CiphertextTooShort`] or [`Error::Integrity`]; the buffer then holds nothing of use.
    pub fn decrypt_in_place<'a>(&self, buffer: &'a mut [u8]) -> Result<&'a mut [u8], Error> {
        let (sealed, trailer) = self.split(buffer)?;
        self.open_segments(&mut [Segment::Sealed(&mut *sealed)], trailer)?;
        Ok(&mut sealed[self.confounder_len()..])
    }

    /// Splits a whole ciphertext into the sealed bytes and the MAC.
    fn split<'a>(&self, buffer: &'a mut [u8]) -> Result<(&'a mut [u8], &'a mut [u8]), Error> {
        let minimum = self.sealed_len(0);
        let actual = buffer.len();
        if actual < minimum {
            return Err(Error::CiphertextTooShort { minimum, actual });
        }
        if self.mac_leads() {
            let (trailer, sealed) = buffer.split_at_mut(self.trailer_len());
            Ok((sealed, trailer))
        } else {
            Ok(buffer.split_at_mut(actual - self.trailer_len()))
        }
    }

    /// Encrypts scattered segments in place and writes the MAC to `trailer`.
    ///
    /// The sealed segments together begin with the confounder.
    ///
    /// # Errors
    ///
    /// [`Error::CiphertextTooShort`] when the sealed segments are shorter than a confounder,
    /// [`Error::TrailerLength`] when `trailer` is not [`trailer_len`](Cipher::trailer_len) long; nothing is
    /// changed then.
    pub fn seal_segments(
        &self,
        segments: &mut [Segment<'_>],
        trailer: &mut [u8],
    ) -> Result<(), Error> {
        self.check(segments, trailer)?;
        let len = self.trailer_len();
        let tag = match &self.suite {
            Kind::Aes128Sha1(suite) => suite.seal(segments, len),
            Kind::Aes256Sha1(suite) => suite.seal(segments, len),
            Kind::Aes128Sha256(suite) => suite.seal(segments, len),
            Kind::Aes256Sha384(suite) => suite.seal(segments, len),
            Kind::Camellia128(suite) => suite.seal(segments, len),
            Kind::Camellia256(suite) => suite.seal(segments, len),
            #[cfg(feature = "rc4")]
            Kind::Rc4(key) => key.seal(segments),
        };
        trailer.copy_from_slice(tag.as_bytes());
        Ok(())
    }

    /// Decrypts scattered segments in place and checks the MAC over all of them.
    ///
    /// # Errors
    ///
    /// As [`seal_segments`](Cipher::seal_segments), and [`Error::Integrity`] when the MAC does not match:
    /// then the sealed segments are wiped, so that no unverified plaintext is left behind.
    pub fn open_segments(&self, segments: &mut [Segment<'_>], trailer: &[u8]) -> Result<(), Error> {
        self.check(segments, trailer)?;
        let len = self.trailer_len();
        let genuine = match &self.suite {
            Kind::Aes128Sha1(suite) => suite.open(segments, trailer, len),
            Kind::Aes256Sha1(suite) => suite.open(segments, trailer, len),
            Kind::Aes128Sha256(suite) => suite.open(segments, trailer, len),
            Kind::Aes256Sha384(suite) => suite.open(segments, trailer, len),
            Kind::Camellia128(suite) => suite.open(segments, trailer, len),
            Kind::Camellia256(suite) => suite.open(segments, trailer, len),
            #[cfg(feature = "rc4")]
            Kind::Rc4(key) => key.open(segments, trailer),
        };
        if genuine {
            return Ok(());
        }
        for segment in segments {
            if let Segment::Sealed(bytes) = segment {
                bytes.zeroize();
            }
        }
        Err(Error::Integrity)
    }

    fn check(&self, segments: &[Segment<'_>], trailer: &[u8]) -> Result<(), Error> {
        let (expected, actual) = (self.trailer_len(), trailer.len());
        if actual != expected {
            return Err(Error::TrailerLength { expected, actual });
        }
        let sealed = sealed_len(segments).ok_or(Error::Internal)?;
        if sealed < self.confounder_len() {
            let (minimum, actual) = (self.sealed_len(0), sealed + trailer.len());
            return Err(Error::CiphertextTooShort { minimum, actual });
        }
        Ok(())
    }
}

impl fmt::Debug for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cipher({}, ..)", self.enctype)
    }
}
