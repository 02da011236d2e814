//! Credential handles.
//!
//! ```text
//! Provider ── acquire_credentials_handle ──▶ CredHandle ── initialize / accept ──▶ CtxtHandle …
//!                                              │ add_credentials (Negotiate)
//!                                              └ free_credentials_handle; contexts live on
//! ```
//!
//! | parameter of `AcquireCredentialsHandle` | here |
//! |---|---|
//! | `pszPrincipal` | `principal`: outbound the client that the credential is of, inbound a service of the keytab |
//! | `pszPackage` | `package`: `Negotiate`, `Kerberos`, `NTLM` |
//! | `fCredentialUse` | `credential_use`: [`SECPKG_CRED_INBOUND`], [`SECPKG_CRED_OUTBOUND`], [`SECPKG_CRED_BOTH`] |
//! | `pvLogonId` | the [`Provider`] |
//! | `pAuthData` | `auth_data`; without it the provider's initiators. Inbound its package list alone: keys are the provider's |
//! | `pGetKeyFn`, `pvGetKeyArgument` | the provider's keytab |
//! | `phCredential`, `ptsExpiry` | what is returned |

use std::sync::Arc;

use countersign_context::Flags;
use countersign_context::kerberos::kdc::{ClientCredential, TicketOptions};
use countersign_context::kerberos::{self, ServicePattern};
use countersign_context::negotiate::RawTokens;
use countersign_credential::Principal;
#[cfg(feature = "ntlm")]
use countersign_credential::ntlm::{AccountName, NtlmCredential};

use countersign_handshake::configuration;

use super::auth_identity::SecWinntAuthIdentity;
use super::package::Package;
use super::time::TimeStamp;
use super::{SecurityStatus, SspiError};
use crate::Provider;

/// To accept contexts with.
pub const SECPKG_CRED_INBOUND: u32 = 0x0000_0001;
/// To initialize contexts with.
pub const SECPKG_CRED_OUTBOUND: u32 = 0x0000_0002;
/// For either.
pub const SECPKG_CRED_BOTH: u32 = 0x0000_0003;
/// As the credential says; here as [`SECPKG_CRED_OUTBOUND`].
pub const SECPKG_CRED_DEFAULT: u32 = 0x0000_0004;
/// Only what `auth_data` holds: no credential of the environment is used.
pub const SECPKG_CRED_AUTOLOGON_RESTRICTED: u32 = 0x0000_0010;
/// Policy alone is looked at. It has no effect here.
pub const SECPKG_CRED_PROCESS_POLICY_ONLY: u32 = 0x0000_0020;
/// Reserved bits.
pub const SECPKG_CRED_RESERVED: u32 = 0xF000_0000;

/// `CredHandle`: whom contexts are initialized or accepted as.
///
/// It may be used by any number of threads at once, and freed before the contexts that were begun
/// with it. Nothing else is a credential handle:
///
/// ```compile_fail,E0308
/// use countersign::sspi::{CtxtHandle, free_credentials_handle};
///
/// fn confused(context: CtxtHandle) {
///     free_credentials_handle(context);
/// }
/// ```
#[derive(Debug)]
pub struct CredHandle(pub(super) Arc<Credential>);

#[derive(Debug, Clone)]
pub(super) struct Credential {
    pub(super) provider: Provider,
    pub(super) package: Package,
    pub(super) inbound: Inbound,
    pub(super) outbound: Outbound,
    /// Whether what is asked for is required.
    pub(super) strict: bool,
    pub(super) raw: RawTokens,
}

/// What contexts are accepted with.
#[derive(Debug, Clone, Default)]
pub(super) struct Inbound {
    pub(super) kerberos: Option<kerberos::AcceptorCredential>,
    #[cfg(feature = "ntlm")]
    pub(super) ntlm: Option<countersign_context::ntlm::AcceptorCredential>,
}

/// What contexts are initialized with.
#[derive(Debug, Clone, Default)]
pub(super) struct Outbound {
    pub(super) kerberos: Option<ClientCredential>,
    #[cfg(feature = "ntlm")]
    pub(super) ntlm: Option<NtlmClient>,
}

/// Who a client of NTLM is.
#[cfg(feature = "ntlm")]
#[derive(Debug, Clone)]
pub(super) enum NtlmClient {
    Nobody,
    Account(Arc<NtlmCredential>),
}

impl Inbound {
    fn is_empty(&self) -> bool {
        #[cfg(feature = "ntlm")]
        if self.ntlm.is_some() {
            return false;
        }
        self.kerberos.is_none()
    }
}

