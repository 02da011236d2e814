//! The tickets that a client has: a cache in memory that many initiators share.

use core::fmt;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError};
#[cfg(not(countersign_loom))]
use std::sync::{Mutex, MutexGuard};

use countersign_credential::cache::TimeOffset;
use countersign_credential::{CredentialCache, Principal, TicketCredential};
use countersign_crypto::Enctype;
#[cfg(countersign_loom)]
use loom::sync::{Mutex, MutexGuard};
use sha2::{Digest, Sha256};

use crate::policy::EnctypeSet;

/// Of MIT krb5's credential caches: the KDC of a ticket-granting ticket has FAST.
const FAST_AVAILABLE: &str = "fast_avail";

/// Which ticket a fetch is for. Equal keys are answered by one ticket, so whoever runs many fetches
/// at once can let one of each key go ahead and the others wait for it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TicketKey {
    client: Principal,
    /// With an empty realm where only referrals will tell.
    server: Principal,
    kind: TicketKind,
}

/// What distinguishes tickets of the same client for the same server.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum TicketKind {
    /// The ticket-granting ticket that everything begins with.
    Initial,
    /// An ordinary ticket.
    Own,
    /// User-to-user: the digest of the peer's ticket-granting ticket.
    UserToUser([u8; 32]),
    /// A forwarded ticket-granting ticket, for somebody else's use.
    Forwarded,
    /// Obtained by this service in the client's name.
    OnBehalf {
        service: Principal,
        /// Perhaps with a ticket that nobody proved to be the client's: such a one answers for
        /// none of those that want the proof.
        unverified: bool,
    },
}

impl TicketKey {
    pub(super) fn new(client: &Principal, server: &Principal, kind: TicketKind) -> Self {
        Self {
            client: client.clone(),
            server: server.clone(),
            kind,
        }
    }

    pub(super) fn initial(client: &Principal) -> Self {
        let realm = client.realm();
        let server = Principal::ticket_granting_service(realm, realm);
        Self::new(client, &server, TicketKind::Initial)
    }

    pub(super) fn user_to_user(
        client: &Principal,
        server: &Principal,
        peer: &TicketCredential,
    ) -> Self {
        let digest = Sha256::digest(&peer.ticket).into();
        Self::new(client, server, TicketKind::UserToUser(digest))
    }

    /// The client's name, as the caller gave it.
    #[must_use]
    pub fn client(&self) -> &Principal {
        &self.client
    }

    /// The service's name, as the caller gave it; its realm may be empty.
    #[must_use]
    pub fn server(&self) -> &Principal {
        &self.server
    }
}

/// Tickets in memory, shared by everybody who has a clone. `Send + Sync`; bounded; what has expired
/// is dropped.
///
/// A ticket is handed out as long as it has [`MARGIN`](Self::MARGIN) to live, or half of its life
/// if that is shorter; then it is fetched anew.
///
/// ```
/// use countersign_context::credential::{CredentialCache, Principal};
/// use countersign_context::kerberos::kdc::Tickets;
/// # let realm = countersign_testkit::Realm::new("EXAMPLE.COM", 1);
/// # let now = countersign_testkit::NOW;
///
/// let alice = Principal::parse("alice@EXAMPLE.COM")?;
/// let mut cache = CredentialCache::new(alice.clone());
/// cache.push(realm.ticket("alice", "HTTP/www.example.com").mint()?);
///
/// let tickets = Tickets::from_cache(&cache, now);
/// assert_eq!(tickets.len(), 1);
/// let back = tickets.to_cache(&alice);
/// assert_eq!(back.credentials().count(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Tickets(Arc<Shared>);

struct Shared {
    store: Mutex<Store>,
    capacity: usize,
}

#[derive(Default)]
struct Store {
    entries: HashMap<TicketKey, Arc<TicketCredential>>,
    /// Realms whose KDC says that it has FAST.
    fast: HashSet<Vec<u8>>,
    /// Seconds that the KDCs' clocks are ahead of ours.
    time_offset: i64,
}

impl Tickets {
    /// Room for as many tickets as a busy proxy needs.
    pub const DEFAULT_CAPACITY: usize = 4096;

    /// Seconds that a ticket must still be valid to be handed out.
    pub const MARGIN: i64 = 120;

    /// An empty cache.
    #[must_use]
    pub fn new() -> Self {
        Self::with_capacity(Self::DEFAULT_CAPACITY)
    }

