//! A realm without a KDC: it knows every key and mints any ticket.

use std::sync::atomic::{AtomicU64, Ordering};

use countersign_credential::{
    CredentialCache, Keytab, KeytabEntry, NameType, Principal, TicketCredential,
};
use countersign_crypto::{Enctype, Key};

use crate::clock::NOW;
use crate::random::SeededRandom;
use crate::ticket::TicketBuilder;
use crate::{Error, flags};

/// The key version that services have when nothing else is said.
pub const KVNO: u32 = 1;

/// A realm: users and services, and their keys by enctype and version.
///
/// Nobody needs to be registered. The key of a principal follows from the realm's seed, the principal's name, the
/// enctype and the version, so the same question always has the same answer; session keys differ from ticket to
/// ticket and repeat from run to run.
///
/// ```
/// use countersign_testkit::Realm;
///
/// let realm = Realm::new("EXAMPLE.COM", 1);
/// let ticket = realm.ticket("user", "HTTP/web.example.com").mint()?;
/// let keytab = realm.keytab(&["HTTP/web.example.com"])?;
/// assert_eq!(ticket.client.to_string(), "user@EXAMPLE.COM");
/// assert!(keytab.find(&ticket.server, Some(1), None).is_ok());
/// # Ok::<(), countersign_testkit::Error>(())
/// ```
#[derive(Debug)]
pub struct Realm {
    name: String,
    seed: u64,
    now: i64,
    tickets: AtomicU64,
}

impl Realm {
    /// The realm `name`, with keys that follow from `seed`.
    #[must_use]
    pub fn new(name: &str, seed: u64) -> Self {
        Self {
            name: name.into(),
            seed,
            now: NOW,
            tickets: AtomicU64::new(0),
        }
    }

    /// Issues tickets at `seconds` (Unix time) instead of [`NOW`].
    #[must_use]
    pub fn at(mut self, seconds: i64) -> Self {
        self.now = seconds;
        self
    }

