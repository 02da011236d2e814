//! From a credential and what is asked for to the engine's mechanisms.
//!
//! | asked for | Kerberos | NTLM |
//! |---|---|---|
//! | `MUTUAL` | required; without it one token, and nobody has proved to be the service | not to be had, not granted |
//! | `REPLAY`, `SEQUENCE`, `CONF`, `INTEG`, `IDENTIFY` | asked for | asked for |
//! | `EXTENDED_ERROR` | asked for | |
//! | `DELEG`, `DELEG_POLICY` | where the KDC marks the service OK-AS-DELEGATE | |
//! | `DCE_STYLE` | required | |
//! | `ANON` | refused, where the client is not anonymous | nobody authenticates |

use crate::kerberos::kdc::{Acquisition, ClientCredential, Target};
use crate::kerberos::{self, IakerbAcceptor, IakerbInitiator, UserToUserInitiator};
use crate::negotiate::{self, Fallback};
use crate::{ChannelBindingPolicy, ChannelBindings, Flags, Mechanism};

use super::super::error::{GssError, Problem};
use super::super::flags;
use super::super::mechanism::Mech;
use super::super::name::principal_of;
use super::super::{Credential, Name};

/// What an initiator is asked for.
pub(super) struct Asked<'a> {
    pub(super) target: &'a Name,
    pub(super) flags: Flags,
    pub(super) bindings: Option<&'a ChannelBindings>,
}

/// What every mechanism that protects messages is asked for.
const PROTECTION: Flags = Flags::REPLAY
    .union(Flags::SEQUENCE)
    .union(Flags::CONFIDENTIALITY)
    .union(Flags::INTEGRITY)
    .union(Flags::IDENTIFY);

pub(super) fn initiator(
    credential: &Credential,
    mechanism: Mech,
    asked: &Asked<'_>,
) -> Result<Box<dyn Mechanism>, GssError> {
    let options = Options::of(credential, asked);
    let target = || principal_of(&credential.provider, asked.target);
    Ok(match mechanism {
        Mech::Krb5 => {
            let client = client(credential, asked)?;
            let initiator = kerberos::Initiator::from_credential(client, Target::from(target()?));
            Box::new(options.apply(initiator))
        }
        Mech::Iakerb => {
            let client = client(credential, asked)?;
            let acquisition = Acquisition::new(client, Target::from(target()?));
            Box::new(IakerbInitiator::new(acquisition, move |ticket| {
                options.apply(kerberos::Initiator::new(ticket))
            }))
        }
        Mech::UserToUser => {
            let client = client(credential, asked)?.clone();
            let target = target()?;
            let service = Target::from(&target);
            let acquire = move |peer| Acquisition::user_to_user(&client, service, peer);
            let begin = move |ticket| options.apply(kerberos::Initiator::new(ticket));
            Box::new(UserToUserInitiator::new(target, acquire, begin))
        }
        Mech::Spnego => {
            // Whom nothing but Kerberos can prove is not to be had by fallback.
            let fallback = if credential.required.contains(Flags::MUTUAL) {
                Fallback::Never
            } else {
                Fallback::WhenUnavailable
            };
            let mut negotiation = negotiate::Initiator::new().fallback(fallback);
            let mut failure = None;
            let mut offered = false;
            for inner in credential.negotiated(true) {
                match initiator(credential, inner, asked) {
                    Ok(mechanism) => {
                        negotiation = negotiation.offer_boxed(mechanism);
                        offered = true;
                    }
                    Err(error) => failure = failure.or(Some(error)),
                }
            }
            match failure {
                Some(error) if !offered => return Err(error),
                _ => Box::new(negotiation),
            }
        }
        #[cfg(feature = "ntlm")]
        Mech::Ntlm => {
            use crate::ntlm::Initiator;
            let mut initiator = match &credential.account {
                _ if asked.flags.contains(Flags::ANONYMOUS) => Initiator::anonymous(),
                Some(account) => Initiator::new(std::sync::Arc::clone(account)),
                None => return Err(Problem::NoCredential.into()),
            };
            initiator = initiator
                .request(asked.flags & PROTECTION)
                .require(credential.required);
            if let Some(bindings) = asked.bindings {
                initiator = initiator.channel_bindings(bindings.clone());
            }
            if let Some(service) = super::super::name::service_of(asked.target) {
                initiator = initiator.target(service);
            }
            Box::new(initiator)
        }
    })
}

