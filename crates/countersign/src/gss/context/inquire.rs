//! What a context is.

use crate::token::oid::Oid;
use crate::{Flags, Role, Timestamp};

use super::super::Name;
use super::super::error::{GssError, Problem};
use super::{Context, State};

/// What [`inquire_context`] tells.
#[derive(Debug, Clone)]
pub struct ContextInfo {
    /// The initiator, once the context is established.
    pub src_name: Option<Name>,
    /// The acceptor: who it proved to be, or else whom the initiator meant to reach.
    pub targ_name: Option<Name>,
    /// Seconds that the context lasts, 0 once it has expired and before it is established.
    pub lifetime_rec: u32,
    /// When the initiator first authenticated, where the mechanism tells: see
    /// [`SecurityContext::auth_time`](crate::SecurityContext::auth_time).
    pub auth_time: Option<Timestamp>,
    /// The mechanism at work; with SPNEGO the negotiated one, once the context is established.
    pub mech_type: Oid<'static>,
    /// What was granted, once the context is established; nothing before.
    pub ctx_flags: Flags,
    /// Whether this side is the initiator.
    pub locally_initiated: bool,
    /// Whether the context is established.
    pub open: bool,
}

/// What a context is (RFC 2744 §5.20, `gss_inquire_context`).
#[must_use]
pub fn inquire_context(context: &Context) -> ContextInfo {
    let own = || Some(Name::of(context.engine().ok()?.local(), None));
    let (src_name, targ_name) = match context.role {
        Role::Initiator => (own(), context.peer().or_else(|| context.target.clone())),
        Role::Acceptor => (context.peer(), own()),
    };
    ContextInfo {
        src_name,
        targ_name,
        lifetime_rec: context.seconds(),
        auth_time: auth_time(context),
        mech_type: context.mechanism(),
        ctx_flags: context.granted(),
        locally_initiated: context.role == Role::Initiator,
        open: matches!(context.state, State::Established(_)),
    }
}

fn auth_time(context: &Context) -> Option<Timestamp> {
    context.engine().ok()?.auth_time()
}

/// When the initiator first authenticated, by a password say, in Unix seconds: the ticket's `authtime`
/// (`gsskrb5_extract_authtime_from_sec_context`).
///
/// # Errors
/// `GSS_S_UNAVAILABLE` where it is not known: with NTLM, and in an imported context without a PAC;
/// `GSS_S_NO_CONTEXT` before the context is established.
pub fn extract_authtime(context: &Context) -> Result<i64, GssError> {
    context.engine()?;
    let time = auth_time(context).ok_or(Problem::ObjectUnknown)?;
    Ok(time.seconds())
}

/// Seconds that a context lasts (RFC 2744 §5.7, `gss_context_time`);
/// [`GSS_C_INDEFINITE`](super::GSS_C_INDEFINITE) where it does not expire.
///
/// # Errors
/// `GSS_S_CONTEXT_EXPIRED` once it has, `GSS_S_NO_CONTEXT` before it is established.
pub fn context_time(context: &Context) -> Result<u32, GssError> {
    context.engine()?;
    match context.seconds() {
        0 => Err(Problem::ContextExpired.into()),
        seconds => Ok(seconds),
    }
}

/// Takes a token that is for the context itself (RFC 2744 §5.25, `gss_process_context_token`). No
/// mechanism here has any: RFC 4121 has none that delete the peer's context, as RFC 1964 §1.2.3 had.
///
/// # Errors
/// `GSS_S_NO_CONTEXT` before the context is established, `GSS_S_DEFECTIVE_TOKEN` afterwards: always.
pub fn process_context_token(context: &mut Context, token: &[u8]) -> Result<(), GssError> {
    let _ = token;
    context.engine()?;
    Err(Problem::ContextToken.into())
}
