//! `AcceptSecurityContext (General)`.
//!
//! | parameter | here |
//! |---|---|
//! | `phCredential` | `credential`: inbound or both |
//! | `phContext`, `phNewContext` | `context`: `None` at first, filled by the first call |
//! | `pInput` | `input`: `SECBUFFER_TOKEN`, `SECBUFFER_CHANNEL_BINDINGS`; `SECBUFFER_EMPTY`, `SECBUFFER_PKG_PARAMS` and others are passed over |
//! | `fContextReq` | `context_req`: see [`ASC_RULES`](super::ASC_RULES) |
//! | `TargetDataRep` | `target_data_rep`: `SECURITY_NATIVE_DREP` or `SECURITY_NETWORK_DREP` |
//! | `pOutput` | `output`: `SECBUFFER_TOKEN`; there may be a token with `SEC_E_OK` too |
//! | `pfContextAttr`, `ptsExpiry` | [`Progress`] |

use countersign_context::{ChannelBindings, Flags, Mechanism, kerberos, negotiate};

use super::buffer::SecBufferDesc;
use super::context::CtxtHandle;
use super::credential::{CredHandle, Credential};
use super::establish::{Call, Progress};
use super::flag_rules::Side;
#[cfg(feature = "ntlm")]
use super::flags::ASC_REQ_DATAGRAM;
use super::flags::{ASC_REQ_ALLOW_MISSING_BINDINGS, ASC_REQ_ALLOW_NULL_SESSION};
use super::package::Package;
use super::{SecurityStatus, SspiError};

/// `AcceptSecurityContext`: takes a client's token and makes the answer.
///
/// The first call has `None` in `context` and gets a handle there. After an error of the first call
/// it is `None` still, but where the output buffer was too small: then the same call again, with
/// room, gets the token.
///
/// Later calls go on with what the first one asked for, whatever `context_req` says then.
///
/// Channel bindings that are given must be the client's too, unless
/// [`ASC_REQ_ALLOW_MISSING_BINDINGS`] admits clients that send none. With `Negotiate`, a first call
/// without a token, or with an empty one, makes the list of mechanisms for clients that let the
/// server speak first.
///
/// # Errors
/// Those of the package, with their cause; `SEC_E_INVALID_HANDLE` for a handle that is done, or of
/// the other side; `SEC_E_WRONG_CREDENTIAL_HANDLE` where the context was begun with another
/// credential; `SEC_E_NO_CREDENTIALS` for an outbound credential; `SEC_E_BUFFER_TOO_SMALL`.
pub fn accept_security_context(
    credential: &CredHandle,
    context: &mut Option<CtxtHandle>,
    input: Option<&SecBufferDesc<'_>>,
    context_req: u32,
    target_data_rep: u32,
    output: &mut SecBufferDesc<'_>,
) -> Result<Progress, SspiError> {
    let call = Call {
        side: Side::Acceptor,
        credential,
        requested: context_req,
        target_data_rep,
        target: None,
        input,
    };
    call.advance(context, output, |credential, bindings| {
        let begin = Begin {
            credential,
            requested: context_req,
            flags: Side::Acceptor.flags(context_req),
            bindings,
        };
        let mut provider = credential.provider.clone();
        if context_req & ASC_REQ_ALLOW_NULL_SESSION != 0 {
            let policy = provider.policy().clone().with_anonymous_initiators(true);
            provider = provider.with_policy(policy);
        }
        Ok((begin.mechanism()?, provider))
    })
}

/// A context to begin.
struct Begin<'a> {
    credential: &'a Credential,
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
        let inbound = &self.credential.inbound;
        let mut acceptor = negotiate::Acceptor::new().accept_raw(self.credential.raw);
        let mut offered = false;
        if inbound.kerberos.is_some() {
            acceptor = acceptor.offer_boxed(self.kerberos()?);
            offered = true;
        }
        #[cfg(feature = "ntlm")]
        if inbound.ntlm.is_some() {
            acceptor = acceptor.offer_boxed(self.ntlm()?);
            offered = true;
        }
        if offered {
            Ok(Box::new(acceptor))
        } else {
            Err(SecurityStatus::SEC_E_NO_CREDENTIALS.into())
        }
    }

    fn may_miss_bindings(&self) -> bool {
        self.requested & ASC_REQ_ALLOW_MISSING_BINDINGS != 0
    }

    fn kerberos(&self) -> Result<Box<dyn Mechanism>, SspiError> {
        let keys = self.credential.inbound.kerberos.as_ref();
        let keys = keys.ok_or(SecurityStatus::SEC_E_NO_CREDENTIALS)?;
        let acceptor = kerberos::Acceptor::new(keys).require(self.credential.required(self.flags));
        Ok(Box::new(match self.bindings.cloned() {
            Some(bindings) if self.may_miss_bindings() => {
                acceptor.channel_bindings_if_present(bindings)
            }
            Some(bindings) => acceptor.channel_bindings(bindings),
            None => acceptor,
        }))
    }

    #[cfg(feature = "ntlm")]
    fn ntlm(&self) -> Result<Box<dyn Mechanism>, SspiError> {
        let credential = self.credential.inbound.ntlm.as_ref();
        let credential = credential.ok_or(SecurityStatus::SEC_E_NO_CREDENTIALS)?;
        let mut acceptor = countersign_context::ntlm::Acceptor::new(credential)
            .require(self.credential.required(self.flags));
        acceptor = match self.bindings.cloned() {
            Some(bindings) if self.may_miss_bindings() => {
                acceptor.channel_bindings_if_present(bindings)
            }
            Some(bindings) => acceptor.channel_bindings(bindings),
            None => acceptor,
        };
        if self.requested & ASC_REQ_DATAGRAM != 0 {
            acceptor = acceptor.connectionless();
        }
        Ok(Box::new(acceptor))
    }
}