fn client<'a>(
    credential: &'a Credential,
    asked: &Asked<'_>,
) -> Result<&'a ClientCredential, GssError> {
    let client = credential.initiator.as_ref().ok_or(Problem::NoCredential)?;
    // RFC 8062 §3: the realm alone may be told, or not even that.
    let nobody = client
        .client()
        .components()
        .eq([&b"WELLKNOWN"[..], b"ANONYMOUS"]);
    if asked.flags.contains(Flags::ANONYMOUS) && !nobody {
        return Err(Problem::Anonymity.into());
    }
    Ok(client)
}

/// What is wanted of a Kerberos initiator.
struct Options {
    requested: Flags,
    required: Flags,
    mutual: bool,
    dce_style: bool,
    bindings: Option<ChannelBindings>,
}

impl Options {
    fn of(credential: &Credential, asked: &Asked<'_>) -> Self {
        let mut requested = asked.flags & (PROTECTION | Flags::EXTENDED_ERROR);
        let delegates = flags::GSS_C_DELEG_FLAG | flags::GSS_C_DELEG_POLICY_FLAG;
        if !(asked.flags & delegates).is_empty() {
            requested |= Flags::DELEGATION;
        }
        Self {
            requested,
            required: credential.required,
            mutual: (asked.flags | credential.required).contains(Flags::MUTUAL),
            dce_style: asked.flags.contains(Flags::DCE_STYLE),
            bindings: asked.bindings.cloned(),
        }
    }

    fn apply(self, mut initiator: kerberos::Initiator) -> kerberos::Initiator {
        if !self.mutual {
            initiator = initiator.one_way();
        }
        if self.dce_style {
            initiator = initiator.dce_style();
        }
        if let Some(bindings) = self.bindings {
            initiator = initiator.channel_bindings(bindings);
        }
        initiator.request(self.requested).require(self.required)
    }
}

pub(super) fn acceptor(
    credential: &Credential,
    mechanism: Mech,
    bindings: &ChannelBindingPolicy,
) -> Result<Box<dyn Mechanism>, GssError> {
    let kerberos = || {
        let services = credential.acceptor.as_ref().ok_or(Problem::NoCredential)?;
        let mut acceptor = kerberos::Acceptor::new(services).require(credential.required);
        if credential.proxy().is_some() {
            acceptor = acceptor.keep_evidence();
        }
        Ok::<_, GssError>(match bindings.clone() {
            ChannelBindingPolicy::Ignore => acceptor,
            ChannelBindingPolicy::Required(bindings) => acceptor.channel_bindings(bindings),
            ChannelBindingPolicy::IfPresent(bindings) => {
                acceptor.channel_bindings_if_present(bindings)
            }
        })
    };
    Ok(match mechanism {
        Mech::Krb5 | Mech::UserToUser => Box::new(kerberos()?),
        Mech::Iakerb => Box::new(IakerbAcceptor::new(kerberos()?)),
        Mech::Spnego => {
            let mut negotiation = negotiate::Acceptor::new();
            for inner in credential.negotiated(false) {
                negotiation = negotiation.offer_boxed(acceptor(credential, inner, bindings)?);
            }
            Box::new(negotiation)
        }
        #[cfg(feature = "ntlm")]
        Mech::Ntlm => {
            let server = credential
                .ntlm_acceptor
                .as_ref()
                .ok_or(Problem::NoCredential)?;
            let acceptor = crate::ntlm::Acceptor::new(server).require(credential.required);
            Box::new(match bindings.clone() {
                ChannelBindingPolicy::Ignore => acceptor,
                ChannelBindingPolicy::Required(bindings) => acceptor.channel_bindings(bindings),
                ChannelBindingPolicy::IfPresent(bindings) => {
                    acceptor.channel_bindings_if_present(bindings)
                }
            })
        }
    })
}
