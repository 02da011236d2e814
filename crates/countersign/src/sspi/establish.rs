//! What both sides do with a token.

use std::sync::Arc;

use countersign_context::{ChannelBindings, Mechanism, Step, Timestamp};

use super::buffer::{SECBUFFER_CHANNEL_BINDINGS, SECBUFFER_TOKEN, SecBufferDesc};
use super::context::{Context, CtxtHandle, State};
use super::credential::{CredHandle, Credential};
use super::flag_rules::Side;
use super::flags::{
    ASC_REQ_ALLOCATE_MEMORY, ASC_REQ_CONNECTION, ASC_REQ_DATAGRAM, ASC_REQ_EXTENDED_ERROR,
    ASC_RET_ALLOCATED_MEMORY, ASC_RET_CONNECTION, ASC_RET_DATAGRAM, ISC_REQ_ALLOCATE_MEMORY,
    ISC_REQ_CONNECTION, ISC_REQ_DATAGRAM, ISC_REQ_EXTENDED_ERROR, ISC_RET_ALLOCATED_MEMORY,
    ISC_RET_CONNECTION, ISC_RET_DATAGRAM, SECURITY_NATIVE_DREP, SECURITY_NETWORK_DREP,
};
use super::time::TimeStamp;
use super::{SecurityStatus, SspiError};
use crate::Provider;

/// What a call of `InitializeSecurityContext` or `AcceptSecurityContext` returns besides the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// `SEC_E_OK`: established. `SEC_I_CONTINUE_NEEDED`: send the token and wait for the peer's.
    /// In either case a token in the output buffer must be sent.
    pub status: SecurityStatus,
    /// `pfContextAttr`. Those that have to do with security are told with `SEC_E_OK` alone.
    pub attributes: u32,
    /// `ptsExpiry`; [`TimeStamp::NEVER`] before `SEC_E_OK`.
    pub expiry: TimeStamp,
}

/// What both functions are called with, but for the context and the output.
pub(super) struct Call<'a> {
    pub(super) side: Side,
    pub(super) credential: &'a CredHandle,
    pub(super) requested: u32,
    pub(super) target_data_rep: u32,
    pub(super) target: Option<&'a str>,
    pub(super) input: Option<&'a SecBufferDesc<'a>>,
}

impl Call<'_> {
    /// Goes on with a context, or makes one of what `begin` returns and keeps it where the caller
    /// can go on with it.
    pub(super) fn advance(
        self,
        context: &mut Option<CtxtHandle>,
        output: &mut SecBufferDesc<'_>,
        begin: impl FnOnce(
            &Credential,
            Option<&ChannelBindings>,
        ) -> Result<(Box<dyn Mechanism>, Provider), SspiError>,
    ) -> Result<Progress, SspiError> {
        check_data_rep(self.target_data_rep)?;
        let Input { token, bindings } = Input::of(self.input)?;
        if let Some(CtxtHandle(context)) = context {
            context.check_begun(self.side, self.credential)?;
            context.check_later(bindings.as_ref())?;
            return context.advance(token, output);
        }
        let credential = &self.credential.0;
        self.side.check(credential.package, self.requested)?;
        let (mechanism, provider) = begin(credential, bindings.as_ref())?;
        let mut new = Box::new(Context {
            provider,
            credential: Some(Arc::clone(credential)),
            package: credential.package,
            side: self.side,
            requested: self.requested,
            target: self.target.map(str::to_owned),
            state: State::Negotiating(mechanism),
            pending: None,
            started: Timestamp::NEVER,
            application_data: None,
            bindings,
        });
        // An empty token is none. Without one an acceptor of Negotiate or of datagrams speaks first
        // (MS-SPNG §3.2.5.2, MS-NLMP §1.3.1.4); an initiator's is what it said.
        let result = new.advance(token.filter(|token| !token.is_empty()), output);
        // A token that did not fit waits in it. After any other error there is nothing to go on with.
        if result.is_ok() || new.pending.is_some() {
            *context = Some(CtxtHandle(new));
        }
        result
    }
}

/// What is in the input buffers.
#[derive(Default)]
struct Input<'b> {
    token: Option<&'b [u8]>,
    bindings: Option<ChannelBindings>,
}

impl<'b> Input<'b> {
    /// Finds the token and the channel bindings; what other packages need is passed over.
    fn of(input: Option<&'b SecBufferDesc<'_>>) -> Result<Self, SspiError> {
        let mut found = Self::default();
        for buffer in input.map(SecBufferDesc::buffers).unwrap_or_default() {
            match buffer.kind() {
                SECBUFFER_TOKEN if found.token.is_some() => {
                    return Err(SecurityStatus::SEC_E_INVALID_PARAMETER.into());
                }
                SECBUFFER_TOKEN => found.token = Some(buffer.bytes()),
                SECBUFFER_CHANNEL_BINDINGS => {
                    let bindings = ChannelBindings::from_sec_channel_bindings(buffer.bytes())
                        .map_err(|_| SecurityStatus::SEC_E_INVALID_PARAMETER)?;
                    found.bindings = Some(bindings);
                }
                _ => {}
            }
        }
        Ok(found)
    }
}

