//! Credentials: what a side authenticates with.
//!
//! ```text
//!   acquire_cred                    what the provider has
//!   acquire_cred_with_password      a client by its password, at once
//!   acquire_cred_from               a credential store: names of caches and keytabs
//!   acquire_cred_from_environment   as C does it without being told: KRB5CCNAME, KRB5_KTNAME, KRB5_CONFIG
//!   acquire_cred_impersonate_name   a client for whom a service asks (S4U2self and S4U2proxy)
//!   accept_sec_context              what the initiator delegated, or its ticket permits (S4U2proxy)
//!                                        │
//!                                        ▼
//!                     Credential ── add_cred, set_neg_mechs, inquire_cred
//! ```

mod acquire;
mod assemble;
mod environment;
mod impersonate;
mod inquire;
mod store;
mod transfer;

#[cfg(feature = "ntlm")]
use std::sync::Arc;

#[cfg(feature = "ntlm")]
use crate::credential::ntlm::NtlmCredential;
use crate::kerberos::AcceptorCredential;
use crate::kerberos::kdc::ClientCredential;
#[cfg(feature = "ntlm")]
use crate::ntlm;
use crate::{Flags, Provider};

use super::error::{GssError, Problem};
use super::mechanism::Mech;
use super::oid::OidSet;

pub use acquire::{acquire_cred, acquire_cred_with_password};
pub(super) use assemble::{Sources, Wanted};
pub use environment::acquire_cred_from_environment;
pub use impersonate::{acquire_cred_impersonate_name, acquire_cred_with_evidence};
pub use inquire::{CredInfo, MechCredInfo, add_cred, inquire_cred, inquire_cred_by_mech};

pub use store::{CredStore, acquire_cred_from, store_cred_into};
pub use transfer::{export_cred, import_cred};

/// What a credential is for (`gss_cred_usage_t`), with the numbers of `gssapi.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum CredUsage {
    /// `GSS_C_BOTH`: to initiate and to accept.
    Both = 0,
    /// `GSS_C_INITIATE`.
    Initiate = 1,
    /// `GSS_C_ACCEPT`.
    Accept = 2,
}

impl CredUsage {
    pub(super) fn initiates(self) -> bool {
        self != Self::Accept
    }

    pub(super) fn accepts(self) -> bool {
        self != Self::Initiate
    }
}

/// A credential (`gss_cred_id_t`). Clones are cheap and share tickets, keys and the replay cache; drop
/// it to release it.
#[derive(Debug, Clone)]
pub struct Credential {
    pub(super) provider: Provider,
    pub(super) usage: CredUsage,
    pub(super) mechanisms: OidSet,
    pub(super) negotiable: Option<OidSet>,
    pub(super) initiator: Option<ClientCredential>,
    pub(super) acceptor: Option<AcceptorCredential>,
    #[cfg(feature = "ntlm")]
    pub(super) account: Option<Arc<NtlmCredential>>,
    #[cfg(feature = "ntlm")]
    pub(super) ntlm_acceptor: Option<ntlm::AcceptorCredential>,
    pub(super) acceptor_name: Option<super::Name>,
    pub(super) required: Flags,
    /// Contexts that it accepts give a credential for S4U2proxy.
    pub(super) constrained: bool,
}

/// A credential that was acquired, and what came of it.
#[derive(Debug, Clone)]
pub struct Acquired {
    /// The credential.
    pub credential: Credential,
    /// The mechanisms that it is for.
    pub actual_mechs: OidSet,
    /// Seconds that it lasts; [`GSS_C_INDEFINITE`](super::GSS_C_INDEFINITE) where it does not expire
    /// or no ticket was fetched yet.
    pub time_rec: u32,
}

impl Credential {
    /// Ends contexts in which one of these flags is not granted. `req_flags` only ask: what they did
    /// not get shows in `ret_flags`, which a program can forget to look at.
    #[must_use]
    pub fn require(mut self, flags: Flags) -> Self {
        self.required |= flags;
        self
    }

    /// Has [`accept_sec_context`](super::accept_sec_context) give a credential of the initiator where it
    /// delegated none: one with which the service reaches others in its name, as far as the KDC permits
    /// (S4U2proxy, MS-SFU §1.3.2). It takes the usage [`CredUsage::Both`], with tickets of the service that
    /// accepts, and changes nothing with another usage or with NTLM.
    ///
    /// MIT krb5 does so for every credential of that usage, and tells `GSS_C_DELEG_FLAG`; here it stays what
    /// the initiator granted. Whether the KDC permits it shows when a context begins.
    #[must_use]
    pub fn delegate_constrained(mut self) -> Self {
        self.constrained = true;
        self
    }

