//! Credential caches: tickets with their session keys.

mod configuration;
pub(crate) mod format;

use alloc::vec::Vec;

use zeroize::Zeroizing;

use crate::error::Error;
use crate::principal::Principal;
use crate::service_name::ServiceName;
use crate::ticket::TicketCredential;
use crate::wire::ByteOrder;

/// The realm of configuration entries.
pub(crate) const CONFIGURATION_REALM: &[u8] = b"X-CACHECONF:";
/// The first component of configuration entries.
pub(crate) const CONFIGURATION_NAME: &[u8] = b"krb5_ccache_conf_data";

/// A version of the file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// 0x501: integers in the writer's byte order, no name types.
    V1(ByteOrder),
    /// 0x502: integers in the writer's byte order.
    V2(ByteOrder),
    /// 0x503: big-endian, the enctype written twice.
    V3,
    /// 0x504: big-endian, with a header. What every current program writes.
    V4,
}

/// How far the KDC's clock is from the client's, as the header of version 4 keeps it: added to the client's time it
/// gives the KDC's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimeOffset {
    /// Seconds, negative when the KDC is behind.
    pub seconds: i32,
    /// Microseconds.
    pub microseconds: i32,
}

/// A field of the header of version 4.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HeaderField {
    pub(crate) tag: u16,
    pub(crate) value: Vec<u8>,
}

/// A credential cache: the tickets of one client.
///
/// Nothing here touches a file system: [`parse`](Self::parse) takes the bytes of a `FILE` cache,
/// [`to_bytes`](Self::to_bytes) gives them back. Configuration entries, entries that were deleted in place, session
/// keys of unknown enctypes and unknown header fields are all kept.
///
/// ```
/// use countersign_credential::cache::Version;
/// use countersign_credential::{CredentialCache, KeyBlock, Principal, TicketCredential};
///
/// let user = Principal::parse("user@EXAMPLE.COM")?;
/// let web = Principal::parse("HTTP/web.example.com@EXAMPLE.COM")?;
/// let key = KeyBlock::from_parts(18, &[7; 32]);
///
/// let mut cache = CredentialCache::new(user.clone());
/// cache.push(TicketCredential::new(user, web.clone(), key, b"a ticket".to_vec()));
/// let read = CredentialCache::parse(&cache.to_bytes(Version::V4)?)?;
/// assert_eq!(read.find(&web).map(|found| found.ticket.as_slice()), Some(&b"a ticket"[..]));
/// # Ok::<(), countersign_credential::Error>(())
/// ```
#[derive(Debug)]
pub struct CredentialCache {
    default_principal: Principal,
    entries: Vec<TicketCredential>,
    time_offset: Option<TimeOffset>,
    other_fields: Vec<HeaderField>,
}

impl CredentialCache {
    /// An empty cache of `default_principal`.
    #[must_use]
    pub fn new(default_principal: Principal) -> Self {
        Self {
            default_principal,
            entries: Vec::new(),
            time_offset: None,
            other_fields: Vec::new(),
        }
    }

