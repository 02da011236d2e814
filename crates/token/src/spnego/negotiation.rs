use alloc::vec::Vec;

use super::init::NegTokenInit;
use super::resp::NegTokenResp;
use crate::error::DecodeError;
use crate::framing::InitialToken;

/// A token of either kind.
///
/// ```text
/// NegotiationToken ::= CHOICE {
///     negTokenInit [0] NegTokenInit,
///     negTokenResp [1] NegTokenResp
/// }
/// ```
///
/// Source: RFC 4178 §4.2: the first alternative in the frame of RFC 2743 §3.1, the second without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Negotiation<'a> {
    /// The first token of the one side or the other.
    Init(NegTokenInit<'a>),
    /// Every other one.
    Resp(NegTokenResp<'a>),
}

impl<'a> Negotiation<'a> {
    /// Reads a token: framed it must be a [`NegTokenInit`], unframed a [`NegTokenResp`].
    ///
    /// # Errors
    /// As [`NegTokenInit::parse`] or [`NegTokenResp::parse`].
    #[inline]
    pub fn parse(token: &'a [u8]) -> Result<Self, DecodeError> {
        if InitialToken::is_framed(token) {
            NegTokenInit::parse(token).map(Self::Init)
        } else {
            NegTokenResp::parse(token).map(Self::Resp)
        }
    }

    /// The token.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Init(init) => init.to_bytes(),
            Self::Resp(resp) => resp.to_bytes(),
        }
    }
}