impl Outbound {
    fn is_empty(&self) -> bool {
        #[cfg(feature = "ntlm")]
        if self.ntlm.is_some() {
            return false;
        }
        self.kerberos.is_none()
    }
}

impl CredHandle {
    /// Requires what contexts ask for: where mutual authentication, delegation, confidentiality,
    /// integrity, replay or sequence detection is asked for and not granted, the context fails
    /// with `SEC_E_SECURITY_QOS_FAILED`. Without it the attributes tell, as on Windows, and it is
    /// for the caller to look at them.
    #[must_use]
    pub fn require_requested(self) -> Self {
        self.with(|credential| credential.strict = true)
    }

    /// With `Negotiate`, accepts tokens of these mechanisms without negotiation too.
    #[must_use]
    pub fn accept_raw(self, raw: RawTokens) -> Self {
        self.with(|credential| credential.raw = raw)
    }

    /// The package.
    #[must_use]
    pub fn package(&self) -> Package {
        self.0.package
    }

    fn with(mut self, change: impl FnOnce(&mut Credential)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }
}

/// `AcquireCredentialsHandle`. Nobody is asked for anything before a context needs it, so that a
/// wrong password is told by [`initialize_security_context`](super::initialize_security_context).
///
/// Inbound, keys and users are the [`Provider`]'s: of `auth_data` the package list counts alone.
/// Outbound, an identity that is given stands for all: without it, and without
/// [`SECPKG_CRED_AUTOLOGON_RESTRICTED`], the client is whom
/// [`with_initiator`](Provider::with_initiator) and, with NTLM and `Negotiate`,
/// `with_ntlm_initiator` say.
///
/// # Errors
/// `SEC_E_SECPKG_NOT_FOUND`; `SEC_E_NO_CREDENTIALS` where the provider has none of that use and
/// `auth_data` is none; `SEC_E_UNKNOWN_CREDENTIALS` where names do not parse or the keytab has no
/// such service; `SEC_E_NOT_OWNER` where `principal` is somebody else; `SEC_E_INVALID_PARAMETER`
/// for a use that is none.
pub fn acquire_credentials_handle(
    provider: &Provider,
    principal: Option<&str>,
    package: &str,
    credential_use: u32,
    auth_data: Option<&SecWinntAuthIdentity>,
) -> Result<(CredHandle, TimeStamp), SspiError> {
    let mut credential = Credential {
        provider: provider.clone(),
        package: Package::find(package)?,
        inbound: Inbound::default(),
        outbound: Outbound::default(),
        strict: false,
        raw: RawTokens::NONE,
    };
    let package = credential.package;
    credential.acquire(package, principal, credential_use, auth_data)?;
    Ok((CredHandle(Arc::new(credential)), TimeStamp::NEVER))
}

/// `AddCredentials`: a handle of `Negotiate` gets a credential of one more package.
///
/// # Errors
/// `SEC_E_UNSUPPORTED_FUNCTION` for handles of other packages, and where `package` is `Negotiate`;
/// else as [`acquire_credentials_handle`].
pub fn add_credentials(
    credential: &mut CredHandle,
    principal: Option<&str>,
    package: &str,
    credential_use: u32,
    auth_data: Option<&SecWinntAuthIdentity>,
) -> Result<TimeStamp, SspiError> {
    let package = Package::find(package)?;
    if credential.0.package != Package::Negotiate || package == Package::Negotiate {
        return Err(SecurityStatus::SEC_E_UNSUPPORTED_FUNCTION.into());
    }
    let mut changed = (*credential.0).clone();
    changed.acquire(package, principal, credential_use, auth_data)?;
    credential.0 = Arc::new(changed);
    Ok(TimeStamp::NEVER)
}

/// `FreeCredentialsHandle`. Dropping the handle does the same.
pub fn free_credentials_handle(credential: CredHandle) {
    drop(credential);
}

/// What is required with [`CredHandle::require_requested`]; the rest has no consequence for the
/// caller's security.
const REQUIRABLE: Flags = Flags::MUTUAL
    .union(Flags::DELEGATION)
    .union(Flags::CONFIDENTIALITY)
    .union(Flags::INTEGRITY)
    .union(Flags::REPLAY)
    .union(Flags::SEQUENCE)
    .union(Flags::DCE_STYLE);

impl Credential {
    /// Of the flags that are asked for, those that the context does not go without.
    pub(super) fn required(&self, flags: Flags) -> Flags {
        if self.strict {
            flags & REQUIRABLE
        } else {
            Flags::NONE
        }
    }