    /// The realm's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The time at which tickets are issued, in Unix seconds.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.now
    }

    /// The principal that `text` names, in this realm when it names none. Text with a slash is a service.
    #[must_use]
    pub fn principal(&self, text: &str) -> Principal {
        let principal = Principal::parse_with_default_realm(text, &self.name)
            .unwrap_or_else(|_| Principal::new(&self.name, [text], NameType::PRINCIPAL));
        if principal.components().len() > 1 && !principal.is_ticket_granting_service() {
            principal.with_name_type(NameType::SRV_HST)
        } else {
            principal
        }
    }

    /// The key of `principal`, of `enctype` and of the version `kvno`.
    ///
    /// # Errors
    /// [`Error::Crypto`] never in practice.
    pub fn key(&self, principal: &Principal, enctype: Enctype, kvno: u32) -> Result<Key, Error> {
        let parts: [&[u8]; 4] = [
            b"key",
            &principal.to_text(),
            &enctype.id().to_le_bytes(),
            &kvno.to_le_bytes(),
        ];
        Ok(Key::generate(
            enctype,
            &mut SeededRandom::derived(self.seed, &parts),
        )?)
    }

    /// The realm's ticket-granting key, aes256-cts-hmac-sha1-96, of version [`KVNO`]: the one that signs PACs for the KDC.
    ///
    /// # Errors
    /// As [`key`](Self::key).
    pub fn ticket_granting_key(&self) -> Result<Key, Error> {
        let server = Principal::ticket_granting_service(&self.name, &self.name);
        self.key(&server, Enctype::Aes256CtsHmacSha1_96, KVNO)
    }

    /// The key of a user with a password, salted as RFC 4120 §4 says: the realm, then the components.
    ///
    /// # Errors
    /// [`Error::Crypto`] when the enctype has no string-to-key.
    pub fn password_key(
        &self,
        user: &Principal,
        password: &str,
        enctype: Enctype,
    ) -> Result<Key, Error> {
        let mut salt = user.realm().to_vec();
        salt.extend(user.components().flatten());
        Ok(Key::from_password(
            enctype,
            password.as_bytes(),
            &salt,
            None,
        )?)
    }

    /// A generator that no other call has had.
    pub(crate) fn fresh_random(&self, purpose: &[u8]) -> SeededRandom {
        let count = self.tickets.fetch_add(1, Ordering::Relaxed);
        SeededRandom::derived(self.seed, &[purpose, &count.to_le_bytes()])
    }

    /// A ticket of the user `client` for the service `server`, valid for ten hours, which
    /// [`mint`](TicketBuilder::mint) makes.
    pub fn ticket(&self, client: &str, server: &str) -> TicketBuilder<'_> {
        TicketBuilder::new(self, self.principal(client), self.principal(server))
    }

    /// As [`ticket`](Self::ticket), for principals of any realm.
    pub fn ticket_for(&self, client: Principal, server: Principal) -> TicketBuilder<'_> {
        TicketBuilder::new(self, client, server)
    }

    /// The user's ticket-granting ticket.
    pub fn ticket_granting_ticket(&self, client: &str) -> TicketBuilder<'_> {
        let server = Principal::ticket_granting_service(&self.name, &self.name);
        TicketBuilder::new(self, self.principal(client), server)
            .flags(flags::ticket::INITIAL | flags::ticket::PRE_AUTHENT | flags::ticket::FORWARDABLE)
    }

    /// A ticket-granting ticket as a user delegates it: forwardable and forwarded.
    pub fn forwarded_ticket_granting_ticket(&self, client: &str) -> TicketBuilder<'_> {
        self.ticket_granting_ticket(client).flags(
            flags::ticket::PRE_AUTHENT | flags::ticket::FORWARDABLE | flags::ticket::FORWARDED,
        )
    }

    /// A keytab with the keys of `services`: version [`KVNO`], every enctype of this build.
    ///
    /// # Errors
    /// As [`key`](Self::key).
    pub fn keytab(&self, services: &[&str]) -> Result<Keytab, Error> {
        self.keytab_of(services, &[KVNO], Enctype::ALL)
    }

    /// A keytab with the keys of `services`, of each of `kvnos` and of each of `enctypes`.
    ///
    /// # Errors
    /// As [`key`](Self::key).
    pub fn keytab_of(
        &self,
        services: &[&str],
        kvnos: &[u32],
        enctypes: &[Enctype],
    ) -> Result<Keytab, Error> {
        let timestamp = u32::try_from(self.now).unwrap_or(0);
        let mut keytab = Keytab::new();
        for service in services {
            let principal = self.principal(service);
            for &kvno in kvnos {
                for &enctype in enctypes {
                    let key = self.key(&principal, enctype, kvno)?;
                    let entry = KeytabEntry::new(principal.clone(), kvno, key);
                    keytab.push(entry.with_timestamp(timestamp));
                }
            }
        }
        Ok(keytab)
    }

    /// A credential cache of `client` with `tickets`.
    #[must_use]
    pub fn cache(
        &self,
        client: &str,
        tickets: impl IntoIterator<Item = TicketCredential>,
    ) -> CredentialCache {
        let mut cache = CredentialCache::new(self.principal(client));
        for ticket in tickets {
            cache.push(ticket);
        }
        cache
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_follow_from_seed_name_enctype_and_version() {
        let realm = Realm::new("R", 1);
        let user = realm.principal("user");
        let enctype = Enctype::Aes256CtsHmacSha1_96;
        let key = |realm: &Realm, name: &str, kvno| {
            realm
                .key(&realm.principal(name), enctype, kvno)
                .unwrap()
                .expose()
                .to_vec()
        };
        assert_eq!(key(&realm, "user", 1), key(&Realm::new("R", 1), "user", 1));
        assert_ne!(key(&realm, "user", 1), key(&realm, "user", 2));
        assert_ne!(key(&realm, "user", 1), key(&realm, "other", 1));
        assert_ne!(key(&realm, "user", 1), key(&Realm::new("R", 2), "user", 1));
        assert_eq!(user.to_string(), "user@R");
        assert_eq!(realm.principal("a@S").realm(), b"S");
    }

    #[test]
    fn a_keytab_has_every_enctype_and_version() {
        let realm = Realm::new("R", 1);
        let keytab = realm.keytab(&["a/b", "c/d"]).unwrap();
        assert_eq!(keytab.entries().len(), 2 * Enctype::ALL.len());
        let two = realm
            .keytab_of(&["a/b"], &[4, 5], &[Enctype::Aes128CtsHmacSha1_96])
            .unwrap();
        assert_eq!(two.latest_kvno(&realm.principal("a/b")), Some(5));
        assert_eq!(two.entries().len(), 2);
    }
}