    /// Reads a cache of version 1 to 4.
    ///
    /// Versions 1 and 2 are in the byte order of the machine that wrote them, which the file does not tell: they are
    /// read as little-endian first and, when that does not make sense, as big-endian; the outcome is the same on
    /// every machine.
    ///
    /// # Errors
    /// [`Error::Format`] with the position of what is wrong.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        format::parse(bytes).map(|(cache, _)| cache)
    }

    /// As [`parse`](Self::parse), and tells the version of the file.
    ///
    /// # Errors
    /// [`Error::Format`] with the position of what is wrong.
    pub fn parse_with_version(bytes: &[u8]) -> Result<(Self, Version), Error> {
        format::parse(bytes)
    }

    /// Writes the cache. Versions before 4 have no header, so the time offset is lost in them; version 1 has no
    /// name types.
    ///
    /// # Errors
    /// [`Error::NotRepresentable`] when a time lies outside 1970 to 2106 or a type outside 16 bits.
    pub fn to_bytes(&self, version: Version) -> Result<Zeroizing<Vec<u8>>, Error> {
        format::encode(self, version)
    }

    /// Whose cache it is.
    #[must_use]
    pub fn default_principal(&self) -> &Principal {
        &self.default_principal
    }

    /// All entries in the order of the file, configuration and removed ones among them.
    #[must_use]
    pub fn entries(&self) -> &[TicketCredential] {
        &self.entries
    }

    /// The tickets: neither configuration nor removed entries.
    pub fn credentials(&self) -> impl Iterator<Item = &TicketCredential> {
        self.entries
            .iter()
            .filter(|entry| !entry.is_configuration() && !entry.is_removed())
    }

    /// Appends an entry.
    pub fn push(&mut self, entry: TicketCredential) {
        self.entries.push(entry);
    }

    /// Drops the entries for which `keep` is false, for instance expired tickets.
    pub fn retain(&mut self, keep: impl FnMut(&TicketCredential) -> bool) {
        self.entries.retain(keep);
    }

    /// Takes the entries out, for instance to keep one without copying its key.
    #[must_use]
    pub fn into_entries(self) -> Vec<TicketCredential> {
        self.entries
    }

    /// The KDC's clock against the client's, when the file tells it.
    #[must_use]
    pub fn time_offset(&self) -> Option<TimeOffset> {
        self.time_offset
    }

    /// Sets or clears the KDC's clock offset.
    pub fn set_time_offset(&mut self, offset: Option<TimeOffset>) {
        self.time_offset = offset;
    }

    /// The ticket for `server` that can be used and lasts longest; it may have expired.
    #[must_use]
    pub fn find(&self, server: &Principal) -> Option<&TicketCredential> {
        self.longest(|entry| entry.server == *server)
    }

    /// The ticket for `server` that can be used at `now` (Unix seconds), and of those the one that lasts longest.
    #[must_use]
    pub fn find_valid(&self, server: &Principal, now: i64) -> Option<&TicketCredential> {
        self.longest(|entry| entry.server == *server && entry.is_valid_at(now, 0))
    }

    /// As [`find`](Self::find), by the name that a program writes; without a realm it matches in every realm.
    #[must_use]
    pub fn find_service(&self, service: &ServiceName) -> Option<&TicketCredential> {
        self.longest(|entry| service.matches(&entry.server))
    }

    /// The ticket-granting ticket of the default principal's own realm.
    #[must_use]
    pub fn ticket_granting_ticket(&self) -> Option<&TicketCredential> {
        let realm = self.default_principal.realm();
        self.find(&Principal::ticket_granting_service(realm, realm))
    }

    fn longest(&self, matches: impl Fn(&TicketCredential) -> bool) -> Option<&TicketCredential> {
        self.credentials()
            .filter(|entry| entry.session_key().is_ok() && matches(entry))
            .reduce(|best, entry| {
                if entry.times.end_time > best.times.end_time {
                    entry
                } else {
                    best
                }
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key_block::KeyBlock;
    use crate::principal::NameType;
    use crate::ticket::TicketTimes;
    use alloc::vec;

    fn server(name: &str) -> Principal {
        Principal::new("R", ["HTTP", name], NameType::SRV_HST)
    }

    fn entry(name: &str, end_time: i64, enctype: i32) -> TicketCredential {
        let user = Principal::new("R", ["user"], NameType::PRINCIPAL);
        let key = KeyBlock::from_parts(enctype, &[1; 32]);
        let mut entry = TicketCredential::new(user, server(name), key, vec![1]);
        entry.times = TicketTimes {
            auth_time: 1,
            end_time,
            ..TicketTimes::default()
        };
        entry
    }

    fn cache(entries: Vec<TicketCredential>) -> CredentialCache {
        let mut cache = CredentialCache::new(Principal::new("R", ["user"], NameType::PRINCIPAL));
        cache.entries = entries;
        cache
    }

    #[test]
    fn the_longest_usable_ticket_is_found() {
        let cache = cache(vec![
            entry("a", 10, 18),
            entry("a", 30, 18),
            entry("a", 20, 18),
            entry("a", 90, 99),
            entry("b", 50, 18),
        ]);
        let end = |found: Option<&TicketCredential>| found.map(|entry| entry.times.end_time);
        assert_eq!(end(cache.find(&server("a"))), Some(30));
        assert_eq!(end(cache.find(&server("c"))), None);
        assert_eq!(end(cache.find_valid(&server("a"), 29)), Some(30));
        assert_eq!(end(cache.find_valid(&server("a"), 30)), None);
        let name = ServiceName::parse("HTTP@A").unwrap();
        assert_eq!(end(cache.find_service(&name)), Some(30));
    }

    #[test]
    fn removed_entries_are_kept_and_never_found() {
        let mut removed = entry("a", 10, 18);
        let mut cache = cache(vec![removed.duplicate()]);
        assert!(cache.find(&server("a")).is_some());
        removed.times = TicketTimes {
            auth_time: 0xffff_ffff,
            ..TicketTimes::default()
        };
        cache.entries = vec![removed];
        assert!(cache.find(&server("a")).is_none());
        assert_eq!((cache.entries().len(), cache.credentials().count()), (1, 0));
    }

    #[test]
    fn what_is_not_kept_is_gone_and_the_rest_stays_in_order() {
        let ends = |entries: &[TicketCredential]| -> Vec<i64> {
            entries.iter().map(|entry| entry.times.end_time).collect()
        };
        let mut cache = cache(vec![
            entry("a", 10, 18),
            entry("b", 30, 18),
            entry("c", 20, 18),
            entry("d", 40, 99),
        ]);
        cache.retain(|entry| entry.is_valid_at(15, 0));
        assert_eq!(ends(cache.entries()), [30, 20, 40]);
        assert!(cache.find(&server("a")).is_none() && cache.find(&server("c")).is_some());
        let taken = cache.into_entries();
        assert_eq!(ends(&taken), [30, 20, 40]);
        assert_eq!(taken[0].key.expose(), [1; 32]);
        assert_eq!(taken[2].key.enctype_id(), 99);
    }

    #[test]
    fn the_ticket_granting_ticket_is_the_own_realms() {
        let mut own = entry("x", 10, 18);
        own.server = Principal::ticket_granting_service("R", "R");
        let mut foreign = entry("x", 99, 18);
        foreign.server = Principal::ticket_granting_service("S", "R");
        let cache = cache(vec![foreign, own]);
        assert_eq!(
            cache.ticket_granting_ticket().map(|tgt| tgt.times.end_time),
            Some(10)
        );
    }
}
