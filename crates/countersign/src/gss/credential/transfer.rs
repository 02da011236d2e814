//! Credentials that go to another process (`gss_export_cred`, `gss_import_cred`).
//!
//! What travels is the initiator's tickets, as a credential cache of version 4: what another process
//! can use without this one's passwords, keys and replay cache, which stay here.

use crate::Provider;
use crate::credential::CredentialCache;
use crate::credential::cache::Version;
use crate::crypto::Zeroizing;
use crate::token::oid::Oid;

use super::super::error::{GssError, Problem};
use super::store::of_cache;
use super::{CredUsage, Credential, Sources, Wanted};

/// The tickets of a credential (`gss_export_cred`).
///
/// **The bytes contain the tickets' session keys.** Hand them over as you would a private key.
///
/// # Errors
/// `GSS_S_UNAVAILABLE` for a credential that is to accept, or of NTLM, as keys are not given away;
/// `GSS_S_NO_CRED` for one without tickets.
pub fn export_cred(credential: &Credential) -> Result<Zeroizing<Vec<u8>>, GssError> {
    if credential.usage.accepts() || credential.mechanisms.contains(Oid::NTLMSSP) {
        return Err(Problem::Unavailable.into());
    }
    let client = credential.initiator.as_ref().ok_or(Problem::NoCredential)?;
    let cache = client.tickets().to_cache(client.client());
    if cache.credentials().next().is_none() {
        return Err(Problem::TicketMissing.into());
    }
    Ok(cache.to_bytes(Version::V4)?)
}

/// A credential of tickets that were exported (`gss_import_cred`), to be used with the provider's KDCs,
/// configuration and policy. It is for Kerberos and SPNEGO.
///
/// # Errors
/// `GSS_S_DEFECTIVE_CREDENTIAL` for other bytes; `GSS_S_CREDENTIALS_EXPIRED`.
pub fn import_cred(provider: &Provider, exported: &[u8]) -> Result<Credential, GssError> {
    let cache = CredentialCache::parse(exported)?;
    let sources = Sources {
        initiator: Some(of_cache(provider, &cache)?),
        ..Sources::default()
    };
    let wanted = Wanted {
        name: None,
        mechanisms: None,
        usage: CredUsage::Initiate,
    };
    Ok(sources.assemble(provider, wanted)?.credential)
}
