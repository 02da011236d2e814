//! `FILE` caches.

use std::path::{Path, PathBuf};
use std::time::Duration;

use countersign_credential::cache::Version;
use countersign_credential::{CredentialCache, TicketCredential, limits};

use super::error::CacheError;
use super::name::CacheName;
use super::private_file::{self, Change, Old, deadline};
use super::store::{CacheStore, merge};

/// A cache in one file, shared with other processes and with the C libraries.
///
/// Files are locked as MIT krb5 locks them, and replaced as a whole: readers never see half a ticket, and whatever dies
/// in the middle of writing leaves the file as it was. MIT krb5 appends to the file that it has open: a ticket that it
/// appends at the same moment as ours replace the file can be missing afterwards, and is then fetched again.
#[derive(Debug, Clone)]
pub struct FileCache {
    path: PathBuf,
    name: CacheName,
    patience: Duration,
}

impl FileCache {
    /// The cache at the path, which need not exist yet.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self {
            name: CacheName::File(path.clone()),
            path,
            patience: Duration::from_secs(10),
        }
    }

    /// Waits so long for a lock that another program holds; 10 s unless told otherwise.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The same file by the name that it has in its collection.
    pub(super) fn named(mut self, name: CacheName) -> Self {
        self.name = name;
        self
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn update(
        &self,
        old: Old,
        change: impl FnMut(Option<&[u8]>) -> Result<Change, CacheError>,
    ) -> Result<(), CacheError> {
        let deadline = deadline(self.patience);
        private_file::update(&self.path, old, limits::CACHE_BYTES, deadline, change)
    }
}

impl CacheStore for FileCache {
    fn name(&self) -> CacheName {
        self.name.clone()
    }

    fn load(&self) -> Result<CredentialCache, CacheError> {
        let deadline = deadline(self.patience);
        let bytes = private_file::read(&self.path, limits::CACHE_BYTES, deadline)?;
        Ok(CredentialCache::parse(&bytes)?)
    }

    fn replace(&self, cache: &CredentialCache) -> Result<(), CacheError> {
        let bytes = cache.to_bytes(Version::V4)?;
        self.update(Old::Skip, |_| Ok(Change::Replace(bytes.clone())))
    }

    fn store(&self, tickets: &[TicketCredential]) -> Result<(), CacheError> {
        self.update(Old::Read, |old| {
            let old = old.ok_or(CacheError::Absent)?;
            let (mut cache, version) = CredentialCache::parse_with_version(old)?;
            merge(&mut cache, tickets);
            Ok(Change::Replace(cache.to_bytes(version)?))
        })
    }

    fn destroy(&self) -> Result<(), CacheError> {
        self.update(Old::Skip, |_| Ok(Change::Remove))
    }
}
