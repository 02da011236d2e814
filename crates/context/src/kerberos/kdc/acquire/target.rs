//! What a ticket is wanted for.

use countersign_credential::{NameType, Principal, ServiceName};

use crate::kerberos::kdc::client_credential::ClientCredential;

/// The service that a client wants to reach. Without a realm its first realm is the credential's
/// [`service_realm`](ClientCredential::service_realm) or the client's own, whose KDC may refer to
/// another; no default realm is made up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target(Principal);

impl Target {
    pub(super) fn in_first_realm(self, credential: &ClientCredential) -> Principal {
        match &credential.inner().service_realm {
            Some(realm) if self.0.realm().is_empty() => self.0.with_realm(realm),
            _ => self.0,
        }
    }
}

impl From<Principal> for Target {
    fn from(principal: Principal) -> Self {
        Self(principal)
    }
}

impl From<&Principal> for Target {
    fn from(principal: &Principal) -> Self {
        Self(principal.clone())
    }
}

impl From<&ServiceName> for Target {
    fn from(name: &ServiceName) -> Self {
        // A name that has no realm gets the empty one, so this is always a principal.
        Self(name.to_principal(Some("")).unwrap_or_else(|_| {
            Principal::new("", [name.service(), name.host()], NameType::SRV_INST)
        }))
    }
}

impl From<ServiceName> for Target {
    fn from(name: ServiceName) -> Self {
        Self::from(&name)
    }
}
