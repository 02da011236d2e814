//! Credential stores: where credentials are, by name (`gss_acquire_cred_from`, `gss_store_cred_into`).
//!
//! | key | value |
//! |---|---|
//! | `ccache` | the initiator's tickets: `FILE:`, `DIR:`, `KEYRING:`, `KCM:`, `MEMORY:` and a name |
//! | `client_keytab` | the initiator's keys: a path. Used where `ccache` has nothing that is still good |
//! | `password` | the initiator's password; the name must be given |
//! | `nt_hash` | the initiator's NT hash in hexadecimal, for NTLM; the name must be given |
//! | `keytab` | the acceptor's keys: a path |
//! | `rcache` | `dfl:`, a replay cache of this process, or `none:`, nothing, which is dangerous |

use crate::Provider;
use crate::credential::Keytab;
use crate::crypto::Zeroizing;
use crate::handshake::cache::{CacheError, CacheName, Caches, load_keytab};
use crate::handshake::configuration::keytab_path;
use crate::kerberos::kdc::ClientCredential;
use crate::kerberos::{AcceptorCredential, ReplayProtection};
use crate::token::oid::Oid;

use super::super::error::{GssError, Problem};
use super::super::mechanism::Mech;
use super::super::name::principal_of;
use super::super::{Name, OidSet};
use super::acquire::configured;
use super::{Acquired, CredUsage, Credential, Sources, Wanted};

/// Keys and values that say where credentials are (`gss_key_value_set_desc`). The values are wiped when
/// it is dropped, as passwords are among them.
///
/// ```
/// use countersign::gss::CredStore;
///
/// let store = CredStore::new()
///     .with("ccache", "FILE:/run/user/1000/krb5cc")
///     .with("keytab", "/etc/krb5.keytab");
/// assert_eq!(store.value("keytab"), Some("/etc/krb5.keytab"));
/// ```
#[derive(Default)]
pub struct CredStore {
    entries: Vec<(String, Zeroizing<String>)>,
    caches: Option<Caches>,
}

impl CredStore {
    /// Nothing is named.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Names one more.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.entries
            .push((key.into(), Zeroizing::new(value.into())));
        self
    }

    /// What `MEMORY:` and `KCM:` mean.
    #[must_use]
    pub fn caches(mut self, caches: Caches) -> Self {
        self.caches = Some(caches);
        self
    }

    /// The value of a key.
    #[must_use]
    pub fn value(&self, key: &str) -> Option<&str> {
        let found = self.entries.iter().find(|(name, _)| name == key);
        found.map(|(_, value)| value.as_str())
    }

    fn check(&self) -> Result<(), GssError> {
        const KEYS: [&str; 6] = [
            "ccache",
            "client_keytab",
            "password",
            "nt_hash",
            "keytab",
            "rcache",
        ];
        for (index, (key, _)) in self.entries.iter().enumerate() {
            if !KEYS.contains(&key.as_str()) {
                return Err(Problem::StoreKey.into());
            }
            let before = self.entries.iter().take(index);
            if before.map(|(name, _)| name).any(|name| name == key) {
                return Err(Problem::StoreConflict.into());
            }
        }
        let secret = self.value("password").is_some() || self.value("nt_hash").is_some();
        let tickets = self.value("ccache").is_some() || self.value("client_keytab").is_some();
        if secret && tickets {
            return Err(Problem::StoreConflict.into());
        }
        Ok(())
    }

    fn open(
        &self,
        name: &str,
    ) -> Result<std::sync::Arc<dyn crate::handshake::cache::CacheStore>, GssError> {
        let caches = self.caches.clone().unwrap_or_default();
        Ok(caches.open(&CacheName::parse(name)?)?)
    }
}

/// Passwords are not printed.
impl core::fmt::Debug for CredStore {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let keys = self.entries.iter().map(|(key, _)| key);
        f.debug_list().entries(keys).finish()
    }
}

/// A credential from a store (`gss_acquire_cred_from`), to be used with the provider's KDCs,
/// configuration and policy; what the store does not name is the provider's.
///
/// # Errors
/// As [`acquire_cred`](super::acquire_cred); why a cache or a keytab cannot be read;
/// `GSS_S_UNAVAILABLE` for keys that no store has.
pub fn acquire_cred_from(
    provider: &Provider,
    desired_name: Option<&Name>,
    time_req: u32,
    desired_mechs: Option<&OidSet>,
    cred_usage: CredUsage,
    cred_store: &CredStore,
) -> Result<Acquired, GssError> {
    cred_store.check()?;
    if let Some(password) = cred_store.value("password") {
        let name = desired_name.ok_or(Problem::StoreConflict)?;
        return super::acquire_cred_with_password(
            provider,
            name,
            password,
            time_req,
            desired_mechs,
            cred_usage,
        );
    }
    let mut sources = Sources::of(provider);
    if cred_usage.initiates()
        && let Some(client) = client(provider, desired_name, cred_store)?
    {
        sources.initiator = Some(client);
    }
    #[cfg(feature = "ntlm")]
    if let Some(hash) = cred_store.value("nt_hash") {
        let name = desired_name.ok_or(Problem::StoreConflict)?;
        let account = super::super::name::account_of(name)?.ok_or(Problem::MalformedName)?;
        let hash = nt_hash(hash).ok_or(Problem::StoreConflict)?;
        let credential = crate::credential::ntlm::NtlmCredential::with_nt_hash(account, hash);
        sources.account = Some(std::sync::Arc::new(credential));
    }
    if cred_usage.accepts()
        && let Some(path) = cred_store.value("keytab")
    {
        let mut services = AcceptorCredential::new(&load_keytab(keytab_path(path)?)?);
        match cred_store.value("rcache") {
            None | Some("dfl:") => {}
            Some("none:") => {
                services = services.with_replay_protection(ReplayProtection::DangerouslyOff);
            }
            Some(_) => return Err(Problem::StoreKey.into()),
        }
        sources.acceptor = Some(services);
    }
    let wanted = Wanted {
        name: desired_name,
        mechanisms: desired_mechs,
        usage: cred_usage,
    };
    sources.assemble(provider, wanted)
}

