//! From what there is and what is wanted to a credential.

#[cfg(feature = "ntlm")]
use std::sync::Arc;

#[cfg(feature = "ntlm")]
use crate::credential::ntlm::NtlmCredential;
use crate::kerberos::AcceptorCredential;
use crate::kerberos::kdc::ClientCredential;
#[cfg(feature = "ntlm")]
use crate::ntlm;
use crate::token::oid::Oid;
use crate::{Flags, Provider};

use super::super::Name;
use super::super::error::{GssError, Problem};
use super::super::mechanism::Mech;
#[cfg(feature = "ntlm")]
use super::super::name::account_of;
use super::super::name::{acceptor_pattern, principal_of};
use super::super::oid::OidSet;
use super::{Acquired, CredUsage, Credential, inquire};

/// What there is.
#[derive(Default)]
pub(in super::super) struct Sources {
    pub(in super::super) initiator: Option<ClientCredential>,
    pub(in super::super) acceptor: Option<AcceptorCredential>,
    #[cfg(feature = "ntlm")]
    pub(in super::super) account: Option<Arc<NtlmCredential>>,
    #[cfg(feature = "ntlm")]
    pub(in super::super) ntlm_acceptor: Option<ntlm::AcceptorCredential>,
}

/// What is wanted.
#[derive(Clone, Copy)]
pub(in super::super) struct Wanted<'a> {
    pub(in super::super) name: Option<&'a Name>,
    pub(in super::super) mechanisms: Option<&'a OidSet>,
    pub(in super::super) usage: CredUsage,
}

/// Whether a name is that of an account.
#[cfg(feature = "ntlm")]
fn is_account(name: &Name, account: &crate::credential::ntlm::AccountName) -> bool {
    matches!(account_of(name), Ok(Some(wanted)) if wanted.matches(account))
}

impl Sources {
    pub(in super::super) fn of(provider: &Provider) -> Self {
        Self {
            initiator: provider.initiator().cloned(),
            acceptor: provider.acceptor().cloned(),
            #[cfg(feature = "ntlm")]
            account: provider.ntlm_initiator().cloned(),
            #[cfg(feature = "ntlm")]
            ntlm_acceptor: provider.ntlm().cloned(),
        }
    }

    pub(in super::super) fn assemble(
        self,
        provider: &Provider,
        wanted: Wanted<'_>,
    ) -> Result<Acquired, GssError> {
        let Wanted {
            name,
            mechanisms,
            usage,
        } = wanted;
        let mut failure = Problem::NoCredential;
        let mut initiator = self.initiator.filter(|_| usage.initiates());
        if let (Some(client), Some(name)) = (&initiator, name) {
            match principal_of(provider, name) {
                Ok(principal) if principal == *client.client() => {}
                Ok(_) | Err(_) => {
                    failure = Problem::CacheOfAnother;
                    initiator = None;
                }
            }
        }
        let mut acceptor = self.acceptor.filter(|_| usage.accepts());
        if let (Some(services), Some(name)) = (&acceptor, name) {
            let pattern = acceptor_pattern(provider, name)?;
            if services.principals().any(|known| pattern.matches(known)) {
                acceptor = acceptor.map(|services| services.with_services([pattern]));
            } else {
                failure = Problem::KeytabOfAnother;
                acceptor = None;
            }
        }
        let mut credential = Credential {
            provider: provider.clone(),
            usage,
            mechanisms: OidSet::new(),
            negotiable: None,
            initiator,
            acceptor,
            #[cfg(feature = "ntlm")]
            account: self.account.filter(|account| {
                usage.initiates() && name.is_none_or(|name| is_account(name, account.name()))
            }),
            #[cfg(feature = "ntlm")]
            ntlm_acceptor: self.ntlm_acceptor.filter(|_| usage.accepts()),
            acceptor_name: name.filter(|_| usage.accepts()).cloned(),
            required: Flags::NONE,
            constrained: false,
        };
        // The others are GSS_C_MA_NOT_DFLT_MECH: IAKERB has acceptors talk to KDCs for strangers.
        let default = [Oid::KERBEROS, Oid::SPNEGO].into();
        let mut wanted = Vec::new();
        for oid in mechanisms.unwrap_or(&default).iter() {
            wanted.push(Mech::of(oid)?);
        }
        credential.mechanisms = wanted.iter().map(|mechanism| mechanism.oid()).collect();
        let served = wanted.into_iter().filter(|mechanism| {
            (!usage.initiates() || credential.serves(*mechanism, true))
                && (!usage.accepts() || credential.serves(*mechanism, false))
        });
        let actual: OidSet = served.map(Mech::oid).collect();
        if actual.is_empty() {
            return Err(failure.into());
        }
        credential.mechanisms = actual.clone();
        let time_rec = inquire::lifetime(&credential);
        if time_rec == 0 {
            return Err(Problem::CredentialExpired.into());
        }
        Ok(Acquired {
            time_rec,
            credential,
            actual_mechs: actual,
        })
    }
}