    /// An empty cache for at most so many tickets; the one that ends first makes room.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self(Arc::new(Shared {
            store: Mutex::default(),
            capacity: capacity.max(1),
        }))
    }

    /// The tickets of a credential cache that hold at `now` (Unix seconds), its time offset, and
    /// what it knows of FAST.
    #[must_use]
    pub fn from_cache(cache: &CredentialCache, now: i64) -> Self {
        let tickets = Self::new();
        let owner = cache.default_principal();
        let initial = TicketKey::initial(owner);
        let offset = cache.time_offset().map_or(0, |offset| offset.seconds);
        tickets.set_time_offset(i64::from(offset));
        for entry in cache.credentials().filter(|e| e.session_key().is_ok()) {
            let ticket = Arc::new(entry.duplicate());
            let key = match entry.is_skey {
                true => {
                    let digest = Sha256::digest(&entry.second_ticket).into();
                    let kind = TicketKind::UserToUser(digest);
                    TicketKey::new(&entry.client, &entry.server, kind)
                }
                false => TicketKey::new(&entry.client, &entry.server, TicketKind::Own),
            };
            if !entry.is_skey && entry.client == *owner && entry.server == *initial.server() {
                tickets.insert_longest(initial.clone(), Arc::clone(&ticket), now);
            } else {
                tickets.insert_longest(key, ticket, now);
            }
            let fast = cache.configuration(FAST_AVAILABLE, Some(&entry.server));
            if fast == Some(b"yes") {
                tickets.note_fast(entry.server.component(1).unwrap_or_default());
            }
        }
        tickets
    }

    /// The client's tickets as a credential cache, for a file or another program: all but those
    /// that were obtained to be given away.
    #[must_use]
    pub fn to_cache(&self, client: &Principal) -> CredentialCache {
        let store = self.lock();
        let initial = store.entries.get(&TicketKey::initial(client));
        // What the KDC calls the client.
        let owner = initial.map_or(client, |ticket| &ticket.client);
        let mut cache = CredentialCache::new(owner.clone());
        let mut others: Vec<_> = store
            .entries
            .iter()
            .filter(|(key, _)| key.client == *client)
            .filter(|(key, _)| matches!(key.kind, TicketKind::Own | TicketKind::UserToUser(_)))
            .map(|(_, ticket)| ticket)
            .collect();
        others.sort_by_key(|ticket| ticket.server.to_text());
        for ticket in initial.into_iter().chain(others) {
            let granting = ticket.server.is_ticket_granting_service();
            let realm = ticket.server.component(1).unwrap_or_default();
            if granting && store.fast.contains(realm) {
                cache.set_configuration(FAST_AVAILABLE, Some(&ticket.server), Some(b"yes"));
            }
            cache.push(ticket.duplicate());
        }
        if let (Ok(seconds), true) = (store.time_offset.try_into(), store.time_offset != 0) {
            cache.set_time_offset(Some(TimeOffset {
                seconds,
                microseconds: 0,
            }));
        }
        cache
    }

    /// How many tickets there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().entries.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets every ticket.
    pub fn clear(&self) {
        self.lock().entries.clear();
    }

    /// Forgets the tickets for a service, for instance because it has new keys and refuses them.
    pub fn forget(&self, server: &Principal) {
        self.lock()
            .entries
            .retain(|key, ticket| key.server != *server && ticket.server != *server);
    }

    /// Whether a ticket of this key can be handed out at `now` (Unix seconds, our clock).
    #[must_use]
    pub fn contains(&self, key: &TicketKey, now: i64) -> bool {
        self.find(key, None, now).is_some()
    }

    /// The ticket of a key, if it lasts long enough and both of its enctypes are permitted.
    pub(super) fn find(
        &self,
        key: &TicketKey,
        permitted: Option<EnctypeSet>,
        now: i64,
    ) -> Option<Arc<TicketCredential>> {
        let store = self.lock();
        let now = now.saturating_add(store.time_offset);
        let usable = |ticket: &Arc<TicketCredential>| {
            is_fresh(ticket, now) && permitted.is_none_or(|set| is_permitted(ticket, set))
        };
        let exact = store.entries.get(key);
        // A name without a realm is that of any realm's ticket, as files keep them.
        let in_any_realm = || {
            let ours = |other: &TicketKey| {
                other.client == key.client
                    && other.kind == key.kind
                    && key.server.realm().is_empty()
                    && key.server.components().eq(other.server.components())
            };
            let mut found = store.entries.iter().filter(|(other, _)| ours(other));
            found.find(|(_, ticket)| usable(ticket)).map(|(_, t)| t)
        };
        exact
            .filter(|ticket| usable(ticket))
            .or_else(in_any_realm)
            .cloned()
    }

    /// A ticket of a key that still holds, however short.
    pub(super) fn find_ending(&self, key: &TicketKey, now: i64) -> Option<Arc<TicketCredential>> {
        let store = self.lock();
        let now = now.saturating_add(store.time_offset);
        let ticket = store.entries.get(key)?;
        ticket.is_valid_at(now, 0).then(|| Arc::clone(ticket))
    }

    /// The client's ticket-granting tickets for other realms.
    pub(super) fn ticket_granting(
        &self,
        client: &Principal,
        now: i64,
    ) -> Vec<Arc<TicketCredential>> {
        let store = self.lock();
        let now = now.saturating_add(store.time_offset);
        store
            .entries
            .iter()
            .filter(|(key, _)| key.kind == TicketKind::Own && key.client == *client)
            .map(|(_, ticket)| ticket)
            .filter(|ticket| ticket.server.is_ticket_granting_service() && is_fresh(ticket, now))
            .cloned()
            .collect()
    }

    /// Keeps a ticket; `now` is our clock's.
    pub(super) fn insert(&self, key: TicketKey, ticket: Arc<TicketCredential>, now: i64) {
        let mut store = self.lock();
        let now = now.saturating_add(store.time_offset);
        store
            .entries
            .retain(|_, ticket| now < ticket.times.end_time);
        if store.entries.len() >= self.0.capacity && !store.entries.contains_key(&key) {
            let first = store
                .entries
                .iter()
                .min_by_key(|(_, ticket)| ticket.times.end_time)
                .map(|(key, _)| key.clone());
            if let Some(first) = first {
                store.entries.remove(&first);
            }
        }
        store.entries.insert(key, ticket);
    }

    fn insert_longest(&self, key: TicketKey, ticket: Arc<TicketCredential>, now: i64) {
        let (end, offset) = {
            let store = self.lock();
            let end = store.entries.get(&key).map(|old| old.times.end_time);
            (end, store.time_offset)
        };
        // The KDC's clock counts, once: `insert` goes by it too.
        if now.saturating_add(offset) < ticket.times.end_time
            && end.is_none_or(|end| end < ticket.times.end_time)
        {
            self.insert(key, ticket, now);
        }
    }

    /// For the programs that a cache is for: the KDC says that it has FAST.
    pub(super) fn note_fast(&self, realm: &[u8]) {
        self.lock().fast.insert(realm.to_vec());
    }

    /// Seconds that the KDCs' clocks are ahead of ours, as the last exchange learned.
    #[must_use]
    pub fn time_offset(&self) -> i64 {
        self.lock().time_offset
    }

    pub(super) fn set_time_offset(&self, seconds: i64) {
        self.lock().time_offset = seconds;
    }

    fn lock(&self) -> MutexGuard<'_, Store> {
        // A panic elsewhere left complete entries only.
        self.0.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a ticket has enough of its life left to be handed out.
fn is_fresh(ticket: &TicketCredential, now: i64) -> bool {
    let life = ticket
        .times
        .end_time
        .saturating_sub(ticket.times.valid_from());
    let margin = Tickets::MARGIN.min(life / 2);
    ticket.is_valid_at(now.saturating_add(margin), 0)
        && ticket.times.valid_from() <= now.saturating_add(START_LEEWAY)
}

/// Clocks differ: a ticket may begin a little later than now (RFC 4120 §3.2.3).
const START_LEEWAY: i64 = 300;

fn is_permitted(ticket: &TicketCredential, set: EnctypeSet) -> bool {
    Enctype::from_id(ticket.key.enctype_id()).is_some_and(|enctype| set.contains(enctype))
}

impl Default for Tickets {
    fn default() -> Self {
        Self::new()
    }
}

/// Numbers only.
impl fmt::Debug for Tickets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tickets")
            .field("len", &self.len())
            .field("capacity", &self.0.capacity)
            .finish_non_exhaustive()
    }
}