    fn acquire(
        &mut self,
        package: Package,
        principal: Option<&str>,
        credential_use: u32,
        auth_data: Option<&SecWinntAuthIdentity>,
    ) -> Result<(), SspiError> {
        let restricted = credential_use & SECPKG_CRED_AUTOLOGON_RESTRICTED != 0;
        let modifiers = SECPKG_CRED_AUTOLOGON_RESTRICTED | SECPKG_CRED_PROCESS_POLICY_ONLY;
        let (inbound, outbound) = match credential_use & !modifiers {
            SECPKG_CRED_INBOUND => (true, false),
            SECPKG_CRED_OUTBOUND | SECPKG_CRED_DEFAULT => (false, true),
            SECPKG_CRED_BOTH => (true, true),
            _ => return Err(SecurityStatus::SEC_E_INVALID_PARAMETER.into()),
        };
        if inbound {
            // With both, the principal is the client.
            let service = principal.filter(|_| !outbound);
            self.acquire_inbound(package, service, auth_data)?;
        }
        if outbound {
            let ambient = !restricted;
            self.acquire_outbound(package, principal, ambient, auth_data)?;
        }
        Ok(())
    }

    fn acquire_inbound(
        &mut self,
        package: Package,
        service: Option<&str>,
        auth_data: Option<&SecWinntAuthIdentity>,
    ) -> Result<(), SspiError> {
        let list = auth_data.map(|data| data.packages).unwrap_or_default();
        let mut found = Inbound::default();
        if package == Package::Kerberos || (package == Package::Negotiate && list.kerberos) {
            found.kerberos = match (self.provider.acceptor(), service) {
                (Some(acceptor), Some(service)) => Some(answering_for(acceptor, service)?),
                (acceptor, _) => acceptor.cloned(),
            };
        }
        #[cfg(feature = "ntlm")]
        {
            let negotiable = package == Package::Negotiate && list.ntlm != Some(false);
            if package == Package::Ntlm || negotiable {
                found.ntlm = self.provider.ntlm().cloned();
            }
        }
        if found.is_empty() {
            return Err(SecurityStatus::SEC_E_NO_CREDENTIALS.into());
        }
        self.inbound.kerberos = found.kerberos.or(self.inbound.kerberos.take());
        #[cfg(feature = "ntlm")]
        {
            self.inbound.ntlm = found.ntlm.or(self.inbound.ntlm.take());
        }
        Ok(())
    }

    fn acquire_outbound(
        &mut self,
        package: Package,
        principal: Option<&str>,
        ambient: bool,
        auth_data: Option<&SecWinntAuthIdentity>,
    ) -> Result<(), SspiError> {
        let list = auth_data.map(|data| data.packages).unwrap_or_default();
        let mut found = Outbound::default();
        if package == Package::Kerberos || (package == Package::Negotiate && list.kerberos) {
            found.kerberos = match auth_data {
                // With NTLM at hand a name that Kerberos cannot place is no error.
                Some(data) => match self.client(data) {
                    Err(_) if package == Package::Negotiate && list.ntlm == Some(true) => None,
                    client => client?,
                },
                None => self.provider.initiator().filter(|_| ambient).cloned(),
            };
            if let (Some(client), Some(wanted)) = (&found.kerberos, principal) {
                owned_by(client, wanted)?;
            }
        }
        #[cfg(feature = "ntlm")]
        {
            let negotiable = package == Package::Negotiate;
            found.ntlm = match auth_data {
                Some(data)
                    if package == Package::Ntlm || (negotiable && list.ntlm == Some(true)) =>
                {
                    Some(NtlmClient::of(data)?)
                }
                // The provider that has one names NTLM by that.
                None if ambient && (package == Package::Ntlm || negotiable) => {
                    let account = self.provider.ntlm_initiator();
                    account.map(|account| NtlmClient::Account(Arc::clone(account)))
                }
                _ => None,
            };
            if let (Some(client), Some(wanted)) = (&found.ntlm, principal) {
                match (client.check_is(wanted), &found.kerberos) {
                    (Err(error), None) => return Err(error),
                    // Two accounts of the provider, of which this is another one.
                    (Err(_), Some(_)) if auth_data.is_none() => found.ntlm = None,
                    _ => {}
                }
            }
        }
        if found.is_empty() {
            return Err(SecurityStatus::SEC_E_NO_CREDENTIALS.into());
        }
        self.outbound.kerberos = found.kerberos.or(self.outbound.kerberos.take());
        #[cfg(feature = "ntlm")]
        {
            self.outbound.ntlm = found.ntlm.or(self.outbound.ntlm.take());
        }
        Ok(())
    }

