//! What a client knows: a password, or long-term keys.

use core::fmt;
use std::sync::Arc;

use countersign_credential::{Error as CredentialError, Keytab, KeytabEntry, Password, Principal};
use countersign_crypto::{Enctype, Key};

use crate::error::{ErrorKind, KdcProblem};
use crate::policy::Policy;

use super::hints::KeyHints;

/// A client's long-term secret: a password, or keys. Cloning is cheap and copies no secret.
///
/// A password becomes a key with a salt and an iteration count that only the KDC knows for sure,
/// and it tells them in a message that nobody authenticates. What it tells is used for nothing
/// but to prove the secret to the KDC, and only with enctypes that the
/// [`Policy`](crate::Policy) permits; counts of 2^24 and more are refused. What remains is that
/// somebody on the path can choose the salt, and guess at the password with the proof that it then
/// sees. FAST ([`InitialTicket::armor`](super::InitialTicket::armor)) takes that away too.
///
/// ```
/// use countersign_context::kerberos::kdc::ClientSecret;
///
/// let secret = ClientSecret::password("correct horse battery staple");
/// assert_eq!(format!("{secret:?}"), "ClientSecret(password)");
/// ```
#[derive(Clone)]
pub struct ClientSecret(Arc<Secret>);

enum Secret {
    Password(Password),
    Keys(Vec<KeytabEntry>),
}

impl ClientSecret {
    /// A password.
    #[must_use]
    pub fn password(password: impl Into<Password>) -> Self {
        Self(Arc::new(Secret::Password(password.into())))
    }

    /// A long-term key. With keys of several enctypes, put them into a keytab.
    #[must_use]
    pub fn key(client: &Principal, key: Key) -> Self {
        // Version 0 stands for every version.
        let entry = KeytabEntry::new(client.clone(), 0, key);
        Self(Arc::new(Secret::Keys(vec![entry])))
    }

    /// The keys that a keytab has of `client`.
    ///
    /// # Errors
    /// [`NotFound`](CredentialError::NotFound) when it has none that this build can use.
    pub fn keytab(keytab: &Keytab, client: &Principal) -> Result<Self, CredentialError> {
        keytab.find(client, None, None)?;
        let entries = keytab
            .entries()
            .iter()
            .filter(|entry| entry.principal() == client && entry.enctype().is_some());
        let entries = entries.map(KeytabEntry::duplicate).collect();
        Ok(Self(Arc::new(Secret::Keys(entries))))
    }

    /// The NT hash of a password, which is its rc4-hmac key (RFC 4757 §2). A policy must permit
    /// rc4-hmac for it to be of use.
    #[cfg(feature = "rc4")]
    #[must_use]
    pub fn nt_hash(client: &Principal, hash: &[u8; 16]) -> Self {
        let key = countersign_credential::KeyBlock::from_parts(Enctype::Rc4Hmac.id(), hash);
        let entry = KeytabEntry::new(client.clone(), 0, key);
        Self(Arc::new(Secret::Keys(vec![entry])))
    }

    /// Whether it has, or can make, a key of the enctype.
    fn has(&self, enctype: Enctype) -> bool {
        match &*self.0 {
            Secret::Password(_) => true,
            Secret::Keys(entries) => entries.iter().any(|entry| entry.enctype() == Some(enctype)),
        }
    }

    /// The enctypes of a request, the preferred one first: those that the policy permits, and of
    /// them those first that the secret has, as a KDC takes the first that it can (RFC 4120
    /// §3.1.3).
    pub(crate) fn enctypes(&self, policy: &Policy) -> Vec<Enctype> {
        let (mut own, others): (Vec<_>, Vec<_>) = policy
            .enctypes()
            .iter()
            .partition(|enctype| self.has(*enctype));
        own.extend(others);
        own
    }

    /// The enctype to prove the secret with: of those that the KDC offers, the policy permits and
    /// the secret has, the client's preferred one.
    pub(crate) fn choose(&self, hints: &KeyHints, policy: &Policy) -> Result<Enctype, KdcProblem> {
        let mut common = policy
            .enctypes()
            .iter()
            .filter(|enctype| hints.offer(*enctype));
        let first = common.clone().next();
        common
            .find(|enctype| self.has(*enctype))
            .ok_or(match first {
                Some(enctype) => KdcProblem::NoKeyOfEnctype {
                    enctype: enctype.id(),
                },
                None => KdcProblem::EnctypesDisjoint,
            })
    }

