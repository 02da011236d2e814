//! The end of a context here, and its life elsewhere.

use crate::crypto::Zeroizing;
use crate::{Provider, SecurityContext};

use super::super::error::{GssError, Problem};
use super::super::mechanism::Mech;
use super::{Context, State};

/// Ends a context (RFC 2744 §5.9, `gss_delete_sec_context`) and wipes its keys, as dropping it does.
/// No token is made for the peer; RFC 2743 §2.2.3 advises against it.
pub fn delete_sec_context(context: &mut Option<Context>) {
    *context = None;
}

/// The context as bytes, for another process (RFC 2744 §5.14, `gss_export_sec_context`); here it is
/// gone afterwards. The form is this library's own.
///
/// **The bytes contain the context's keys**: see [`SecurityContext::export`].
///
/// # Errors
/// `GSS_S_NO_CONTEXT` where there is none or it is not established: it then stays.
pub fn export_sec_context(context: &mut Option<Context>) -> Result<Zeroizing<Vec<u8>>, GssError> {
    context.as_ref().ok_or(Problem::ContextMissing)?.engine()?;
    let taken = context.take().ok_or(Problem::ContextMissing)?;
    Ok(taken.into_engine()?.export()?)
}

/// A context that was exported (RFC 2744 §5.17, `gss_import_sec_context`), with the provider's clock.
///
/// # Errors
/// `GSS_S_DEFECTIVE_TOKEN`.
pub fn import_sec_context(provider: &Provider, exported: &[u8]) -> Result<Context, GssError> {
    let context = provider.with_environment(|env| SecurityContext::import(exported, env))?;
    Ok(Context {
        provider: provider.clone(),
        role: context.role(),
        asked: Mech::of(context.mechanism())?,
        target: None,
        proxy: None,
        wanted_until: None,
        state: State::Established(Box::new(context)),
    })
}
