//! What a mechanism makes of a name.

use crate::Identity;
use crate::Provider;
use crate::credential::{NameType, Principal, ServiceName};
use crate::kerberos::ServicePattern;
use crate::token::oid::Oid;

use super::super::error::{GssError, Problem};
use super::super::mechanism::Mech;
use super::{Form, Kind, Name};

pub(super) fn identity_of(
    provider: &Provider,
    name: &Name,
    mechanism: Oid<'_>,
) -> Result<Identity, GssError> {
    match Mech::of(mechanism)? {
        #[cfg(feature = "ntlm")]
        Mech::Ntlm => account_of(name).map(|account| match account {
            Some(account) => Identity::Ntlm(crate::NtlmIdentity::Account(account)),
            None => Identity::Ntlm(crate::NtlmIdentity::Anonymous),
        }),
        // RFC 4178 §3: the names of a negotiation are those of what is negotiated.
        Mech::Spnego | Mech::Krb5 | Mech::Iakerb | Mech::UserToUser => {
            principal_of(provider, name).map(Identity::Kerberos)
        }
    }
}

/// The principal. The realm of a service that only a KDC knows is empty.
pub(in super::super) fn principal_of(
    provider: &Provider,
    name: &Name,
) -> Result<Principal, GssError> {
    let default_realm = || -> Result<String, GssError> {
        let settings = provider.configuration().libdefaults()?;
        Ok(settings.default_realm.ok_or(Problem::RealmMissing)?)
    };
    match &name.form {
        Form::Host(text) => {
            if !text.contains('@') {
                return Err(Problem::ServiceName.into());
            }
            let service = ServiceName::parse(text)?;
            let realm = provider.configuration().realm_of_host(service.host());
            Ok(service.to_principal(Some(realm.unwrap_or_default()))?)
        }
        Form::Text(text, Kind::Enterprise) => Ok(Principal::enterprise(text, default_realm()?)),
        Form::Text(text, _) => match Principal::parse(text) {
            Err(crate::credential::Error::Name {
                problem: crate::credential::NameProblem::MissingRealm,
                ..
            }) => Ok(Principal::parse_with_default_realm(text, default_realm()?)?),
            parsed => Ok(parsed?),
        },
        Form::Anonymous => Ok(Principal::new(
            "WELLKNOWN:ANONYMOUS",
            ["WELLKNOWN", "ANONYMOUS"],
            NameType::WELL_KNOWN,
        )),
        Form::Mechanism(Identity::Kerberos(principal)) => Ok(principal.clone()),
        Form::Mechanism(_) => Err(Problem::NameOfOtherMechanism.into()),
    }
}

/// The services of an acceptor that is to be called so: any host's, where the name has none; any
/// realm's, where the configuration knows none.
pub(in super::super) fn acceptor_pattern(
    provider: &Provider,
    name: &Name,
) -> Result<ServicePattern, GssError> {
    let text = match &name.form {
        Form::Host(text) if !text.contains('@') => format!("{text}/*"),
        Form::Host(text) => {
            let service = ServiceName::parse(text)?;
            let host = service.host().to_ascii_lowercase();
            match provider.configuration().realm_of_host(&host) {
                Some(realm) => format!("{}/{host}@{realm}", service.service()),
                None => format!("{}/{host}", service.service()),
            }
        }
        _ => return Ok(ServicePattern::exactly(&principal_of(provider, name)?)),
    };
    Ok(ServicePattern::parse(&text).ok_or(Problem::ServiceName)?)
}

/// The service that is meant, where the name is one of a service.
#[cfg(feature = "ntlm")]
pub(in super::super) fn service_of(name: &Name) -> Option<ServiceName> {
    match &name.form {
        Form::Host(text) => ServiceName::parse(text).ok(),
        Form::Text(text, _) => ServiceName::parse(str::from_utf8(text).ok()?).ok(),
        Form::Mechanism(Identity::Kerberos(principal)) => {
            ServiceName::parse(&principal.to_string()).ok()
        }
        _ => None,
    }
}

/// The account; `None` for nobody.
#[cfg(feature = "ntlm")]
pub(in super::super) fn account_of(
    name: &Name,
) -> Result<Option<crate::credential::ntlm::AccountName>, GssError> {
    match &name.form {
        Form::Text(text, Kind::Any | Kind::User) => {
            let text = str::from_utf8(text).map_err(|_| Problem::MalformedName)?;
            Ok(Some(crate::credential::ntlm::AccountName::parse(text)?))
        }
        Form::Mechanism(Identity::Ntlm(crate::NtlmIdentity::Account(account))) => {
            Ok(Some(account.clone()))
        }
        Form::Anonymous | Form::Mechanism(Identity::Ntlm(crate::NtlmIdentity::Anonymous)) => {
            Ok(None)
        }
        _ => Err(Problem::NameOfOtherMechanism.into()),
    }
}
