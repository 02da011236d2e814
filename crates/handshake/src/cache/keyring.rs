//! `KEYRING` caches: in the kernel's keyrings, as MIT krb5 lays them out.
//!
//! ```text
//! anchor keyring ── "_krb_COLLECTION" (persistent: "_krb") ─┬─ "krb_ccache:primary"  version, length, name
//!                                                           ├─ "MEMBER" ─┬─ "__krb5_princ__"        principal
//!                                                           │            ├─ "__krb5_time_offsets__" seconds, microseconds
//!                                                           │            └─ "SERVER@REALM"          credential
//!                                                           └─ …
//! ```
//!
//! Source: MIT krb5's `cc_keyring.c`, whose comment documents it.
//!
//! A cache is made beside its place, in a keyring that only this process holds, and then linked into the collection, which
//! displaces the old one in one step: nobody sees half of it.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use countersign_credential::cache::TimeOffset;
use countersign_credential::{CredentialCache, Principal, TicketCredential};
use keyutils::keytypes::{BigKey, User};
use keyutils::{Key, Keyring, SpecialKeyring};
use nix::libc;
use zeroize::Zeroizing;

use super::error::{CacheError, NameProblem};
use super::name::{CacheName, KeyringAnchor, KeyringName};
use super::private_file::random_name;
use super::store::CacheStore;

const PRIMARY: &str = "krb_ccache:primary";
const PRINCIPAL: &str = "__krb5_princ__";
const TIME_OFFSETS: &str = "__krb5_time_offsets__";
const VERSION: u32 = 1;

type Result<T, E = CacheError> = core::result::Result<T, E>;

/// One cache in the kernel's keyrings.
#[derive(Debug, Clone)]
pub struct KeyringCache {
    name: KeyringName,
    member: String,
}

impl KeyringCache {
    /// The cache of the name, or the primary one of the collection that it names. A collection without a primary cache
    /// gets one, as MIT krb5 gives it one: a name, not yet a cache.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn open(name: &KeyringName) -> Result<Self> {
        let member = match &name.member {
            Some(member) => member.clone(),
            None => primary_or_new(name)?,
        };
        Ok(Self::member(name, member))
    }

    fn member(name: &KeyringName, member: String) -> Self {
        let mut name = name.clone();
        name.member = Some(member.clone());
        Self { name, member }
    }

    /// The cache's keyring, where there is one.
    fn find(&self) -> Result<(Keyring, Keyring)> {
        let collection = collection(&self.name)?;
        let cache = collection.search_for_keyring(self.member.as_str(), None);
        Ok((collection, cache.map_err(kernel)?))
    }

    fn is_legacy(&self) -> bool {
        self.name.anchor == KeyringAnchor::Legacy
    }

    /// Whether programs older than collections look for the cache in the session's keyring itself.
    fn is_linked_twice(&self) -> bool {
        self.is_legacy() && self.member == self.name.collection
    }

    fn add(&self, cache: &mut Keyring, ticket: &TicketCredential) -> Result<()> {
        let name = description(&ticket.server);
        let bytes = ticket.to_bytes()?;
        let big = match self.is_legacy() {
            true => None,
            false => match cache.add_key::<BigKey, _, _>(name.as_str(), bytes.as_slice()) {
                // The kernel was built without.
                Err(error) if matches!(error.0, libc::EINVAL | libc::ENODEV) => None,
                other => Some(other.map_err(kernel)?),
            },
        };
        let mut key = match big {
            Some(key) => key,
            None => cache
                .add_key::<User, _, _>(name.as_str(), bytes.as_slice())
                .map_err(kernel)?,
        };
        if let Some(left) = left(ticket.times.end_time) {
            // A key that stays longer than its ticket harms nobody.
            let _ = key.set_timeout(left);
        }
        Ok(())
    }
}

impl CacheStore for KeyringCache {
    fn name(&self) -> CacheName {
        CacheName::Keyring(self.name.clone())
    }

    fn load(&self) -> Result<CredentialCache> {
        let (_, ring) = self.find()?;
        let (keys, _) = links(&ring)?;
        let (mut principal, mut offset, mut tickets) = (None, None, Vec::new());
        for key in keys {
            let Some((name, bytes)) = contents(&key)? else {
                continue;
            };
            match name.as_str() {
                PRINCIPAL => principal = Some(Principal::from_bytes(&bytes)?),
                TIME_OFFSETS => offset = time_offset(&bytes),
                _ => tickets.push(TicketCredential::parse(&bytes)?),
            }
        }
        let mut cache = CredentialCache::new(principal.ok_or(CacheError::Absent)?);
        cache.set_time_offset(offset);
        for ticket in tickets {
            cache.push(ticket);
        }
        Ok(cache)
    }

