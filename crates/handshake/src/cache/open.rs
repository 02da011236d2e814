//! From a name to a cache.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::dir::DirCache;
use super::error::CacheError;
#[cfg(not(all(unix, target_os = "linux", feature = "keyring")))]
use super::error::NameProblem;
use super::file::FileCache;
use super::memory::MemoryCaches;
use super::name::CacheName;
use super::store::CacheStore;

/// Where KCM servers listen.
const KCM_SOCKET: &str = "/var/run/.heim_org.h5l.kcm-socket";

/// Opens caches by their names, with what names do not say.
#[derive(Debug, Clone)]
pub struct Caches {
    memory: MemoryCaches,
    kcm_socket: PathBuf,
    patience: Duration,
}

impl Caches {
    /// With no `MEMORY` cache yet, the usual socket of KCM servers, and 10 s of patience.
    #[must_use]
    pub fn new() -> Self {
        Self {
            memory: MemoryCaches::new(),
            kcm_socket: KCM_SOCKET.into(),
            patience: Duration::from_secs(10),
        }
    }

    /// The caches that `MEMORY:` names mean.
    #[must_use]
    pub fn memory(mut self, memory: MemoryCaches) -> Self {
        self.memory = memory;
        self
    }

    /// Where the KCM server listens; `kcm_socket` of krb5.conf.
    #[must_use]
    pub fn kcm_socket(mut self, path: impl Into<PathBuf>) -> Self {
        self.kcm_socket = path.into();
        self
    }

    /// How long one operation waits for a lock or for the KCM server.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The cache of the name; for a collection's name its primary cache. It need not exist yet.
    ///
    /// # Errors
    /// [`CacheError::Name`] where this build has no such type, or why the collection cannot be asked for its primary.
    pub fn open(&self, name: &CacheName) -> Result<Arc<dyn CacheStore>, CacheError> {
        Ok(match name {
            CacheName::File(path) => Arc::new(FileCache::new(path).patience(self.patience)),
            CacheName::Dir(folder) => {
                Arc::new(DirCache::primary_within(folder.clone(), self.patience)?)
            }
            CacheName::DirMember(path) => Arc::new(DirCache::member_within(path, self.patience)?),
            CacheName::Memory(name) => Arc::new(self.memory.cache(name)),
            #[cfg(unix)]
            CacheName::Kcm(name) => {
                let server = super::kcm::KcmServer::new(&self.kcm_socket).patience(self.patience);
                match name {
                    Some(name) => Arc::new(server.cache(name)),
                    None => Arc::new(server.primary()?),
                }
            }
            #[cfg(not(unix))]
            CacheName::Kcm(_) => return Err(NameProblem::Unsupported.into()),
            #[cfg(all(target_os = "linux", feature = "keyring"))]
            CacheName::Keyring(name) => Arc::new(super::keyring::KeyringCache::open(name)?),
            #[cfg(not(all(target_os = "linux", feature = "keyring")))]
            CacheName::Keyring(_) => return Err(NameProblem::Unsupported.into()),
        })
    }
}

impl Default for Caches {
    fn default() -> Self {
        Self::new()
    }
}