/// `TargetDataRep` is one of two. It changes nothing: tokens of these packages have one form.
fn check_data_rep(target_data_rep: u32) -> Result<(), SspiError> {
    match target_data_rep {
        SECURITY_NATIVE_DREP | SECURITY_NETWORK_DREP => Ok(()),
        _ => Err(SecurityStatus::SEC_E_INVALID_PARAMETER.into()),
    }
}

impl Context {
    fn asks(&self, initiator: u32, acceptor: u32) -> bool {
        let bit = match self.side {
            Side::Initiator => initiator,
            Side::Acceptor => acceptor,
        };
        self.requested & bit != 0
    }

    fn check_begun(&self, side: Side, credential: &CredHandle) -> Result<(), SspiError> {
        if self.side != side {
            return Err(SecurityStatus::SEC_E_INVALID_HANDLE.into());
        }
        match &self.credential {
            Some(begun) if Arc::ptr_eq(begun, &credential.0) => Ok(()),
            Some(_) => Err(SecurityStatus::SEC_E_WRONG_CREDENTIAL_HANDLE.into()),
            None => Err(SecurityStatus::SEC_E_INVALID_HANDLE.into()),
        }
    }

    /// A later call: bindings are those of the first, as the mechanism has begun with them.
    fn check_later(&self, bindings: Option<&ChannelBindings>) -> Result<(), SspiError> {
        match bindings {
            Some(_) if bindings != self.bindings.as_ref() => {
                Err(SecurityStatus::SEC_E_BAD_BINDINGS.into())
            }
            _ => Ok(()),
        }
    }

    /// Takes one step and puts its token into the output buffer.
    fn advance(
        &mut self,
        token: Option<&[u8]>,
        output: &mut SecBufferDesc<'_>,
    ) -> Result<Progress, SspiError> {
        if self.pending.is_none() {
            let State::Negotiating(mechanism) = &mut self.state else {
                return Err(countersign_context::ErrorKind::AlreadyEstablished.into());
            };
            let step = match self.provider.step(mechanism.as_mut(), token) {
                Ok(step) => step,
                Err(error) => {
                    if self.asks(ISC_REQ_EXTENDED_ERROR, ASC_REQ_EXTENDED_ERROR) {
                        self.put(error.token().unwrap_or_default(), output).ok();
                    }
                    return Err(error.into());
                }
            };
            let token = match step {
                Step::Continue { token } => token,
                Step::Established { token, context } => {
                    self.started = self.provider.now();
                    self.state = State::Established(context);
                    token.unwrap_or_default()
                }
                // The provider answers every need.
                Step::Need(_) => {
                    return Err(countersign_context::ErrorKind::Internal("unanswered need").into());
                }
            };
            self.pending = Some(token);
        }
        let token = self.pending.take().unwrap_or_default();
        if let Err(error) = self.put(&token, output) {
            self.pending = Some(token);
            return Err(error);
        }
        Ok(self.outcome())
    }

    /// Puts a token where the caller wants it.
    fn put(&self, token: &[u8], output: &mut SecBufferDesc<'_>) -> Result<(), SspiError> {
        let allocate = self.asks(ISC_REQ_ALLOCATE_MEMORY, ASC_REQ_ALLOCATE_MEMORY);
        match output.find_mut(SECBUFFER_TOKEN) {
            Some(buffer) => buffer.put(token, allocate),
            None if token.is_empty() => Ok(()),
            None => {
                let needed = token.len();
                Err(countersign_context::ErrorKind::BufferTooSmall { needed }.into())
            }
        }
    }

    fn outcome(&self) -> Progress {
        let (status, granted, expires) = match &self.state {
            State::Negotiating(_) => (SecurityStatus::SEC_I_CONTINUE_NEEDED, 0, Timestamp::NEVER),
            State::Established(context) => (
                SecurityStatus::SEC_E_OK,
                self.side.attributes(context.flags()),
                context.expires(),
            ),
        };
        Progress {
            status,
            attributes: granted | self.formal_attributes(),
            expiry: expires.into(),
        }
    }

    /// Attributes that have nothing to do with security.
    fn formal_attributes(&self) -> u32 {
        [
            (
                (ISC_REQ_ALLOCATE_MEMORY, ISC_RET_ALLOCATED_MEMORY),
                (ASC_REQ_ALLOCATE_MEMORY, ASC_RET_ALLOCATED_MEMORY),
            ),
            (
                (ISC_REQ_CONNECTION, ISC_RET_CONNECTION),
                (ASC_REQ_CONNECTION, ASC_RET_CONNECTION),
            ),
            (
                (ISC_REQ_DATAGRAM, ISC_RET_DATAGRAM),
                (ASC_REQ_DATAGRAM, ASC_RET_DATAGRAM),
            ),
        ]
        .into_iter()
        .map(|(initiator, acceptor)| match self.side {
            Side::Initiator => initiator,
            Side::Acceptor => acceptor,
        })
        .filter(|(request, _)| self.requested & request != 0)
        .fold(0, |all, (_, returned)| all | returned)
    }

    /// `pfContextAttr` of an established context.
    pub(super) fn attributes(&self) -> u32 {
        self.outcome().attributes
    }
}
