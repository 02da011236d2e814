//! Context handles.
//!
//! ```text
//!           initialize / accept, first call
//!                         │
//!                         ▼
//!              ┌─▶ Negotiating ── SEC_I_CONTINUE_NEEDED ─┐
//!              └──────────│──────────────────────────────┘
//!                         │ SEC_E_OK
//!                         ▼
//!                    Established ── export ──▶ bytes ── import ──▶ Established
//!                         │
//!                         └── delete
//!
//!   An output token that did not fit waits in the handle; the next call puts it out.
//! ```

use core::fmt;
use std::sync::Arc;

use countersign_context::{ChannelBindings, Mechanism, Role, SecurityContext, Timestamp};
use countersign_credential::TicketCredential;

use super::credential::Credential;
use super::flag_rules::Side;
use super::package::Package;
use super::{SecurityStatus, SspiError};
use crate::Provider;

/// `CtxtHandle`: a context, half-open or established.
///
/// Windows warns not to use a handle in concurrent calls. Here every function that changes the
/// context takes `&mut CtxtHandle`, so that it cannot be:
///
/// ```compile_fail,E0499
/// use countersign::sspi::{CtxtHandle, SecBufferDesc, make_signature};
///
/// fn two_threads(mut context: CtxtHandle) {
///     std::thread::scope(|scope| {
///         scope.spawn(|| make_signature(&mut context, 0, &mut SecBufferDesc::default(), 0));
///         scope.spawn(|| make_signature(&mut context, 0, &mut SecBufferDesc::default(), 0));
///     });
/// }
/// ```
///
/// A deleted handle is gone:
///
/// ```compile_fail,E0382
/// use countersign::sspi::{CtxtHandle, SECPKG_ATTR_SIZES, delete_security_context, query_context_attributes};
///
/// fn used_after_delete(context: CtxtHandle) {
///     delete_security_context(context);
///     query_context_attributes(&context, SECPKG_ATTR_SIZES);
/// }
/// ```
///
/// There are no two handles of one context:
///
/// ```compile_fail,E0599
/// fn copied(context: countersign::sspi::CtxtHandle) -> countersign::sspi::CtxtHandle {
///     context.clone()
/// }
/// ```
///
/// One that waits for its peer can be kept anywhere and go on on another thread.
pub struct CtxtHandle(pub(super) Box<Context>);

pub(super) struct Context {
    pub(super) provider: Provider,
    /// What it was begun with; `None` where it was imported.
    pub(super) credential: Option<Arc<Credential>>,
    pub(super) package: Package,
    pub(super) side: Side,
    pub(super) requested: u32,
    pub(super) bindings: Option<ChannelBindings>,
    pub(super) target: Option<String>,
    pub(super) state: State,
    /// A token that did not fit into the output buffer.
    pub(super) pending: Option<Vec<u8>>,
    /// When it was established.
    pub(super) started: Timestamp,
    pub(super) application_data: Option<Vec<u8>>,
}

pub(super) enum State {
    Negotiating(Box<dyn Mechanism>),
    Established(Box<SecurityContext>),
}

impl CtxtHandle {
    /// The package that it was begun with.
    #[must_use]
    pub fn package(&self) -> Package {
        self.0.package
    }

    /// Whether it is established: the last call returned `SEC_E_OK`.
    #[must_use]
    pub fn is_established(&self) -> bool {
        matches!(self.0.state, State::Established(_)) && self.0.pending.is_none()
    }

    /// The engine's context under it.
    ///
    /// # Errors
    /// `SEC_E_INVALID_HANDLE` before it is established.
    pub fn context(&self) -> Result<&SecurityContext, SspiError> {
        self.0.established()
    }

    /// The ticket-granting ticket that the client delegated, once. With
    /// [`ClientCredential::delegated`](crate::kerberos::kdc::ClientCredential::delegated) as the
    /// initiator of a [`Provider`] the server acts as the client elsewhere: what an impersonating
    /// thread gets from `AcquireCredentialsHandle` on Windows.
    ///
    /// # Errors
    /// `SEC_E_INVALID_HANDLE` before the context is established.
    pub fn take_delegated(&mut self) -> Result<Option<TicketCredential>, SspiError> {
        match &mut self.0.state {
            State::Established(context) if self.0.pending.is_none() => Ok(context.take_delegated()),
            _ => Err(SecurityStatus::SEC_E_INVALID_HANDLE.into()),
        }
    }

    /// The engine's context, for what these functions do not offer, such as two halves for two
    /// threads.
    ///
    /// # Errors
    /// `SEC_E_INVALID_HANDLE` before it is established.
    pub fn into_context(self) -> Result<Box<SecurityContext>, SspiError> {
        match self.0.state {
            State::Established(context) if self.0.pending.is_none() => Ok(context),
            _ => Err(SecurityStatus::SEC_E_INVALID_HANDLE.into()),
        }
    }
}

impl Context {
    pub(super) fn established(&self) -> Result<&SecurityContext, SspiError> {
        match &self.state {
            State::Established(context) if self.pending.is_none() => Ok(context),
            _ => Err(SecurityStatus::SEC_E_INVALID_HANDLE.into()),
        }
    }

    /// For messages: established, and not expired.
    pub(super) fn live(&mut self) -> Result<&mut SecurityContext, SspiError> {
        let now = self.provider.now();
        match &mut self.state {
            State::Established(context) if self.pending.is_none() => {
                if context.is_expired(now) {
                    return Err(SecurityStatus::SEC_E_CONTEXT_EXPIRED.into());
                }
                Ok(context)
            }
            _ => Err(SecurityStatus::SEC_E_INVALID_HANDLE.into()),
        }
    }

    pub(super) fn role(&self) -> Role {
        match self.side {
            Side::Initiator => Role::Initiator,
            Side::Acceptor => Role::Acceptor,
        }
    }
}

/// `DeleteSecurityContext`. Dropping the handle does the same.
pub fn delete_security_context(context: CtxtHandle) {
    drop(context);
}

impl fmt::Debug for CtxtHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CtxtHandle")
            .field("package", &self.0.package)
            .field("role", &self.0.role())
            .field("established", &self.is_established())
            .finish_non_exhaustive()
    }
}

/// Half-open contexts wait in maps and go on on other threads.
const _: () = {
    const fn sendable<T: Send + Sync + 'static>() {}
    sendable::<CtxtHandle>();
};