    /// The client of Kerberos that an identity names; `None` for nobody.
    fn client(&self, data: &SecWinntAuthIdentity) -> Result<Option<ClientCredential>, SspiError> {
        if data.is_nobody() {
            return Ok(None);
        }
        let unknown = |_| SspiError::from(SecurityStatus::SEC_E_UNKNOWN_CREDENTIALS);
        let suffix = data.user.rsplit_once('@').map(|(_, suffix)| suffix);
        let (principal, canonicalize) = match (data.domain.as_str(), suffix) {
            ("", Some(suffix)) => {
                // A user principal name need not end in the realm: the KDC finds whom it means
                // (RFC 6806 §5).
                let realm = suffix.to_ascii_uppercase();
                (Principal::enterprise(&data.user, realm), true)
            }
            ("", None) => {
                let defaults = self.provider.configuration().libdefaults();
                let realm = defaults.ok().and_then(|defaults| defaults.default_realm);
                let realm = realm.ok_or(SecurityStatus::SEC_E_UNKNOWN_CREDENTIALS)?;
                let name = Principal::parse_with_default_realm(&data.user, &realm);
                (name.map_err(unknown)?, false)
            }
            (domain, _) => {
                let realm = domain.to_ascii_uppercase();
                let name = Principal::parse_with_default_realm(&data.user, &realm);
                (name.map_err(unknown)?, false)
            }
        };
        // A ticket that can be delegated, as Windows asks for it; whether it is, contexts say.
        let configuration = self.provider.configuration();
        let defaults = configuration.libdefaults_for(principal.realm());
        let options = defaults.map_or_else(
            |_| TicketOptions::default(),
            |defaults| configuration::ticket_options(&defaults),
        );
        let paths = configuration::realm_paths(configuration);
        let client = ClientCredential::password(principal, data.password.duplicate())
            .canonicalize(canonicalize)
            .paths(paths)
            .options(options.forwardable(true));
        Ok(Some(client))
    }
}

#[cfg(feature = "ntlm")]
impl NtlmClient {
    fn of(data: &SecWinntAuthIdentity) -> Result<Self, SspiError> {
        if data.is_nobody() {
            return Ok(Self::Nobody);
        }
        let name = AccountName::new(data.domain.as_str(), data.user.as_str())
            .map_err(|_| SecurityStatus::SEC_E_UNKNOWN_CREDENTIALS)?;
        let credential = NtlmCredential::with_password(name, &data.password);
        Ok(Self::Account(Arc::new(credential)))
    }

    /// Whether it is who the caller says; a name without a domain is of any.
    fn check_is(&self, wanted: &str) -> Result<(), SspiError> {
        let wanted =
            AccountName::parse(wanted).map_err(|_| SecurityStatus::SEC_E_UNKNOWN_CREDENTIALS)?;
        let own = match self {
            Self::Nobody => None,
            Self::Account(account) if wanted.domain().is_empty() => {
                AccountName::new("", account.name().user()).ok()
            }
            Self::Account(account) => Some(account.name().clone()),
        };
        if own.is_some_and(|own| own.matches(&wanted)) {
            Ok(())
        } else {
            Err(SecurityStatus::SEC_E_NOT_OWNER.into())
        }
    }
}

/// The acceptor, of one of its services alone.
fn answering_for(
    acceptor: &kerberos::AcceptorCredential,
    service: &str,
) -> Result<kerberos::AcceptorCredential, SspiError> {
    let pattern = ServicePattern::parse(service)
        .filter(|pattern| acceptor.principals().any(|own| pattern.matches(own)))
        .ok_or(SecurityStatus::SEC_E_UNKNOWN_CREDENTIALS)?;
    Ok(acceptor.clone().with_services([pattern]))
}

/// Whether the client is who the caller says.
fn owned_by(client: &ClientCredential, wanted: &str) -> Result<(), SspiError> {
    let name = client.client();
    let realm = name.realm();
    match Principal::parse_with_default_realm(wanted, realm) {
        Ok(principal) if principal == *name => Ok(()),
        Ok(_) => Err(SecurityStatus::SEC_E_NOT_OWNER.into()),
        Err(_) => Err(SecurityStatus::SEC_E_UNKNOWN_CREDENTIALS.into()),
    }
}

/// Handles go to other threads.
const _: () = {
    const fn sendable<T: Send + Sync + 'static>() {}
    sendable::<CredHandle>();
};