#[cfg(feature = "ntlm")]
fn nt_hash(text: &str) -> Option<crate::crypto::ntlm::NtHash> {
    let digits = text.as_bytes().as_chunks::<2>().0;
    let mut bytes = crate::crypto::Zeroizing::new([0; 16]);
    if text.len() != 32 {
        return None;
    }
    for (byte, digits) in bytes.iter_mut().zip(digits) {
        *byte = u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(crate::crypto::ntlm::NtHash::new(*bytes))
}

/// The client that the store names.
fn client(
    provider: &Provider,
    desired_name: Option<&Name>,
    store: &CredStore,
) -> Result<Option<ClientCredential>, GssError> {
    let keytab = store.value("client_keytab").map(keytab_path).transpose()?;
    let from_keytab = || -> Result<Option<ClientCredential>, GssError> {
        let Some(path) = &keytab else { return Ok(None) };
        of_keytab(provider, desired_name, &load_keytab(path)?).map(Some)
    };
    let Some(name) = store.value("ccache") else {
        return from_keytab();
    };
    let tickets = match store.open(name)?.load() {
        Err(CacheError::Absent) if keytab.is_some() => return from_keytab(),
        loaded => loaded?,
    };
    match of_cache(provider, &tickets) {
        Err(_) if keytab.is_some() => from_keytab(),
        client => client.map(Some),
    }
}

/// The client of a cache, where there is a ticket that is still good.
pub(super) fn of_cache(
    provider: &Provider,
    cache: &crate::credential::CredentialCache,
) -> Result<ClientCredential, GssError> {
    let now = provider.now().seconds();
    let mut ends = cache.credentials().map(|ticket| ticket.times.end_time);
    if cache.credentials().next().is_none() {
        return Err(Problem::TicketMissing.into());
    }
    if ends.all(|end| end <= now) {
        return Err(Problem::CredentialExpired.into());
    }
    configured(provider, ClientCredential::cache(cache, now))
}

/// The client of a keytab: who is wanted, or else the first principal in it, as with MIT krb5.
pub(super) fn of_keytab(
    provider: &Provider,
    desired_name: Option<&Name>,
    keytab: &Keytab,
) -> Result<ClientCredential, GssError> {
    let principal = match desired_name {
        Some(name) => principal_of(provider, name)?,
        None => {
            let first = keytab.principals().next().cloned();
            first.ok_or(Problem::KeytabOfAnother)?
        }
    };
    configured(provider, ClientCredential::keytab(principal, keytab)?)
}

/// Writes a credential's tickets into the `ccache` of a store (`gss_store_cred_into`), and tells for
/// which mechanisms that was done.
///
/// `overwrite_cred` replaces what is there; `default_cred` makes it the primary cache of its
/// collection, where it is in one. Passwords and keys are never written.
///
/// # Errors
/// `GSS_S_DUPLICATE_ELEMENT` where there is a cache and it is not to be overwritten; `GSS_S_NO_CRED`
/// for a credential without tickets; `GSS_S_UNAVAILABLE` for another mechanism than Kerberos, and for
/// keys that no store has; why the cache cannot be written.
pub fn store_cred_into(
    credential: &Credential,
    desired_mech: Option<Oid<'_>>,
    overwrite_cred: bool,
    default_cred: bool,
    cred_store: &CredStore,
) -> Result<OidSet, GssError> {
    cred_store.check()?;
    match Mech::of(desired_mech.unwrap_or(Oid::KERBEROS))? {
        Mech::Krb5 | Mech::Spnego => {}
        _ => return Err(Problem::Unavailable.into()),
    }
    let client = credential.initiator.as_ref().ok_or(Problem::NoCredential)?;
    let cache = client.tickets().to_cache(client.client());
    if cache.credentials().next().is_none() {
        return Err(Problem::TicketMissing.into());
    }
    let name = cred_store.value("ccache").ok_or(Problem::StoreKey)?;
    let store = cred_store.open(name)?;
    if !overwrite_cred && !matches!(store.load(), Err(CacheError::Absent)) {
        return Err(Problem::DuplicateElement.into());
    }
    store.replace(&cache)?;
    if default_cred {
        match store.make_primary() {
            Err(CacheError::NoCollection) => {}
            made => made?,
        }
    }
    Ok([Oid::KERBEROS].into())
}
