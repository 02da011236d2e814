//! Security contexts: established token by token, then protecting messages.
//!
//! ```text
//!   None ── init_sec_context, accept_sec_context ──▶ half open ── the same, with the peer's token ──▶ established
//!     ▲                                                 │                                               │
//!     │                                                 └── error: it stays, and repeats the error      │
//!     └──────────────── delete_sec_context, export_sec_context ◀────────────────────────────────────────┘
//!                                          import_sec_context ─────────────────────────────────────────▶┘
//! ```

mod accept;
mod initiate;
mod inquire;
mod keys;
mod lucid;
mod mechanisms;
mod message;
mod scattered;
mod transfer;

use core::fmt;

use crate::kerberos::kdc::ClientCredential;
use crate::token::oid::Oid;
use crate::{Error, Flags, Mechanism, Provider, Role, SecurityContext, Step, Timestamp};

use super::Name;
use super::error::{GssError, Problem};
use super::flags;
use super::mechanism::Mech;
use super::name::Attributes;

pub use accept::{AcceptResult, accept_sec_context};
pub use initiate::{InitResult, init_sec_context};
pub use inquire::{
    ContextInfo, context_time, extract_authtime, inquire_context, process_context_token,
};
pub use keys::{
    GSS_C_INQ_SSPI_SESSION_KEY, GSS_C_PRF_KEY_FULL, GSS_C_PRF_KEY_PARTIAL,
    GSS_KRB5_EXTRACT_AUTHZ_DATA_FROM_SEC_CONTEXT_OID, extract_authz_data,
    inquire_sec_context_by_oid, pseudo_random,
};
pub use lucid::{
    GSS_KRB5_LUCID_V1, LucidContextV1, LucidKey, LucidProtocol, export_lucid_sec_context,
};
pub use message::{
    Unwrapped, Verified, Wrapped, get_mic, unwrap, verify_mic, wrap, wrap_size_limit,
};
pub use scattered::{
    UnwrappedIov, get_mic_iov, get_mic_iov_length, unwrap_aead, unwrap_iov, verify_mic_iov,
    wrap_aead, wrap_iov, wrap_iov_length,
};
pub use transfer::{delete_sec_context, export_sec_context, import_sec_context};

/// `GSS_C_INDEFINITE`: it does not expire.
pub const GSS_C_INDEFINITE: u32 = 0xffff_ffff;
/// `GSS_C_QOP_DEFAULT`: the quality of protection of the context's own algorithms, the only one here.
pub const GSS_C_QOP_DEFAULT: u32 = 0;

/// Whether a context is established: the major status of a call that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// `GSS_S_COMPLETE`. There may still be a token to be sent.
    Complete,
    /// `GSS_S_CONTINUE_NEEDED`: another token of the peer is needed.
    ContinueNeeded,
}

impl Status {
    /// The number that RFC 2744 has for it.
    #[must_use]
    pub const fn major(self) -> crate::MajorStatus {
        match self {
            Self::Complete => crate::MajorStatus::GSS_S_COMPLETE,
            Self::ContinueNeeded => crate::MajorStatus::GSS_S_CONTINUE_NEEDED,
        }
    }
}

/// A security context (`gss_ctx_id_t`).
///
/// It is not `Clone`: bind it to the one connection on which it is established. It is
/// `Send + Sync + 'static`, half open as well as established.
pub struct Context {
    provider: Provider,
    role: Role,
    asked: Mech,
    /// The name that the initiator was given.
    target: Option<Name>,
    /// The service as a client, where it is to act for the initiator.
    proxy: Option<ClientCredential>,
    /// Until when the initiator wanted it.
    wanted_until: Option<Timestamp>,
    state: State,
}

enum State {
    HalfOpen(Box<dyn Mechanism>),
    Established(Box<SecurityContext>),
}

impl Context {
    /// The engine's context, once this one is established: for [`SecurityContext::split`] and what
    /// else this face has no name for.
    ///
    /// # Errors
    /// `GSS_S_NO_CONTEXT` before.
    pub fn into_engine(self) -> Result<SecurityContext, GssError> {
        match self.state {
            State::Established(context) => Ok(*context),
            State::HalfOpen(_) => Err(Problem::ContextIncomplete.into()),
        }
    }

    /// The engine's context, to look at.
    ///
    /// # Errors
    /// `GSS_S_NO_CONTEXT` before this one is established.
    pub fn engine(&self) -> Result<&SecurityContext, GssError> {
        match &self.state {
            State::Established(context) => Ok(context),
            State::HalfOpen(_) => Err(Problem::ContextIncomplete.into()),
        }
    }

    fn established(&mut self) -> Result<&mut SecurityContext, GssError> {
        match &mut self.state {
            State::Established(context) => Ok(context),
            State::HalfOpen(_) => Err(Problem::ContextIncomplete.into()),
        }
    }

    /// One step: the token for the peer, and whether the context is established.
    fn step(&mut self, token: Option<&[u8]>) -> Result<(Status, Option<Vec<u8>>), GssError> {
        let State::HalfOpen(mechanism) = &mut self.state else {
            return Err(Problem::ContextEstablished.into());
        };
        match self.provider.step(mechanism.as_mut(), token)? {
            Step::Continue { token } => Ok((Status::ContinueNeeded, Some(token))),
            Step::Established { token, context } => {
                self.state = State::Established(context);
                Ok((Status::Complete, token))
            }
            // The provider answers what can be answered.
            Step::Need(_) => Err(Error::from(crate::ErrorKind::UnexpectedCall).into()),
        }
    }

    /// The mechanism that is at work, as far as it is known.
    fn mechanism(&self) -> Oid<'static> {
        match &self.state {
            State::Established(context) => context.mechanism(),
            State::HalfOpen(_) => self.asked.oid(),
        }
    }

    /// What was granted; nothing before the context is established.
    fn granted(&self) -> Flags {
        let State::Established(context) = &self.state else {
            return Flags::NONE;
        };
        let mut granted = context.flags() | flags::GSS_C_PROT_READY_FLAG | flags::GSS_C_TRANS_FLAG;
        if self.role == Role::Initiator && granted.contains(Flags::DELEGATION) {
            granted |= flags::GSS_C_DELEG_POLICY_FLAG;
        }
        granted
    }

    fn peer(&self) -> Option<Name> {
        let context = self.engine().ok()?;
        let attributes = context.pac().map(|pac| Attributes::of(&pac));
        Some(Name::of(context.peer()?, attributes))
    }

    /// Seconds that the context lasts, 0 once it has expired or before it is established.
    fn seconds(&self) -> u32 {
        let Ok(context) = self.engine() else { return 0 };
        let now = self.provider.now();
        let left = u32::try_from(context.remaining(now)).unwrap_or(GSS_C_INDEFINITE);
        let Some(until) = self.wanted_until else {
            return left;
        };
        left.min(u32::try_from(until.seconds_since(now).max(0)).unwrap_or(GSS_C_INDEFINITE))
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state: &dyn fmt::Debug = match &self.state {
            State::HalfOpen(mechanism) => mechanism,
            State::Established(context) => context,
        };
        f.debug_struct("Context")
            .field("role", &self.role)
            .field("state", state)
            .finish_non_exhaustive()
    }
}

/// Contexts wait in maps and go to other threads.
const _: () = {
    const fn sendable<T: Send + Sync + 'static>() {}
    sendable::<Context>();
    sendable::<super::Credential>();
    sendable::<Name>();
};
