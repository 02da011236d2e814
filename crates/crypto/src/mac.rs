use core::fmt;

use camellia::{Camellia128, Camellia256};
use cmac::Cmac;
use hmac::{Hmac, KeyInit, Mac as _};
use sha1::Sha1;
use sha2::{Sha256, Sha384};
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use crate::{ChecksumType, Enctype, Error, KeyUsage, derive::Deriver};

/// The longest MAC of any enctype, in bytes.
pub(crate) const MAX_TAG: usize = 24;

/// Compares two MACs in constant time.
///
/// Every MAC comparison of the engine goes through this function. Lengths are compared first (they are
/// public); zero-length values are never equal, so an absent MAC cannot match an absent MAC.
#[must_use]
pub fn verify_equal(a: &[u8], b: &[u8]) -> bool {
    !a.is_empty() && a.len() == b.len() && bool::from(a.ct_eq(b))
}

/// A computed MAC or checksum, truncated as its type demands.
///
/// There is deliberately no `PartialEq`: compare with [`verify_equal`] or let [`Mac::verify`] do it.
#[derive(Clone)]
pub struct Tag {
    bytes: [u8; MAX_TAG],
    len: usize,
}

impl Tag {
    /// Takes the first `len` bytes of `full`.
    pub(crate) fn truncate(full: &[u8], len: usize) -> Self {
        let mut bytes = [0; MAX_TAG];
        let len = len.min(full.len()).min(MAX_TAG);
        bytes[..len].copy_from_slice(&full[..len]);
        Tag { bytes, len }
    }

    /// The MAC's bytes, as they go on the wire.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl AsRef<[u8]> for Tag {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tag({} bytes)", self.len)
    }
}

impl Drop for Tag {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

/// How the MAC and the cipher of an enctype follow each other.
#[derive(Clone, Copy)]
pub(crate) enum Order {
    /// The MAC covers the plaintext.
    MacThenEncrypt,
    /// The MAC covers the cipher state (zeros) and the ciphertext.
    EncryptThenMac,
}

/// A MAC algorithm keyed and ready: `clone` starts a message.
pub(crate) trait MacState: Clone {
    /// That of the enctypes with this MAC. As a constant: the other is not compiled for it.
    const ORDER: Order;
    /// How many bytes to hash between two runs of the encryptor. Encryption is serial and leaves the
    /// processor room for the hash; short turns let it overlap both. Measured:
    /// docs/decisions/0002-cryptography-crates.md.
    const STRIDE: usize;
    fn update(&mut self, bytes: &[u8]);
    fn finish(self, len: usize) -> Tag;
}

macro_rules! mac_state {
    ($($state:ty, $order:ident, $stride:literal;)*) => {$(
        impl MacState for $state {
            const ORDER: Order = Order::$order;
            const STRIDE: usize = $stride;
            #[inline]
            fn update(&mut self, bytes: &[u8]) {
                hmac::Mac::update(self, bytes);
            }
            #[inline]
            fn finish(self, len: usize) -> Tag {
                let mut full = self.finalize().into_bytes();
                let tag = Tag::truncate(&full, len);
                full.as_mut_slice().zeroize();
                tag
            }
        }
    )*};
}

mac_state! {
    Hmac<Sha1>, MacThenEncrypt, 64;
    Hmac<Sha256>, EncryptThenMac, 64;
    Hmac<Sha384>, EncryptThenMac, 1024;
    Cmac<Camellia128>, MacThenEncrypt, 256;
    Cmac<Camellia256>, MacThenEncrypt, 256;
}

/// A key prepared to make and verify checksums for one [`KeyUsage`].
///
/// The derived key's pads are hashed once, here, not once a message. `Send + Sync`; wiped when dropped.
pub struct Mac {
    state: State,
    checksum_type: ChecksumType,
}

enum State {
    HmacSha1(Hmac<Sha1>),
    HmacSha256(Hmac<Sha256>),
    HmacSha384(Hmac<Sha384>),
    Camellia128(Cmac<Camellia128>),
    Camellia256(Cmac<Camellia256>),
    #[cfg(feature = "rc4")]
    HmacMd5(crate::rc4::ChecksumKey),
}

impl Mac {
    pub(crate) fn new(enctype: Enctype, key: &[u8], usage: KeyUsage) -> Self {
        let state = match enctype {
            Enctype::Aes128CtsHmacSha1_96 => {
                State::HmacSha1(keyed(&Deriver::Aes128(keyed(key)).checksum_key(usage)))
            }
            Enctype::Aes256CtsHmacSha1_96 => {
                State::HmacSha1(keyed(&Deriver::Aes256(keyed(key)).checksum_key(usage)))
            }
            Enctype::Aes128CtsHmacSha256_128 => {
                State::HmacSha256(keyed(&Deriver::Sha256(keyed(key)).checksum_key(usage)))
            }
            Enctype::Aes256CtsHmacSha384_192 => {
                State::HmacSha384(keyed(&Deriver::Sha384(keyed(key)).checksum_key(usage)))
            }
            Enctype::Camellia128CtsCmac => {
                State::Camellia128(keyed(&Deriver::Camellia128(keyed(key)).checksum_key(usage)))
            }
            Enctype::Camellia256CtsCmac => {
                State::Camellia256(keyed(&Deriver::Camellia256(keyed(key)).checksum_key(usage)))
            }
            #[cfg(feature = "rc4")]
            Enctype::Rc4Hmac => State::HmacMd5(crate::rc4::ChecksumKey::new(key, usage)),
        };
        Mac {
            state,
            checksum_type: enctype.checksum_type(),
        }
    }

