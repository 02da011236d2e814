//! What every kind of cache can do.

use core::fmt;
use std::sync::Arc;

use countersign_credential::{CredentialCache, Principal, TicketCredential};

use super::error::CacheError;
use super::name::CacheName;

/// One credential cache, wherever it is kept.
///
/// Object-safe, and the seam for what this library does not open itself: a program on Windows implements it over the
/// logon session (`MSLSA:`, through LSA) or the Kerberos API cache, one on macOS over `API:` (the GSS framework or
/// KCM's XPC service), and hands it to whoever wants a cache.
///
/// Operations may wait: for a lock or for a server, at most as long as each kind of cache documents. Within an async
/// runtime they belong where blocking is permitted.
pub trait CacheStore: fmt::Debug + Send + Sync + 'static {
    /// Which cache it is; of a collection's, the member.
    fn name(&self) -> CacheName;

    /// All that is in the cache.
    ///
    /// # Errors
    /// [`CacheError::Absent`], or why it cannot be read.
    fn load(&self) -> Result<CredentialCache, CacheError>;

    /// Makes the cache what is given, creating it where it is absent.
    ///
    /// # Errors
    /// Why it cannot be written.
    fn replace(&self, cache: &CredentialCache) -> Result<(), CacheError>;

    /// Adds tickets to a cache that exists. Those that a new one takes the place of are dropped: of the same client and
    /// server, the same enctype and, for user-to-user, the same second ticket.
    ///
    /// # Errors
    /// [`CacheError::Absent`] before it was made, or why it cannot be written.
    fn store(&self, tickets: &[TicketCredential]) -> Result<(), CacheError>;

    /// Removes the cache.
    ///
    /// # Errors
    /// [`CacheError::Absent`], or why it cannot be removed.
    fn destroy(&self) -> Result<(), CacheError>;

    /// Makes the cache the principal's and empty, creating it where it is absent.
    ///
    /// # Errors
    /// Why it cannot be written.
    fn initialize(&self, principal: &Principal) -> Result<(), CacheError> {
        self.replace(&CredentialCache::new(principal.clone()))
    }

    /// The caches of the collection that this one is in, the primary one first; those that are not made yet are left out.
    /// A cache that is in none says so.
    ///
    /// # Errors
    /// [`CacheError::NoCollection`], or why the collection cannot be read.
    fn collection(&self) -> Result<Vec<Arc<dyn CacheStore>>, CacheError> {
        Err(CacheError::NoCollection)
    }

    /// Makes this cache the primary one of its collection.
    ///
    /// # Errors
    /// [`CacheError::NoCollection`], or why it cannot be done.
    fn make_primary(&self) -> Result<(), CacheError> {
        Err(CacheError::NoCollection)
    }

    /// A new cache in the same collection, under a name that none has; it exists once it is initialized.
    ///
    /// # Errors
    /// [`CacheError::NoCollection`], or why it cannot be done.
    fn sibling(&self) -> Result<Arc<dyn CacheStore>, CacheError> {
        Err(CacheError::NoCollection)
    }
}

/// Puts tickets into a cache, in the place of those that they succeed.
pub(super) fn merge(cache: &mut CredentialCache, tickets: &[TicketCredential]) {
    cache.retain(|entry| !tickets.iter().any(|ticket| succeeds(ticket, entry)));
    for ticket in tickets {
        cache.push(ticket.duplicate());
    }
}

pub(super) fn succeeds(ticket: &TicketCredential, entry: &TicketCredential) -> bool {
    ticket.server == entry.server
        && ticket.client == entry.client
        && ticket.is_skey == entry.is_skey
        && ticket.second_ticket == entry.second_ticket
        && ticket.key.enctype_id() == entry.key.enctype_id()
}
