//! What a credential is, and one more mechanism for it.

use crate::Identity;
use crate::token::oid::Oid;

use super::super::context::GSS_C_INDEFINITE;
use super::super::error::{GssError, Problem};
use super::super::mechanism::Mech;
use super::super::{Name, OidSet};
use super::{CredUsage, Credential, Sources, Wanted};

/// What [`inquire_cred`] tells.
#[derive(Debug, Clone)]
pub struct CredInfo {
    /// Whose it is; `None` for an acceptor that answers for every service of its keytab.
    pub name: Option<Name>,
    /// Seconds that it lasts, 0 once it has expired.
    pub lifetime: u32,
    /// What it is for.
    pub cred_usage: CredUsage,
    /// The mechanisms that it is for.
    pub mechanisms: OidSet,
}

/// What [`inquire_cred_by_mech`] tells.
#[derive(Debug, Clone)]
pub struct MechCredInfo {
    /// Whose it is; `None` for an acceptor that answers for every service of its keytab.
    pub name: Option<Name>,
    /// Seconds that it can initiate, 0 where it cannot.
    pub initiator_lifetime: u32,
    /// Seconds that it can accept, 0 where it cannot.
    pub acceptor_lifetime: u32,
    /// What it is for.
    pub cred_usage: CredUsage,
}

/// Seconds until the ticket-granting ticket ends; keys and passwords do not end.
pub(super) fn lifetime(credential: &Credential) -> u32 {
    let Some(client) = &credential.initiator else {
        return GSS_C_INDEFINITE;
    };
    let cache = client.tickets().to_cache(client.client());
    let Some(ticket) = cache.ticket_granting_ticket() else {
        return GSS_C_INDEFINITE;
    };
    let now = credential.provider.now().seconds();
    let now = now.saturating_add(client.tickets().time_offset());
    u32::try_from(ticket.times.end_time.saturating_sub(now).max(0)).unwrap_or(GSS_C_INDEFINITE)
}

fn name(credential: &Credential, mechanism: Option<Mech>) -> Option<Name> {
    #[cfg(feature = "ntlm")]
    if let Some(account) = &credential.account
        && (mechanism == Some(Mech::Ntlm) || credential.initiator.is_none())
    {
        let identity = crate::NtlmIdentity::Account(account.name().clone());
        return Some(Name::of(&Identity::Ntlm(identity), None));
    }
    let _ = mechanism;
    match &credential.initiator {
        Some(client) => Some(Name::of(&Identity::Kerberos(client.client().clone()), None)),
        None => credential.acceptor_name.clone(),
    }
}

/// What a credential is (RFC 2744 §5.21, `gss_inquire_cred`).
#[must_use]
pub fn inquire_cred(credential: &Credential) -> CredInfo {
    CredInfo {
        name: name(credential, None),
        lifetime: lifetime(credential),
        cred_usage: credential.usage,
        mechanisms: credential.mechanisms.clone(),
    }
}

/// What a credential is for one mechanism (RFC 2744 §5.22, `gss_inquire_cred_by_mech`).
///
/// # Errors
/// `GSS_S_BAD_MECH` where there is no such mechanism, `GSS_S_NO_CRED` where it is not for it.
pub fn inquire_cred_by_mech(
    credential: &Credential,
    mechanism: Oid<'_>,
) -> Result<MechCredInfo, GssError> {
    let mechanism = Mech::of(mechanism)?;
    if !credential.mechanisms.contains(mechanism.oid()) {
        return Err(Problem::NoCredential.into());
    }
    let lasting = |usable: bool, seconds| if usable { seconds } else { 0 };
    let initiates = credential.usage.initiates();
    let ending = match mechanism {
        #[cfg(feature = "ntlm")]
        Mech::Ntlm => GSS_C_INDEFINITE,
        _ => lifetime(credential),
    };
    Ok(MechCredInfo {
        name: name(credential, Some(mechanism)),
        initiator_lifetime: lasting(initiates, ending),
        acceptor_lifetime: lasting(credential.usage.accepts(), GSS_C_INDEFINITE),
        cred_usage: credential.usage,
    })
}

/// A credential for one more mechanism, of what its provider has (RFC 2744 §5.3, `gss_add_cred`). The
/// given one stays as it is.
///
/// # Errors
/// `GSS_S_DUPLICATE_ELEMENT` where it is for that mechanism already; as
/// [`acquire_cred`](super::acquire_cred).
pub fn add_cred(
    credential: &Credential,
    desired_name: Option<&Name>,
    desired_mech: Oid<'_>,
    cred_usage: CredUsage,
) -> Result<Credential, GssError> {
    let mechanism = Mech::of(desired_mech)?;
    if credential.mechanisms.contains(mechanism.oid()) {
        return Err(Problem::DuplicateElement.into());
    }
    let wanted = Wanted {
        name: desired_name,
        mechanisms: Some(&[mechanism.oid()].into()),
        usage: cred_usage,
    };
    let mut sources = Sources::of(&credential.provider);
    sources.initiator = credential.initiator.clone().or(sources.initiator);
    sources.acceptor = credential.acceptor.clone().or(sources.acceptor);
    #[cfg(feature = "ntlm")]
    {
        sources.account = credential.account.clone().or(sources.account);
    }
    let added = sources.assemble(&credential.provider, wanted)?.credential;
    let mut both = credential.clone();
    both.mechanisms = both.mechanisms.with(mechanism.oid());
    both.initiator = both.initiator.or(added.initiator);
    both.acceptor = both.acceptor.or(added.acceptor);
    #[cfg(feature = "ntlm")]
    {
        both.account = both.account.or(added.account);
        both.ntlm_acceptor = both.ntlm_acceptor.or(added.ntlm_acceptor);
    }
    both.acceptor_name = both.acceptor_name.or(added.acceptor_name);
    if both.usage != added.usage {
        both.usage = CredUsage::Both;
    }
    Ok(both)
}
