//! `InitializeSecurityContext (General)`.
//!
//! | parameter | here |
//! |---|---|
//! | `phCredential` | `credential`: outbound or both |
//! | `phContext`, `phNewContext` | `context`: `None` at first, filled by the first call |
//! | `pszTargetName` | `target_name`: `service/host[:port][/name][@REALM]`, or an account's name |
//! | `fContextReq` | `context_req`: see [`ISC_RULES`](super::ISC_RULES) |
//! | `Reserved1`, `Reserved2` | nothing |
//! | `TargetDataRep` | `target_data_rep`: `SECURITY_NATIVE_DREP` or `SECURITY_NETWORK_DREP` |
//! | `pInput` | `input`: `SECBUFFER_TOKEN` but for the first call, `SECBUFFER_CHANNEL_BINDINGS`; others are passed over |
//! | `pOutput` | `output`: `SECBUFFER_TOKEN` |
//! | `pfContextAttr`, `ptsExpiry` | [`Progress`] |

#[cfg(feature = "ntlm")]
use std::sync::Arc;

use countersign_context::kerberos::UserToUserInitiator;
use countersign_context::kerberos::kdc::{Acquisition, ClientCredential};
use countersign_context::negotiate::{self, Fallback};
use countersign_context::{ChannelBindings, Flags, Mechanism, kerberos};
use countersign_credential::{Principal, ServiceName};

use super::buffer::SecBufferDesc;
use super::context::CtxtHandle;
use super::credential::{CredHandle, Credential};
use super::establish::{Call, Progress};
use super::flag_rules::Side;
use super::flags::ISC_REQ_USE_SESSION_KEY;
#[cfg(feature = "ntlm")]
use super::flags::{ISC_REQ_DATAGRAM, ISC_REQ_NULL_SESSION, ISC_REQ_UNVERIFIED_TARGET_NAME};
use super::package::Package;
use super::{SecurityStatus, SspiError};

/// `InitializeSecurityContext`: the client's next token.
///
/// The first call has `None` in `context` and gets a handle there. After an error of the first call
/// it is `None` still, but where the output buffer was too small: then the same call again, with
/// room, gets the token.
///
/// Later calls go on with the target and the requests of the first one, whatever they say then.
///
/// # Errors
/// Those of the package, with their cause; `SEC_E_INVALID_HANDLE` for a handle that is done, or of
/// the other side; `SEC_E_WRONG_CREDENTIAL_HANDLE` where the context was begun with another
/// credential; `SEC_E_NO_CREDENTIALS` for an inbound credential; `SEC_E_TARGET_UNKNOWN` for no
/// name or a malformed one; `SEC_E_BUFFER_TOO_SMALL`.
pub fn initialize_security_context(
    credential: &CredHandle,
    context: &mut Option<CtxtHandle>,
    target_name: Option<&str>,
    context_req: u32,
    target_data_rep: u32,
    input: Option<&SecBufferDesc<'_>>,
    output: &mut SecBufferDesc<'_>,
) -> Result<Progress, SspiError> {
    let call = Call {
        side: Side::Initiator,
        credential,
        requested: context_req,
        target_data_rep,
        target: target_name,
        input,
    };
    call.advance(context, output, |credential, bindings| {
        let begin = Begin {
            credential,
            // A name that Kerberos cannot use is its error; NTLM goes without.
            target: target_name.and_then(Target::parse),
            requested: context_req,
            flags: Side::Initiator.flags(context_req),
            bindings,
        };
        Ok((begin.mechanism()?, credential.provider.clone()))
    })
}

/// Whom the client wants to reach.
enum Target {
    Service(ServiceName),
    /// An account, for user-to-user and services that run as users.
    Account(Principal),
}

impl Target {
    fn parse(name: &str) -> Option<Self> {
        if name.contains('/') {
            return ServiceName::parse(name).ok().map(Self::Service);
        }
        // Without a realm the KDC of the client's is asked.
        let principal = Principal::parse_with_default_realm(name, "");
        principal.ok().map(Self::Account)
    }
}

/// A context to begin.
struct Begin<'a> {
    credential: &'a Credential,
    target: Option<Target>,
    requested: u32,
    flags: Flags,
    bindings: Option<&'a ChannelBindings>,
}

