//! Credential caches in files, folders, memory, cache servers and keyrings, and keytabs in files.
//!
//! ```
//! use countersign_handshake::cache::{CacheStore, Caches};
//! use countersign_credential::Principal;
//!
//! let caches = Caches::new();
//! let cache = caches.open(&"MEMORY:mine".parse()?)?;
//! cache.initialize(&Principal::parse("user@EXAMPLE.COM")?)?;
//! assert_eq!(cache.load()?.default_principal().to_string(), "user@EXAMPLE.COM");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | type | where | shared with |
//! |---|---|---|
//! | `FILE` | one file | every program of the user, MIT krb5 and Heimdal among them |
//! | `DIR` | a folder of files, one of them primary | the same |
//! | `MEMORY` | a [`MemoryCaches`] of this program | whoever has a clone |
//! | `KCM` | a server behind a Unix socket (SSSD's, Heimdal's) | the user's programs, as the server sees it |
//! | `KEYRING` | the Linux kernel (feature `keyring`) | what the anchor says; MIT krb5 |
//!
//! No environment variable is read but by [`CacheName::from_environment`], and nothing is global.

mod dir;
mod error;
mod file;
#[cfg(unix)]
mod kcm;
#[cfg(all(target_os = "linux", feature = "keyring"))]
mod keyring;
mod keytab;
mod lock;
mod memory;
mod name;
mod open;
mod private_file;
mod store;

pub use dir::DirCache;
pub use error::{CacheError, NameProblem};
pub use file::FileCache;
#[cfg(unix)]
pub use kcm::{KcmCache, KcmServer};
#[cfg(all(target_os = "linux", feature = "keyring"))]
pub use keyring::KeyringCache;
pub use keytab::{load_keytab, save_keytab, update_keytab};
pub use memory::{MemoryCache, MemoryCaches};
pub use name::{CacheName, KeyringAnchor, KeyringName};
pub use open::Caches;
pub use store::CacheStore;

#[cfg(test)]
mod tests;