    /// The client's key of an enctype and, if the KDC names one, of a version.
    pub(crate) fn long_term_key(
        &self,
        enctype: Enctype,
        kvno: Option<u32>,
        hints: &KeyHints,
        client: &Principal,
    ) -> Result<Key, ErrorKind> {
        match &*self.0 {
            Secret::Password(password) => {
                let hint = hints.of(enctype, client);
                let password = password.expose().as_bytes();
                Key::from_password(enctype, password, &hint.salt, hint.params.as_deref())
                    .map_err(|_| KdcProblem::KeyParameters.into())
            }
            Secret::Keys(entries) => latest(entries, enctype, kvno)
                .or_else(|| latest(entries, enctype, None))
                .and_then(KeytabEntry::key)
                .map(Key::duplicate)
                .ok_or_else(|| {
                    let enctype = enctype.id();
                    KdcProblem::NoKeyOfEnctype { enctype }.into()
                }),
        }
    }
}

/// The key of an enctype and version, or the latest of the enctype.
fn latest(entries: &[KeytabEntry], enctype: Enctype, kvno: Option<u32>) -> Option<&KeytabEntry> {
    entries
        .iter()
        .filter(|entry| entry.enctype() == Some(enctype))
        .filter_map(|entry| Some((entry.matches_kvno(kvno)?, entry)))
        .reduce(|best, other| match other.0.cmp(&best.0) {
            core::cmp::Ordering::Greater => other,
            core::cmp::Ordering::Equal if other.1.supersedes(best.1) => other,
            _ => best,
        })
        .map(|(_, entry)| entry)
}

impl From<Password> for ClientSecret {
    fn from(password: Password) -> Self {
        Self::password(password)
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Secret::Password(_) => f.write_str("ClientSecret(password)"),
            Secret::Keys(entries) => {
                let enctypes = entries.iter().filter_map(KeytabEntry::enctype);
                f.write_str("ClientSecret(keys ")?;
                f.debug_list()
                    .entries(enctypes.map(Enctype::name))
                    .finish()?;
                f.write_str(")")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::EnctypeSet;

    const AES256: Enctype = Enctype::Aes256CtsHmacSha1_96;
    const AES128: Enctype = Enctype::Aes128CtsHmacSha1_96;

    fn alice() -> Principal {
        Principal::parse("alice@R").unwrap()
    }

    fn key(enctype: Enctype, byte: u8) -> Key {
        Key::new(enctype, &vec![byte; enctype.key_len()]).unwrap()
    }

    fn keytab(entries: &[(u32, Enctype, u8)]) -> Keytab {
        let entries = entries
            .iter()
            .map(|(kvno, enctype, byte)| KeytabEntry::new(alice(), *kvno, key(*enctype, *byte)));
        entries.collect()
    }

    #[test]
    fn the_version_that_the_kdc_names_is_taken_and_else_the_latest() {
        let keytab = keytab(&[
            (1, AES256, 1),
            (3, AES256, 3),
            (2, AES256, 2),
            (9, AES128, 9),
        ]);
        let secret = ClientSecret::keytab(&keytab, &alice()).unwrap();
        let hints = KeyHints::default();
        let byte = |kvno| {
            let key = secret
                .long_term_key(AES256, kvno, &hints, &alice())
                .unwrap();
            key.expose()[0]
        };
        assert_eq!((byte(None), byte(Some(2)), byte(Some(7))), (3, 2, 3));
        let other = secret.long_term_key(Enctype::Camellia128CtsCmac, None, &hints, &alice());
        let problem = KdcProblem::NoKeyOfEnctype { enctype: 25 };
        assert_eq!(other.unwrap_err(), ErrorKind::Kdc(problem));
    }

    #[test]
    fn a_keytab_of_another_principal_is_refused() {
        let keytab = keytab(&[(1, AES256, 1)]);
        let bob = Principal::parse("bob@R").unwrap();
        assert!(ClientSecret::keytab(&keytab, &alice()).is_ok());
        assert!(ClientSecret::keytab(&keytab, &bob).is_err());
    }

    #[test]
    fn requests_name_the_enctypes_of_the_keys_first_and_no_other_than_permitted() {
        let secret = ClientSecret::key(&alice(), key(AES128, 1));
        let ids = |policy: &Policy| {
            let enctypes = secret.enctypes(policy);
            enctypes.into_iter().map(Enctype::id).collect::<Vec<_>>()
        };
        assert_eq!(ids(&Policy::DEFAULT), [17, 20, 19, 18]);
        let only = Policy::default().with_enctypes(EnctypeSet::of(&[AES256]));
        assert_eq!(ids(&only), [18]);
        assert_eq!(
            ClientSecret::password("x").enctypes(&Policy::DEFAULT)[0].id(),
            20
        );
    }

    #[test]
    fn secrets_are_not_printed() {
        let password = ClientSecret::password("hunter2");
        assert!(!format!("{password:?}").contains("hunter2"));
        let keys = ClientSecret::key(&alice(), key(AES256, 0xa7));
        let text = format!("{keys:?}");
        assert_eq!(text, "ClientSecret(keys [\"aes256-cts-hmac-sha1-96\"])");
    }
}
