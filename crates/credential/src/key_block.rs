//! A key as a file holds it: perhaps of an enctype that this build does not know.

use alloc::vec::Vec;
use core::fmt;

use countersign_crypto::{Enctype, Key};
use zeroize::Zeroizing;

use crate::error::Error;

/// A key with its enctype number.
///
/// A keytab or a credential cache may hold keys of enctypes that this build does not support. They are kept as
/// bytes, so that reading and writing a file loses nothing; [`key`](Self::key) says why one cannot be used.
///
/// It is wiped when dropped and copied only by [`duplicate`](Self::duplicate):
///
/// ```
/// let block = countersign_credential::KeyBlock::from_parts(18, &[7; 32]);
/// let copy = block.duplicate();
/// # let _ = copy;
/// ```
/// ```compile_fail
/// let block = countersign_credential::KeyBlock::from_parts(18, &[7; 32]);
/// let copy = block.clone();
/// # let _ = copy;
/// ```
/// ```compile_fail
/// let block = countersign_credential::KeyBlock::from_parts(18, &[7; 32]);
/// assert!(block == block);
/// ```
/// ```compile_fail
/// println!("{}", countersign_credential::KeyBlock::from_parts(18, &[7; 32]));
/// ```
pub struct KeyBlock(Contents);

enum Contents {
    Known(Key),
    Raw {
        enctype: i32,
        bytes: Zeroizing<Vec<u8>>,
    },
}

impl KeyBlock {
    /// Takes the enctype number and the key's bytes as a file or a message gives them.
    #[must_use]
    pub fn from_parts(enctype: i32, bytes: &[u8]) -> Self {
        let known = Enctype::from_id(enctype).and_then(|enctype| Key::new(enctype, bytes).ok());
        Self(match known {
            Some(key) => Contents::Known(key),
            None => Contents::Raw {
                enctype,
                bytes: Zeroizing::new(bytes.to_vec()),
            },
        })
    }

    /// The key, ready for use.
    ///
    /// # Errors
    /// [`Error::UnsupportedEnctype`] or [`Error::InvalidKeyLength`] when the bytes are no key that this build can
    /// use.
    pub fn key(&self) -> Result<&Key, Error> {
        match &self.0 {
            Contents::Known(key) => Ok(key),
            Contents::Raw { enctype, .. } => Err(match Enctype::from_id(*enctype) {
                Some(_) => Error::InvalidKeyLength(*enctype),
                None => Error::UnsupportedEnctype(*enctype),
            }),
        }
    }

    /// The enctype number (IANA "Kerberos Encryption Type Numbers").
    #[must_use]
    pub fn enctype_id(&self) -> i32 {
        match &self.0 {
            Contents::Known(key) => key.enctype().id(),
            Contents::Raw { enctype, .. } => *enctype,
        }
    }

    /// The enctype, when the key can be used.
    #[must_use]
    pub fn enctype(&self) -> Option<Enctype> {
        match &self.0 {
            Contents::Known(key) => Some(key.enctype()),
            Contents::Raw { .. } => None,
        }
    }

    /// The bytes of the key. Keep them no longer than needed.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        match &self.0 {
            Contents::Known(key) => key.expose(),
            Contents::Raw { bytes, .. } => bytes,
        }
    }

    /// An explicit copy, wiped like the first.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self(match &self.0 {
            Contents::Known(key) => Contents::Known(key.duplicate()),
            Contents::Raw { enctype, bytes } => Contents::Raw {
                enctype: *enctype,
                bytes: bytes.clone(),
            },
        })
    }
}

impl From<Key> for KeyBlock {
    fn from(key: Key) -> Self {
        Self(Contents::Known(key))
    }
}

impl fmt::Debug for KeyBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyBlock")
            .field("enctype", &self.enctype_id())
            .finish_non_exhaustive()
    }
}
