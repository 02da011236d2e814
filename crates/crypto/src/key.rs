use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{
    ChecksumType, Cipher, Enctype, Error, KeyUsage, Mac, Random, Tag, prf, string_to_key,
    verify_equal, wiping_stack,
};

const MAX_KEY: usize = 32;
const MAX_CONFOUNDER: usize = 16;

/// A protocol key (RFC 3961 §2): a long-term key, a session key or a subkey.
///
/// It is wiped when dropped, never printed, and copied only where the code says
/// [`duplicate`](Key::duplicate). Its bytes are on the heap and stay in their place: a key that is moved leaves
/// none behind (docs/decisions/0014-secrets-in-memory.md).
pub struct Key {
    enctype: Enctype,
    bytes: Box<[u8; MAX_KEY]>,
}

impl Key {
    /// To be filled in its place.
    fn blank(enctype: Enctype) -> Self {
        Key {
            enctype,
            bytes: Box::new([0; MAX_KEY]),
        }
    }

    /// A key from its bytes.
    ///
    /// # Errors
    ///
    /// [`Error::KeyLength`] when `bytes` is not [`Enctype::key_len`] long.
    pub fn new(enctype: Enctype, bytes: &[u8]) -> Result<Self, Error> {
        let (expected, actual) = (enctype.key_len(), bytes.len());
        if actual != expected {
            return Err(Error::KeyLength { expected, actual });
        }
        let mut key = Key::blank(enctype);
        key.bytes[..expected].copy_from_slice(bytes);
        Ok(key)
    }

    /// A fresh random key (random-to-key is the identity for every enctype here).
    ///
    /// # Errors
    ///
    /// [`Error::Random`] when the generator fails.
    pub fn generate(enctype: Enctype, random: &mut dyn Random) -> Result<Self, Error> {
        let mut key = Key::blank(enctype);
        random.fill(&mut key.bytes[..enctype.key_len()])?;
        Ok(key)
    }

    /// string-to-key: the key of a password.
    ///
    /// `salt` is usually the realm followed by the principal's components; `params` are the four bytes that
    /// the KDC's hint carries, `None` for the enctype's default (RFC 3962 §4: 4,096 iterations;
    /// RFC 6803 §4 and RFC 8009 §4: 32,768). rc4-hmac uses neither.
    ///
    /// # Errors
    ///
    /// [`Error::StringToKeyParameters`] when the parameters are not four bytes, [`Error::IterationCount`]
    /// when they name 2^24 iterations or more, [`Error::PasswordEncoding`] when rc4-hmac is given a password
    /// that is not UTF-8.
    pub fn from_password(
        enctype: Enctype,
        password: &[u8],
        salt: &[u8],
        params: Option<&[u8]>,
    ) -> Result<Self, Error> {
        let mut key = Key::blank(enctype);
        let bytes = &mut key.bytes[..enctype.key_len()];
        wiping_stack(|| string_to_key::derive(enctype, password, salt, params, bytes))?;
        Ok(key)
    }

    /// The enctype.
    #[must_use]
    pub fn enctype(&self) -> Enctype {
        self.enctype
    }