    /// The checksum type that this key makes.
    #[must_use]
    pub fn checksum_type(&self) -> ChecksumType {
        self.checksum_type
    }

    /// Bytes of a checksum.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "no checksum is empty")]
    pub fn len(&self) -> usize {
        self.checksum_type.len()
    }

    /// The checksum of the concatenation of `parts`.
    #[must_use]
    pub fn compute(&self, parts: &[&[u8]]) -> Tag {
        fn run<M: MacState>(state: &M, parts: &[&[u8]], len: usize) -> Tag {
            let mut state = state.clone();
            for part in parts {
                state.update(part);
            }
            state.finish(len)
        }
        let len = self.len();
        match &self.state {
            State::HmacSha1(state) => run(state, parts, len),
            State::HmacSha256(state) => run(state, parts, len),
            State::HmacSha384(state) => run(state, parts, len),
            State::Camellia128(state) => run(state, parts, len),
            State::Camellia256(state) => run(state, parts, len),
            #[cfg(feature = "rc4")]
            State::HmacMd5(key) => key.compute(parts),
        }
    }

    /// Checks `tag` against the concatenation of `parts`, in constant time.
    ///
    /// # Errors
    ///
    /// [`Error::Integrity`] when it does not match; a tag of another length, or of none, never does.
    pub fn verify(&self, parts: &[&[u8]], tag: &[u8]) -> Result<(), Error> {
        if verify_equal(self.compute(parts).as_bytes(), tag) {
            Ok(())
        } else {
            Err(Error::Integrity)
        }
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mac({:?}, ..)", self.checksum_type)
    }
}

/// Keys a cipher or a MAC without a way to fail.
///
/// Ciphers get exactly their key's length; HMAC pads a shorter key with zeros to the hash's block by its
/// definition (RFC 2104 §2), which is what the array here does.
pub(crate) fn keyed<K: KeyInit>(key: &[u8]) -> K {
    let mut padded = hmac::digest::common::Key::<K>::default();
    let len = key.len().min(padded.len());
    padded[..len].copy_from_slice(&key[..len]);
    let keyed = K::new(&padded);
    padded.as_mut_slice().zeroize();
    keyed
}