    fn replace(&self, cache: &CredentialCache) -> Result<()> {
        let mut collection = collection(&self.name)?;
        let mut process = Keyring::attach_or_create(SpecialKeyring::Process).map_err(kernel)?;
        let mut holder = process
            .add_keyring(random_name()?.as_str())
            .map_err(kernel)?;
        let filled = (|| {
            let mut ring = holder.add_keyring(self.member.as_str()).map_err(kernel)?;
            let principal = cache.default_principal().to_bytes()?;
            ring.add_key::<User, _, _>(PRINCIPAL, principal.as_slice())
                .map_err(kernel)?;
            if let Some(offset) = cache.time_offset().filter(|_| !self.is_legacy()) {
                let mut bytes = Vec::from(offset.seconds.to_be_bytes());
                bytes.extend(offset.microseconds.to_be_bytes());
                ring.add_key::<User, _, _>(TIME_OFFSETS, bytes.as_slice())
                    .map_err(kernel)?;
            }
            for ticket in cache.entries() {
                self.add(&mut ring, ticket)?;
            }
            expire_with(&mut ring, cache.entries());
            collection.link_keyring(&ring).map_err(kernel)?;
            if self.is_linked_twice() {
                session()?.link_keyring(&ring).map_err(kernel)?;
            }
            Ok(())
        })();
        let _ = process.unlink_keyring(&holder);
        filled
    }

    /// A ticket takes the place of any for the same server: the kernel keeps one key of a name.
    fn store(&self, tickets: &[TicketCredential]) -> Result<()> {
        let (_, mut ring) = self.find()?;
        let before = self.load()?;
        for ticket in tickets {
            self.add(&mut ring, ticket)?;
        }
        expire_with(&mut ring, before.entries().iter().chain(tickets));
        Ok(())
    }

    fn destroy(&self) -> Result<()> {
        let (mut collection, mut ring) = self.find()?;
        ring.clear().map_err(kernel)?;
        if self.is_linked_twice() {
            // Linked there by an older program only.
            let _ = session()?.unlink_keyring(&ring);
        }
        collection.unlink_keyring(&ring).map_err(kernel)
    }

    fn collection(&self) -> Result<Vec<Arc<dyn CacheStore>>> {
        let ring = collection(&self.name)?;
        let primary = primary(&ring)?;
        let mut names = Vec::new();
        for member in links(&ring)?.1 {
            match member.description() {
                Ok(described) => names.push(described.description),
                // Gone since it was listed.
                Err(_) => continue,
            }
        }
        names.sort_unstable_by_key(|name| (Some(name) != primary.as_ref(), name.clone()));
        let member =
            |name: String| -> Arc<dyn CacheStore> { Arc::new(Self::member(&self.name, name)) };
        Ok(names.into_iter().map(member).collect())
    }

    fn make_primary(&self) -> Result<()> {
        set_primary(&mut collection(&self.name)?, &self.member)
    }

    fn sibling(&self) -> Result<Arc<dyn CacheStore>> {
        let name = format!("krb_ccache_{}", random_name()?);
        Ok(Arc::new(Self::member(&self.name, name)))
    }
}

/// The collection's keyring, made where it is absent, and possessed by this process: what hangs on the user's or the
/// persistent keyring alone would be seen but not read.
fn collection(name: &KeyringName) -> Result<Keyring> {
    let attach = |id| Keyring::attach_or_create(id).map_err(kernel);
    let (mut anchor, possess) = match name.anchor {
        KeyringAnchor::Persistent => {
            let own = nix::unistd::Uid::effective().to_string();
            if !name.collection.is_empty() && name.collection != own {
                return Err(NameProblem::Anchor.into());
            }
            let persistent = attach(SpecialKeyring::Process)?.attach_persistent();
            match persistent {
                Err(error) if error.0 == libc::EOPNOTSUPP => (attach(SpecialKeyring::User)?, true),
                other => (other.map_err(kernel)?, true),
            }
        }
        KeyringAnchor::User => (attach(SpecialKeyring::User)?, true),
        KeyringAnchor::Session | KeyringAnchor::Legacy => (session()?, false),
        KeyringAnchor::Process => (attach(SpecialKeyring::Process)?, false),
        KeyringAnchor::Thread => (attach(SpecialKeyring::Thread)?, false),
    };
    let description = match name.anchor {
        KeyringAnchor::Persistent => "_krb".to_owned(),
        _ => format!("_krb_{}", name.collection),
    };
    if !possess {
        return match anchor.search_for_keyring(description.as_str(), None) {
            Err(error) if error.0 == libc::ENOKEY => {
                anchor.add_keyring(description.as_str()).map_err(kernel)
            }
            other => other.map_err(kernel),
        };
    }
    let mut process = attach(SpecialKeyring::Process)?;
    match anchor.search_for_keyring(description.as_str(), &mut process) {
        Err(error) if error.0 == libc::ENOKEY => {
            let ring = process.add_keyring(description.as_str()).map_err(kernel)?;
            anchor.link_keyring(&ring).map_err(kernel)?;
            Ok(ring)
        }
        other => other.map_err(kernel),
    }
}

