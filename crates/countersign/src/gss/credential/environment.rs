//! What C programs get without asking for it: the one function of this face that looks at the
//! environment.

use std::sync::Arc;

use crate::Provider;
use crate::handshake::cache::{CacheError, CacheName, Caches, load_keytab};
use crate::handshake::configuration;
use crate::handshake::kdc::{ConfiguredKdcs, KdcClient};

use super::super::error::GssError;
use super::super::{Name, OidSet};
use super::store::{of_cache, of_keytab};
use super::{Acquired, CredUsage, Sources, Wanted};

/// A credential of this process's surroundings, as `gss_acquire_cred` of C has it:
///
/// | variable | otherwise | what is read |
/// |---|---|---|
/// | `KRB5_CONFIG` | `/etc/krb5.conf` | KDCs, realms, policy |
/// | `KRB5CCNAME` | `default_ccache_name`, `FILE:/tmp/krb5cc_` and the user's number | the initiator's tickets |
/// | `KRB5_CLIENT_KTNAME` | `default_client_keytab_name` | the initiator's keys, where there is no such cache |
/// | `KRB5_KTNAME` | `default_keytab_name`, `/etc/krb5.keytab` | the acceptor's keys |
///
/// Keep the credential: each call reads all of it again, and begins a replay cache of its own.
///
/// # Errors
/// As [`acquire_cred`](super::acquire_cred); what is wrong with the files.
pub fn acquire_cred_from_environment(
    desired_name: Option<&Name>,
    time_req: u32,
    desired_mechs: Option<&OidSet>,
    cred_usage: CredUsage,
) -> Result<Acquired, GssError> {
    let _ = time_req;
    let conf = Arc::new(configuration::load_from_environment()?);
    let settings = conf.libdefaults()?;
    let kdcs = KdcClient::new(ConfiguredKdcs::new(Arc::clone(&conf)));
    let provider = Provider::new()
        .with_kdc_client(configuration::kdc_client(kdcs, &settings))
        .with_policy(configuration::policy(&settings))
        .with_configuration(Arc::clone(&conf));

    let mut sources = Sources::of(&provider);
    if cred_usage.initiates() {
        let cache = Caches::new().open(&CacheName::from_environment(&conf)?)?;
        sources.initiator = Some(match cache.load() {
            Err(CacheError::Absent) => {
                let path = configuration::client_keytab_from_environment(&conf)?;
                match load_keytab(path) {
                    // The cache is what is missed.
                    Err(CacheError::Absent) => return Err(CacheError::Absent.into()),
                    keytab => of_keytab(&provider, desired_name, &keytab?)?,
                }
            }
            tickets => of_cache(&provider, &tickets?)?,
        });
    }
    if cred_usage.accepts() {
        let keytab = load_keytab(configuration::keytab_from_environment(&conf)?)?;
        sources.acceptor = Some(crate::kerberos::AcceptorCredential::new(&keytab));
    }
    let wanted = Wanted {
        name: desired_name,
        mechanisms: desired_mechs,
        usage: cred_usage,
    };
    sources.assemble(&provider, wanted)
}
