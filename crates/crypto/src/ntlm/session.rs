//! Session keys, and their exchange (MS-NLMP §3.1.5.1.2 and §3.2.5.1.2).

use super::secret::secret;
use crate::{Error, Random, Tag, hmac_md5::hmac_md5, stream::Stream};

secret! {
    /// A session key of NTLM: the session base key, the key exchange key, or the exported one.
    SessionKey
}

impl SessionKey {
    /// A fresh random key: the exported session key of an initiator that exchanges keys.
    ///
    /// # Errors
    ///
    /// [`Error::Random`] when the generator fails.
    pub fn generate(random: &mut dyn Random) -> Result<Self, Error> {
        let mut key = SessionKey::blank();
        random.fill(&mut *key.0)?;
        Ok(key)
    }

    pub(super) fn fill(&mut self, bytes: &[u8; 16]) {
        self.0.copy_from_slice(bytes);
    }

    /// All zeros: the key of an anonymous session, which protects nothing.
    #[must_use]
    pub fn zero() -> Self {
        SessionKey::blank()
    }

    /// EncryptedRandomSessionKey: `exported` under this key exchange key, RC4K of MS-NLMP §3.1.5.1.2.
    #[must_use]
    pub fn encrypt(&self, exported: &SessionKey) -> [u8; 16] {
        let mut bytes = *exported.0;
        Stream::new(&*self.0).apply(&mut bytes);
        bytes
    }

    /// The exported session key out of EncryptedRandomSessionKey (MS-NLMP §3.2.5.1.2).
    ///
    /// Any bytes decrypt to some key: only the MIC, or the first message, shows whether it is the peer's.
    #[must_use]
    pub fn decrypt(&self, encrypted: &[u8; 16]) -> SessionKey {
        let mut key = SessionKey::new(*encrypted);
        Stream::new(&*self.0).apply(&mut *key.0);
        key
    }

    /// The MIC (MS-NLMP §3.1.5.1.2): HMAC-MD5 under this exported session key of all three messages, the MIC's
    /// own place being zero. `parts` are concatenated.
    #[must_use]
    pub fn mic(&self, parts: &[&[u8]]) -> Tag {
        Tag::truncate(hmac_md5(&*self.0, parts).as_slice(), 16)
    }
}