impl Begin<'_> {
    fn mechanism(&self) -> Result<Box<dyn Mechanism>, SspiError> {
        match self.credential.package {
            Package::Kerberos => self.kerberos(),
            Package::Negotiate => self.negotiate(),
            #[cfg(feature = "ntlm")]
            Package::Ntlm => self.ntlm(),
            #[cfg(not(feature = "ntlm"))]
            Package::Ntlm => Err(SecurityStatus::SEC_E_SECPKG_NOT_FOUND.into()),
        }
    }

    fn negotiate(&self) -> Result<Box<dyn Mechanism>, SspiError> {
        let outbound = &self.credential.outbound;
        let mut initiator = negotiate::Initiator::new();
        let mut offered = false;
        if outbound.kerberos.is_some() {
            // Without a name that Kerberos knows there is NTLM, where it may be.
            match self.kerberos() {
                Ok(kerberos) => {
                    initiator = initiator.offer_boxed(kerberos);
                    offered = true;
                }
                Err(error) if !self.has_ntlm() => return Err(error),
                Err(_) => {}
            }
        }
        #[cfg(feature = "ntlm")]
        if outbound.ntlm.is_some() {
            initiator = initiator.offer_boxed(self.ntlm()?);
            offered = true;
        }
        if !offered {
            return Err(SecurityStatus::SEC_E_NO_CREDENTIALS.into());
        }
        // What requires the server's proof does not fall back to what has none.
        if self.credential.required(self.flags).contains(Flags::MUTUAL) {
            initiator = initiator.fallback(Fallback::Never);
        }
        Ok(Box::new(initiator))
    }

    #[cfg(feature = "ntlm")]
    fn has_ntlm(&self) -> bool {
        self.credential.outbound.ntlm.is_some()
    }

    #[cfg(not(feature = "ntlm"))]
    fn has_ntlm(&self) -> bool {
        false
    }

    fn kerberos(&self) -> Result<Box<dyn Mechanism>, SspiError> {
        let client = self.credential.outbound.kerberos.as_ref();
        let client = client.ok_or(SecurityStatus::SEC_E_NO_CREDENTIALS)?;
        let target = self.target.as_ref();
        let target = target.ok_or(SecurityStatus::SEC_E_TARGET_UNKNOWN)?;
        if self.requested & ISC_REQ_USE_SESSION_KEY != 0 {
            return self.user_to_user(client, target);
        }
        let initiator = match target {
            Target::Service(name) => {
                kerberos::Initiator::from_credential(&self.asking_realm_of(client, name), name)
            }
            Target::Account(name) => kerberos::Initiator::from_credential(client, name),
        };
        let required = self.credential.required(self.flags);
        Ok(Box::new(asking(
            initiator,
            self.flags,
            required,
            self.bindings,
        )))
    }

    /// The client, who asks the host's realm first where the configuration says which that is
    /// (`domain_realm`).
    fn asking_realm_of(&self, client: &ClientCredential, name: &ServiceName) -> ClientCredential {
        let configuration = self.credential.provider.configuration();
        match configuration.realm_of_host(name.host()) {
            Some(realm) if name.realm().is_none() => client.clone().service_realm(realm),
            _ => client.clone(),
        }
    }

    fn user_to_user(
        &self,
        client: &ClientCredential,
        target: &Target,
    ) -> Result<Box<dyn Mechanism>, SspiError> {
        let realm = client.client().realm();
        let target = match target {
            Target::Service(name) => core::str::from_utf8(realm)
                .ok()
                .and_then(|realm| name.to_principal(Some(realm)).ok())
                .ok_or(SecurityStatus::SEC_E_TARGET_UNKNOWN)?,
            Target::Account(name) if name.realm().is_empty() => name.with_realm(realm),
            Target::Account(name) => name.clone(),
        };
        let (client, wanted) = (client.clone(), target.clone());
        let (flags, required) = (self.flags, self.credential.required(self.flags));
        let bindings = self.bindings.cloned();
        Ok(Box::new(UserToUserInitiator::new(
            target,
            move |peer| Acquisition::user_to_user(&client, wanted, peer),
            move |ticket| {
                let initiator = kerberos::Initiator::new(ticket);
                asking(initiator, flags, required, bindings.as_ref())
            },
        )))
    }

    #[cfg(feature = "ntlm")]
    fn ntlm(&self) -> Result<Box<dyn Mechanism>, SspiError> {
        use super::credential::NtlmClient;
        use countersign_context::ntlm::Initiator;

        let nobody = self.requested & ISC_REQ_NULL_SESSION != 0;
        let mut initiator = match &self.credential.outbound.ntlm {
            None => return Err(SecurityStatus::SEC_E_NO_CREDENTIALS.into()),
            Some(NtlmClient::Account(account)) if !nobody => Initiator::new(Arc::clone(account)),
            Some(_) => Initiator::anonymous(),
        };
        initiator = initiator
            .request(self.flags)
            .require(self.credential.required(self.flags));
        if let Some(bindings) = self.bindings {
            initiator = initiator.channel_bindings(bindings.clone());
        }
        if let Some(Target::Service(name)) = &self.target {
            initiator = match self.requested & ISC_REQ_UNVERIFIED_TARGET_NAME {
                0 => initiator.target(name.clone()),
                _ => initiator.unverified_target(name.clone()),
            };
        }
        if self.requested & ISC_REQ_DATAGRAM != 0 {
            initiator = initiator.connectionless();
        }
        Ok(Box::new(initiator))
    }
}

/// The initiator with what is asked of it. On Windows nothing is asked that was not named, mutual
/// authentication no more than the rest; DCE style cannot be without it.
fn asking(
    initiator: kerberos::Initiator,
    flags: Flags,
    required: Flags,
    bindings: Option<&ChannelBindings>,
) -> kerberos::Initiator {
    let mut initiator = match flags & (Flags::MUTUAL | Flags::DCE_STYLE) {
        Flags::NONE => initiator.one_way(),
        _ => initiator,
    };
    initiator = initiator.request(flags).require(required);
    if flags.contains(Flags::DCE_STYLE) {
        initiator = initiator.dce_style();
    }
    match bindings {
        Some(bindings) => initiator.channel_bindings(bindings.clone()),
        None => initiator,
    }
}