    /// The secret bytes.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.bytes[..self.enctype.key_len()]
    }

    /// A second copy of the secret, wiped on its own.
    #[must_use]
    pub fn duplicate(&self) -> Key {
        Key {
            enctype: self.enctype,
            bytes: self.bytes.clone(),
        }
    }

    /// Whether both keys have one enctype and the same bytes, in constant time.
    #[must_use]
    pub fn ct_eq(&self, other: &Key) -> bool {
        self.enctype == other.enctype && verify_equal(self.expose(), other.expose())
    }

    /// Prepares the key to seal and open messages of one usage.
    #[must_use]
    pub fn cipher(&self, usage: KeyUsage) -> Cipher {
        Cipher::new(self.enctype, self.expose(), usage)
    }

    /// Prepares the key to make and verify checksums of one usage.
    #[must_use]
    pub fn mac(&self, usage: KeyUsage) -> Mac {
        Mac::new(self.enctype, self.expose(), usage)
    }

    /// Encrypts one message into a new vector. For several of one usage, prepare a [`Cipher`].
    ///
    /// # Errors
    ///
    /// [`Error::Random`] when the generator fails to make a confounder.
    pub fn encrypt(
        &self,
        usage: KeyUsage,
        plaintext: &[u8],
        random: &mut dyn Random,
    ) -> Result<Vec<u8>, Error> {
        let mut confounder = [0; MAX_CONFOUNDER];
        let confounder = &mut confounder[..self.enctype.confounder_len()];
        random.fill(confounder)?;
        let mut out = Vec::new();
        self.cipher(usage)
            .encrypt_into(confounder, &[plaintext], &mut out)?;
        Ok(out)
    }

    /// Decrypts one message into a new vector, which is wiped when dropped.
    ///
    /// # Errors
    ///
    /// [`Error::CiphertextTooShort`] or [`Error::Integrity`].
    pub fn decrypt(&self, usage: KeyUsage, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let mut buffer = Zeroizing::new(ciphertext.to_vec());
        let cipher = self.cipher(usage);
        let len = cipher.decrypt_in_place(&mut buffer)?.len();
        let start = cipher.confounder_offset() + cipher.confounder_len();
        buffer.copy_within(start..start + len, 0);
        // The vector keeps its capacity: what lies behind the plaintext is wiped with it.
        buffer.truncate(len);
        Ok(buffer)
    }

    /// The checksum of `data`.
    ///
    /// # Errors
    ///
    /// [`Error::ChecksumType`] when `checksum_type` is not the one of the key's enctype.
    pub fn checksum(
        &self,
        usage: KeyUsage,
        checksum_type: ChecksumType,
        data: &[u8],
    ) -> Result<Tag, Error> {
        if checksum_type != self.enctype.checksum_type() {
            return Err(Error::ChecksumType(checksum_type.id()));
        }
        Ok(self.mac(usage).compute(&[data]))
    }

    /// Verifies a checksum, as it arrived, over the concatenation of `data`.
    ///
    /// # Errors
    ///
    /// [`Error::ChecksumType`] when the type on the wire is unkeyed, unknown, or another enctype's;
    /// [`Error::Integrity`] when the checksum does not match, which an empty one never does.
    pub fn verify_checksum(
        &self,
        usage: KeyUsage,
        checksum_type: i32,
        data: &[&[u8]],
        checksum: &[u8],
    ) -> Result<(), Error> {
        if ChecksumType::from_id(checksum_type) != Some(self.enctype.checksum_type()) {
            return Err(Error::ChecksumType(checksum_type));
        }
        self.mac(usage).verify(data, checksum)
    }

    /// The enctype's pseudo-random function (RFC 3961 §3).
    ///
    /// 16 bytes for aes-sha1 and camellia, 32 for aes128-sha2, 48 for aes256-sha2, 20 for rc4-hmac.
    #[must_use]
    pub fn prf(&self, input: &[u8]) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(prf::prf(self, &[input]).to_vec())
    }

    /// PRF+ (RFC 6113 §5.1): as many bytes as asked for.
    ///
    /// # Errors
    ///
    /// [`Error::OutputTooLong`] beyond 255 blocks of [`prf`](Key::prf).
    pub fn prf_plus(&self, pepper: &[u8], len: usize) -> Result<Zeroizing<Vec<u8>>, Error> {
        // Before room is made for it.
        if len > prf::MAX_PLUS {
            return Err(Error::OutputTooLong);
        }
        let mut out = Zeroizing::new(alloc::vec![0; len]);
        prf::prf_plus(self, pepper, &mut out)?;
        Ok(out)
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

impl ZeroizeOnDrop for Key {}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({}, ..)", self.enctype)
    }
}
