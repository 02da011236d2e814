//! Clients for whom a service asks: MS-SFU.
//!
//! ```text
//!   the service's own credential ── acquire_cred_impersonate_name ──▶ a user, who was never here    S4U2self
//!                                ── acquire_cred_with_evidence ─────▶ a user, who showed a ticket    S4U2proxy
//!                                ── delegate_constrained, accept_sec_context ─▶ the same, of a context
//!                                                                         │
//!                                             init_sec_context to another service: S4U2proxy
//! ```

use std::sync::Arc;

use crate::credential::TicketCredential;
use crate::kerberos::kdc::{Acquisition, ClientCredential, Target};

use super::super::error::{GssError, Problem};
use super::super::name::principal_of;
use super::super::{Name, OidSet};
use super::acquire::run;
use super::{Acquired, CredUsage, Credential, Sources, Wanted};

/// A credential of a user for whom a service asks (`gss_acquire_cred_impersonate_name`). The ticket
/// for the service itself is fetched at once (S4U2self, MS-SFU §3.1.5.1), so that a KDC which does
/// not permit it is heard here; tickets for others are fetched when contexts with them begin
/// (S4U2proxy).
///
/// # Errors
/// As [`acquire_cred`](super::acquire_cred); what the KDC says; `GSS_S_NO_CRED` where the service
/// cannot initiate; `GSS_S_UNAVAILABLE` for another usage than [`CredUsage::Initiate`].
pub fn acquire_cred_impersonate_name(
    impersonator_cred: &Credential,
    desired_name: &Name,
    time_req: u32,
    desired_mechs: Option<&OidSet>,
    cred_usage: CredUsage,
) -> Result<Acquired, GssError> {
    let _ = time_req;
    let provider = &impersonator_cred.provider;
    let service = impersonator(impersonator_cred, cred_usage)?;
    let user = principal_of(provider, desired_name)?;
    let client = ClientCredential::on_behalf_of(service, user);
    let to_itself = Acquisition::new(&client, Target::from(service.client()));
    run(provider, to_itself)?;
    finish(impersonator_cred, client, desired_mechs)
}

/// A credential of the user whose ticket for the service is `evidence`, to reach other services with
/// (S4U2proxy, MS-SFU §3.1.5.2).
///
/// # Errors
/// As [`acquire_cred`](super::acquire_cred); `GSS_S_NO_CRED` where the service cannot initiate.
pub fn acquire_cred_with_evidence(
    impersonator_cred: &Credential,
    evidence: impl Into<Arc<TicketCredential>>,
    desired_mechs: Option<&OidSet>,
) -> Result<Acquired, GssError> {
    let service = impersonator(impersonator_cred, CredUsage::Initiate)?;
    let client = ClientCredential::with_evidence(service, evidence);
    finish(impersonator_cred, client, desired_mechs)
}

fn impersonator(
    credential: &Credential,
    cred_usage: CredUsage,
) -> Result<&ClientCredential, GssError> {
    if cred_usage != CredUsage::Initiate {
        return Err(Problem::Unavailable.into());
    }
    if !credential.usage.initiates() {
        return Err(Problem::Usage.into());
    }
    Ok(credential.initiator.as_ref().ok_or(Problem::NoCredential)?)
}

fn finish(
    impersonator: &Credential,
    client: ClientCredential,
    mechanisms: Option<&OidSet>,
) -> Result<Acquired, GssError> {
    let sources = Sources {
        initiator: Some(client),
        ..Sources::default()
    };
    let wanted = Wanted {
        name: None,
        mechanisms,
        usage: CredUsage::Initiate,
    };
    sources.assemble(&impersonator.provider, wanted)
}
