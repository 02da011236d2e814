//! Credentials from a provider, and by password.

#[cfg(feature = "ntlm")]
use std::sync::Arc;

use crate::credential::Password;
#[cfg(feature = "ntlm")]
use crate::credential::ntlm::NtlmCredential;
use crate::handshake::configuration;
use crate::kerberos::kdc::{Acquisition, ClientCredential, Exchange, ExchangeStep, KdcAnswer};
use crate::token::oid::Oid;
use crate::{Error, Provider};

use super::super::Name;
use super::super::error::{GssError, Problem};
use super::super::mechanism::Mech;
use super::super::name::principal_of;
use super::super::oid::OidSet;
use super::{Acquired, CredUsage, Sources, Wanted};

/// A credential of what the provider has (RFC 2744 §5.2, `gss_acquire_cred`). Nobody is asked.
///
/// `desired_name` `None` is whoever the provider's client is, and every service of its keytab; a
/// service without a host is that service on every host. For NTLM the client is
/// [`Provider::with_ntlm_initiator`]'s, where that is who is named. `time_req` is not honoured, as tickets last
/// as long as their KDC says. `desired_mechs` `None` is Kerberos and SPNEGO.
///
/// # Errors
/// `GSS_S_BAD_MECH`, `GSS_S_BAD_NAME`; `GSS_S_NO_CRED` where the provider has nothing of the kind;
/// `GSS_S_CREDENTIALS_EXPIRED`.
pub fn acquire_cred(
    provider: &Provider,
    desired_name: Option<&Name>,
    time_req: u32,
    desired_mechs: Option<&OidSet>,
    cred_usage: CredUsage,
) -> Result<Acquired, GssError> {
    let _ = time_req;
    let wanted = Wanted {
        name: desired_name,
        mechanisms: desired_mechs,
        usage: cred_usage,
    };
    Sources::of(provider).assemble(provider, wanted)
}

/// A client's credential by its password (`gss_acquire_cred_with_password`), to be used with the
/// provider's KDCs, configuration and policy.
///
/// For Kerberos the ticket-granting ticket is fetched at once, so that a wrong password is told here.
/// It is not where IAKERB alone is wanted, which has no KDC, nor where NTLM is wanted too and the KDC
/// cannot be reached.
///
/// # Errors
/// As [`acquire_cred`]; what the KDC says of the client; `GSS_S_UNAVAILABLE` for another usage than
/// [`CredUsage::Initiate`].
pub fn acquire_cred_with_password(
    provider: &Provider,
    desired_name: &Name,
    password: impl Into<Password>,
    time_req: u32,
    desired_mechs: Option<&OidSet>,
    cred_usage: CredUsage,
) -> Result<Acquired, GssError> {
    let _ = time_req;
    if cred_usage != CredUsage::Initiate {
        return Err(Problem::Unavailable.into());
    }
    let password = password.into();
    let names = |oid| desired_mechs.is_none_or(|set| set.contains(oid));
    let wants_ntlm = desired_mechs.is_some_and(|set| set.contains(Oid::NTLMSSP));
    // `DOMAIN\user` is an account of NTLM, where that is wanted, and no principal.
    let wants_kerberos = !(wants_ntlm && desired_name.to_string().contains('\\'))
        && Mech::ALL
            .iter()
            .any(|mechanism| mechanism.oid() != Oid::NTLMSSP && names(mechanism.oid()));
    let asks_kdc = names(Oid::KERBEROS) || names(Oid::MS_KERBEROS) || names(Oid::SPNEGO);

    let mut sources = Sources::default();
    #[cfg(feature = "ntlm")]
    if wants_ntlm && let Some(account) = super::super::name::account_of(desired_name)? {
        let credential = NtlmCredential::with_password(account, &password);
        sources.account = Some(Arc::new(credential));
    }
    if wants_kerberos {
        match principal_of(provider, desired_name) {
            Ok(principal) => {
                let client = ClientCredential::password(principal, password);
                let client = configured(provider, client)?;
                if asks_kdc {
                    match run(provider, Acquisition::ticket_granting_ticket(&client)) {
                        Ok(_) => {}
                        Err(error) if wants_ntlm && is_unreachable(&error) => {}
                        Err(error) => return Err(error.into()),
                    }
                }
                sources.initiator = Some(client);
            }
            // An account without a realm.
            Err(_) if wants_ntlm => {}
            Err(error) => return Err(error),
        }
    }
    // The client is who was named; its canonical name may be another.
    let wanted = Wanted {
        name: None,
        mechanisms: desired_mechs,
        usage: cred_usage,
    };
    sources.assemble(provider, wanted)
}

fn is_unreachable(error: &Error) -> bool {
    error.kind() == crate::ErrorKind::Kdc(crate::context::KdcProblem::Unreachable)
}

/// What `krb5.conf` says of tickets.
pub(super) fn configured(
    provider: &Provider,
    client: ClientCredential,
) -> Result<ClientCredential, GssError> {
    let conf = provider.configuration();
    let settings = conf.libdefaults_for(client.client().realm())?;
    Ok(client
        .options(configuration::ticket_options(&settings))
        .paths(configuration::realm_paths(conf)))
}

/// Runs an exchange with the provider's KDCs.
pub(in super::super) fn run<E: Exchange>(
    provider: &Provider,
    mut exchange: E,
) -> Result<E::Output, Error> {
    let mut answer = None;
    loop {
        match provider.with_environment(|env| exchange.step(answer.take(), env))? {
            ExchangeStep::Done(output) => return Ok(output),
            ExchangeStep::Send(request) => {
                answer = Some(match provider.kdc_client() {
                    Some(client) => client.answer(&request, None),
                    None => KdcAnswer::Unreachable,
                });
            }
        }
    }
}
