//! Negotiate: SPNEGO (RFC 4178) as Windows speaks it (MS-SPNG).
//!
//! ```text
//! initiator                                              acceptor
//!   NegTokenInit: list, first token of the first  ────▶  chooses; another than the first: that
//!                                                        token is thrown away
//!   NegTokenResp: token                          ◀────▶  NegTokenResp: state, choice, token
//!                     … until the mechanism is done on both sides …
//!   mechListMIC over the list                    ◀────▶  mechListMIC over the list
//! ```
//!
//! The list is not protected while it is negotiated. Where anything but the initiator's first choice
//! comes out of it, both sides therefore prove by a MIC of the chosen mechanism that they saw the
//! same list (RFC 4178 §5), and a context without that proof is refused.
//!
//! Which mechanisms there are is what the caller offers, in the order of the caller's preference;
//! each is any [`Mechanism`](crate::Mechanism).

mod acceptor;
mod candidates;
mod initiator;
mod inner;
mod proof;
mod raw;

pub use acceptor::Acceptor;
pub use initiator::{Fallback, Initiator};
pub use raw::RawTokens;

use crate::error::Error;

/// How a context was negotiated.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Negotiated {
    /// Both sides have proved to each other that they saw the same list of mechanisms. Without it
    /// the mechanism is the initiator's first choice.
    pub proved: bool,
    /// Why the initiator's preferred mechanisms were not even offered, in the order of preference.
    pub fallbacks: Vec<Error>,
}