    /// The client that acts for initiators.
    pub(super) fn proxy(&self) -> Option<&ClientCredential> {
        let both = self.constrained && self.usage == CredUsage::Both;
        self.initiator.as_ref().filter(|_| both)
    }

    /// What it was acquired from.
    #[must_use]
    pub fn provider(&self) -> &Provider {
        &self.provider
    }

    /// The Kerberos client, for the engine.
    #[must_use]
    pub fn client(&self) -> Option<&ClientCredential> {
        self.initiator.as_ref()
    }

    /// Whether it has what a mechanism needs, for a side.
    pub(super) fn serves(&self, mechanism: Mech, initiate: bool) -> bool {
        match mechanism {
            Mech::Krb5 | Mech::Iakerb | Mech::UserToUser if initiate => self.initiator.is_some(),
            Mech::Krb5 | Mech::Iakerb | Mech::UserToUser => self.acceptor.is_some(),
            #[cfg(feature = "ntlm")]
            Mech::Ntlm if initiate => self.account.is_some(),
            #[cfg(feature = "ntlm")]
            Mech::Ntlm => self.ntlm_acceptor.is_some(),
            Mech::Spnego => self.negotiated(initiate).next().is_some(),
        }
    }

    /// What SPNEGO negotiates, in the order of preference.
    pub(super) fn negotiated(&self, initiate: bool) -> impl Iterator<Item = Mech> + '_ {
        let named = self.negotiable.as_ref();
        let chosen: Vec<Mech> = match named {
            Some(named) => named.iter().filter_map(|oid| Mech::of(oid).ok()).collect(),
            // Kerberos, and NTLM where the program named it, or gave its provider an account of it.
            None => Mech::ALL
                .iter()
                .copied()
                .filter(|mechanism| match mechanism {
                    Mech::Krb5 => true,
                    #[cfg(feature = "ntlm")]
                    Mech::Ntlm => {
                        let given = initiate && self.provider.ntlm_initiator().is_some();
                        given || self.mechanisms.contains(mechanism.oid())
                    }
                    _ => false,
                })
                .collect(),
        };
        chosen
            .into_iter()
            .filter(|mechanism| *mechanism != Mech::Spnego)
            .filter(move |mechanism| self.serves(*mechanism, initiate))
    }

    /// That it may be used so.
    pub(super) fn check(&self, mechanism: Mech, initiate: bool) -> Result<(), GssError> {
        let usable = if initiate {
            self.usage.initiates()
        } else {
            self.usage.accepts()
        };
        if !usable {
            return Err(Problem::Usage.into());
        }
        if !self.mechanisms.contains(mechanism.oid()) {
            return Err(Problem::MechanismOfCredential.into());
        }
        if !self.serves(mechanism, initiate) {
            return Err(Problem::NoCredential.into());
        }
        Ok(())
    }
}

/// Names the mechanisms that SPNEGO negotiates with a credential, in the order of preference
/// (RFC 4178 §3; `gss_set_neg_mechs`). Without it they are Kerberos, and NTLM if the credential was
/// acquired for it by name, or initiates and its provider
/// [names an account](Provider::with_ntlm_initiator).
///
/// # Errors
/// `GSS_S_BAD_MECH` for what is no mechanism here, or SPNEGO itself; `GSS_S_NO_CRED` where the
/// credential has nothing for any of them. The credential is then as it was.
pub fn set_neg_mechs(credential: &mut Credential, mechanisms: &OidSet) -> Result<(), GssError> {
    for oid in mechanisms.iter() {
        if Mech::of(oid)? == Mech::Spnego {
            return Err(Problem::Mechanism.into());
        }
    }
    let before = credential.negotiable.replace(mechanisms.clone());
    let usage = credential.usage;
    let lacks = |initiate| credential.negotiated(initiate).next().is_none();
    if (usage.initiates() && lacks(true)) || (usage.accepts() && lacks(false)) {
        credential.negotiable = before;
        return Err(Problem::NoCredential.into());
    }
    Ok(())
}
