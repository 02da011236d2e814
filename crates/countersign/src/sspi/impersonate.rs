//! Impersonation: whom the current thread or task acts for.
//!
//! ```text
//! impersonate_security_context ──▶ Impersonation ─┐   current_identity() tells the client
//!                                                 └── dropped or reverted: as before
//! Impersonated (a future) ── each poll ──▶ the same, for as long as the poll lasts
//! ```
//!
//! Nothing of the operating system changes, unless an [`Impersonator`] does that: a program that
//! authorizes by itself asks [`current_identity`].

use core::cell::{Cell, RefCell};
use core::fmt;
use core::future::Future;
use core::marker::PhantomData;
use core::pin::Pin;
use core::task::{Context as TaskContext, Poll};
use std::sync::Arc;

use super::access_token::{AccessToken, SecurityImpersonationLevel};
use super::context::CtxtHandle;
use super::{SecurityStatus, SspiError};

thread_local! {
    /// Who is impersonated on this thread, the innermost last.
    static CURRENT: RefCell<Vec<(u64, Arc<AccessToken>)>> = const { RefCell::new(Vec::new()) };
    static NEXT: Cell<u64> = const { Cell::new(0) };
}

/// Whom this thread, or the task that is being polled on it, acts for; `None`: itself.
#[must_use]
pub fn current_identity() -> Option<Arc<AccessToken>> {
    CURRENT.with_borrow(|all| all.last().map(|(_, token)| Arc::clone(token)))
}

/// A client is impersonated as long as this lives.
///
/// It stays on its thread, and may be dropped before or after others that were begun there:
///
/// ```compile_fail,E0277
/// fn elsewhere(impersonation: countersign::sspi::Impersonation) {
///     std::thread::spawn(move || drop(impersonation));
/// }
/// ```
#[must_use = "what is dropped is reverted at once"]
pub struct Impersonation {
    number: u64,
    token: Arc<AccessToken>,
    /// Undoes what was done to the operating system.
    revert: Option<Box<dyn FnOnce()>>,
    /// Neither `Send` nor `Sync`.
    thread: PhantomData<*const ()>,
}

impl Impersonation {
    /// Acts for the holder of a token on this thread.
    pub fn begin(token: Arc<AccessToken>) -> Self {
        let number = NEXT.get();
        NEXT.set(number.wrapping_add(1));
        CURRENT.with_borrow_mut(|all| all.push((number, Arc::clone(&token))));
        Self {
            number,
            token,
            revert: None,
            thread: PhantomData,
        }
    }

    /// Who is impersonated.
    #[must_use]
    pub fn token(&self) -> &Arc<AccessToken> {
        &self.token
    }
}

impl Drop for Impersonation {
    fn drop(&mut self) {
        if let Some(revert) = self.revert.take() {
            revert();
        }
        CURRENT.with_borrow_mut(|all| all.retain(|(number, _)| *number != self.number));
    }
}

impl fmt::Debug for Impersonation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Impersonation").field(&self.token).finish()
    }
}

/// `ImpersonateSecurityContext`: acts for the client on this thread.
///
/// # Errors
/// `SEC_E_NO_IMPERSONATION` on the client's side and under
/// [`ASC_REQ_NO_TOKEN`](super::ASC_REQ_NO_TOKEN); `SEC_E_INVALID_HANDLE` before the context is
/// established.
pub fn impersonate_security_context(context: &CtxtHandle) -> Result<Impersonation, SspiError> {
    Ok(Impersonation::begin(Arc::new(context.0.access_token()?)))
}

/// `RevertSecurityContext`. Dropping the guard does the same.
pub fn revert_security_context(impersonation: Impersonation) {
    drop(impersonation);
}

/// Makes a client's rights those of the thread in the operating system.
pub trait Impersonator {
    /// Does so, and returns what undoes it, which runs on the same thread. After an error nothing
    /// has changed.
    ///
    /// # Errors
    /// `SEC_E_NO_IMPERSONATION` where the client has no account there or the process no right to.
    fn impersonate(&self, token: &AccessToken) -> Result<Box<dyn FnOnce()>, SspiError>;
}

/// As [`impersonate_security_context`], in the operating system too.
///
/// # Errors
/// As there; `SEC_E_NO_IMPERSONATION` where the client's token is for identification alone, or the
/// impersonator says so.
pub fn impersonate_with(
    context: &CtxtHandle,
    impersonator: &impl Impersonator,
) -> Result<Impersonation, SspiError> {
    let token = context.0.access_token()?;
    if token.level() < SecurityImpersonationLevel::Impersonation {
        return Err(SecurityStatus::SEC_E_NO_IMPERSONATION.into());
    }
    let revert = impersonator.impersonate(&token)?;
    let mut impersonation = Impersonation::begin(Arc::new(token));
    impersonation.revert = Some(revert);
    Ok(impersonation)
}

/// A future that acts for a client whenever it is polled, on whichever thread. It does so within
/// the program; the operating system's threads are shared with other tasks and stay as they are.
///
/// ```
/// use std::sync::Arc;
/// use countersign::sspi::{AccessToken, Impersonated, current_identity};
///
/// async fn serve(token: AccessToken) -> String {
///     let work = async { current_identity().map(|token| token.to_string()) };
///     Impersonated::new(Arc::new(token), work).await.unwrap_or_default()
/// }
/// ```
pub struct Impersonated<F> {
    token: Arc<AccessToken>,
    future: Pin<Box<F>>,
}

impl<F: Future> Impersonated<F> {
    /// `future`, for the holder of `token`.
    pub fn new(token: Arc<AccessToken>, future: F) -> Self {
        Self {
            token,
            future: Box::pin(future),
        }
    }
}

impl<F: Future> Future for Impersonated<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut TaskContext<'_>) -> Poll<F::Output> {
        let _impersonation = Impersonation::begin(Arc::clone(&self.token));
        self.future.as_mut().poll(context)
    }
}

impl<F> fmt::Debug for Impersonated<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Impersonated").field(&self.token).finish()
    }
}
