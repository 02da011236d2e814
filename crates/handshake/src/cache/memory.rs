//! `MEMORY` caches.

use core::fmt;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use countersign_credential::cache::Version;
use countersign_credential::{CredentialCache, TicketCredential};
use zeroize::Zeroizing;

use super::error::CacheError;
use super::name::CacheName;
use super::private_file::random_name;
use super::store::{CacheStore, merge};

/// Caches in this process's memory, by name. Clones share them; there are none but those of such an object, and they go
/// with the last clone.
#[derive(Clone, Default)]
pub struct MemoryCaches {
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    caches: BTreeMap<String, Zeroizing<Vec<u8>>>,
    primary: Option<String>,
}

impl MemoryCaches {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The cache of the name, which need not exist yet.
    #[must_use]
    pub fn cache(&self, name: impl Into<String>) -> MemoryCache {
        MemoryCache {
            caches: self.clone(),
            name: name.into(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        // Nothing under the lock leaves a cache half changed.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemoryCaches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.lock().caches.keys()).finish()
    }
}

/// One cache in memory.
#[derive(Debug, Clone)]
pub struct MemoryCache {
    caches: MemoryCaches,
    name: String,
}

impl CacheStore for MemoryCache {
    fn name(&self) -> CacheName {
        CacheName::Memory(self.name.clone())
    }

    fn load(&self) -> Result<CredentialCache, CacheError> {
        let shared = self.caches.lock();
        let bytes = shared.caches.get(&self.name).ok_or(CacheError::Absent)?;
        Ok(CredentialCache::parse(bytes)?)
    }

    fn replace(&self, cache: &CredentialCache) -> Result<(), CacheError> {
        let bytes = cache.to_bytes(Version::V4)?;
        self.caches.lock().caches.insert(self.name.clone(), bytes);
        Ok(())
    }

    fn store(&self, tickets: &[TicketCredential]) -> Result<(), CacheError> {
        let mut shared = self.caches.lock();
        let bytes = shared
            .caches
            .get_mut(&self.name)
            .ok_or(CacheError::Absent)?;
        let mut cache = CredentialCache::parse(bytes)?;
        merge(&mut cache, tickets);
        *bytes = cache.to_bytes(Version::V4)?;
        Ok(())
    }

    fn destroy(&self) -> Result<(), CacheError> {
        let mut shared = self.caches.lock();
        shared.caches.remove(&self.name).ok_or(CacheError::Absent)?;
        if shared.primary.as_ref() == Some(&self.name) {
            shared.primary = None;
        }
        Ok(())
    }

    fn collection(&self) -> Result<Vec<Arc<dyn CacheStore>>, CacheError> {
        let shared = self.caches.lock();
        let mut names: Vec<&String> = shared.caches.keys().collect();
        names.sort_by_key(|name| Some(*name) != shared.primary.as_ref());
        let member = |name: &String| -> Arc<dyn CacheStore> { Arc::new(self.caches.cache(name)) };
        Ok(names.into_iter().map(member).collect())
    }

    fn make_primary(&self) -> Result<(), CacheError> {
        self.caches.lock().primary = Some(self.name.clone());
        Ok(())
    }

    fn sibling(&self) -> Result<Arc<dyn CacheStore>, CacheError> {
        Ok(Arc::new(self.caches.cache(random_name()?)))
    }
}