/// The session's keyring as it is: a session without one of its own has the user's, and writing to it by its special
/// number would make a new one that no other process sees.
fn session() -> Result<Keyring> {
    Keyring::attach(SpecialKeyring::Session).map_err(kernel)
}

fn primary(collection: &Keyring) -> Result<Option<String>> {
    let key = match collection.search_for_key::<User, _, _>(PRIMARY, None) {
        Err(error) if error.0 == libc::ENOKEY => return Ok(None),
        other => other.map_err(kernel)?,
    };
    let bytes = key.read().map_err(kernel)?;
    let name = bytes
        .split_first_chunk::<4>()
        .filter(|(version, _)| u32::from_be_bytes(**version) == VERSION)
        .and_then(|(_, rest)| rest.split_first_chunk::<4>())
        .and_then(|(length, rest)| rest.get(..usize::try_from(u32::from_be_bytes(*length)).ok()?))
        .and_then(|name| core::str::from_utf8(name).ok());
    name.map(|name| Some(name.to_owned()))
        .ok_or(CacheError::WrongKind)
}

fn set_primary(collection: &mut Keyring, name: &str) -> Result<()> {
    let length = u32::try_from(name.len()).map_err(|_| NameProblem::Empty)?;
    let mut bytes = Vec::from(VERSION.to_be_bytes());
    bytes.extend(length.to_be_bytes());
    bytes.extend(name.as_bytes());
    let key = collection.add_key::<User, _, _>(PRIMARY, bytes.as_slice());
    key.map(|_| ()).map_err(kernel)
}

fn primary_or_new(name: &KeyringName) -> Result<String> {
    let mut ring = collection(name)?;
    if let Some(primary) = primary(&ring)? {
        return Ok(primary);
    }
    let first = match name.collection.as_str() {
        "" => "tkt",
        collection => collection,
    };
    set_primary(&mut ring, first)?;
    Ok(first.to_owned())
}

/// The keys and keyrings in a keyring.
fn links(ring: &Keyring) -> Result<(Vec<Key>, Vec<Keyring>)> {
    // The crate panics on keys whose description has semicolons, which anybody who may write into the keyring can make.
    let listed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| ring.read()));
    listed.map_err(|_| CacheError::WrongKind)?.map_err(kernel)
}

/// The description and the payload of a key; `None` for one that has gone.
fn contents(key: &Key) -> Result<Option<(String, Zeroizing<Vec<u8>>)>> {
    let read = key
        .description()
        .and_then(|described| Ok((described.description, Zeroizing::new(key.read()?))));
    match read {
        Ok(found) => Ok(Some(found)),
        Err(error) if is_gone(error) => Ok(None),
        Err(error) => Err(kernel(error)),
    }
}

/// The name of a ticket's key: the server's, without what the kernel's listing separates its columns with.
fn description(server: &Principal) -> String {
    let name = server.to_string().replace([';', '\0'], "_");
    match name.is_empty() {
        true => "_".to_owned(),
        false => name,
    }
}

fn time_offset(bytes: &[u8]) -> Option<TimeOffset> {
    let (seconds, rest) = bytes.split_first_chunk::<4>()?;
    let (microseconds, _) = rest.split_first_chunk::<4>()?;
    Some(TimeOffset {
        seconds: i32::from_be_bytes(*seconds),
        microseconds: i32::from_be_bytes(*microseconds),
    })
}

/// How long until then, by the system's clock; a second where it has passed, nothing for times that are absent.
fn left(end_time: i64) -> Option<Duration> {
    let end = u64::try_from(end_time).ok().filter(|end| *end != 0)?;
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let left = Duration::from_secs(end).saturating_sub(now);
    Some(left.max(Duration::from_secs(1)))
}

/// The cache goes when its last ticket ends.
fn expire_with<'t>(ring: &mut Keyring, tickets: impl IntoIterator<Item = &'t TicketCredential>) {
    let ends = tickets.into_iter().map(|ticket| ticket.times.end_time);
    if let Some(left) = ends.max().and_then(left) {
        let _ = ring.set_timeout(left);
    }
}

/// Removed since it was listed, expired, or not for this process to read.
fn is_gone(error: keyutils::Error) -> bool {
    matches!(
        error.0,
        libc::ENOKEY | libc::EACCES | libc::EKEYEXPIRED | libc::EKEYREVOKED
    )
}

fn kernel(error: keyutils::Error) -> CacheError {
    match error.0 {
        libc::ENOKEY | libc::EKEYEXPIRED | libc::EKEYREVOKED => CacheError::Absent,
        code => std::io::Error::from_raw_os_error(code).into(),
    }
}
