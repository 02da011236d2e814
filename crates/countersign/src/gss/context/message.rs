//! The protection of messages.
//!
//! | C | here |
//! |---|---|
//! | `gss_wrap`, `gss_unwrap` | [`wrap`], [`unwrap`] |
//! | `gss_get_mic`, `gss_verify_mic` | [`get_mic`], [`verify_mic`] |
//! | `gss_wrap_size_limit` | [`wrap_size_limit`] |
//! | `GSS_S_DUPLICATE_TOKEN`, `…OLD…`, `…UNSEQ…`, `…GAP…` beside a message | [`Unwrapped::any_order`], [`Verified::any_order`]; errors of `in_order` |

use core::fmt;

use crate::{ErrorKind, MajorStatus, Order};

use super::super::error::{GssError, Problem};
use super::{Context, GSS_C_QOP_DEFAULT};

/// What [`wrap`] gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrapped {
    /// To be sent.
    pub token: Vec<u8>,
    /// Whether the message in it is sealed: always as it was asked for.
    pub conf_state: bool,
}

/// A verified message, which is handed out only to who says what is to become of its order:
/// [`in_order`](Self::in_order) or [`any_order`](Self::any_order).
#[derive(Clone, PartialEq, Eq)]
#[must_use = "a duplicate is told here and nowhere else"]
pub struct Unwrapped {
    message: Vec<u8>,
    order: Order,
    conf_state: bool,
}

/// A MIC that is right. Where its message stands among the others is still to be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a duplicate is told here and nowhere else"]
pub struct Verified {
    order: Order,
}

impl Unwrapped {
    /// Whether the message was sealed; otherwise everybody could read it.
    #[must_use]
    pub fn conf_state(&self) -> bool {
        self.conf_state
    }

    /// The quality of protection: always [`GSS_C_QOP_DEFAULT`].
    #[must_use]
    pub fn qop_state(&self) -> u32 {
        GSS_C_QOP_DEFAULT
    }

    /// The message, if it is the one that was due.
    ///
    /// # Errors
    /// The supplementary status as an error: a duplicate, an old message, one out of order, one after
    /// a gap; each only where the context's flags ask for it.
    pub fn in_order(self) -> Result<Vec<u8>, GssError> {
        strict(self.order)?;
        Ok(self.message)
    }

    /// The message, and the supplementary status beside it: `GSS_S_COMPLETE`, or where it stands.
    #[must_use]
    pub fn any_order(self) -> (Vec<u8>, MajorStatus) {
        (self.message, supplementary(self.order))
    }
}

impl Verified {
    /// The quality of protection: always [`GSS_C_QOP_DEFAULT`].
    #[must_use]
    pub fn qop_state(&self) -> u32 {
        GSS_C_QOP_DEFAULT
    }

    /// Nothing, if the message is the one that was due.
    ///
    /// # Errors
    /// As [`Unwrapped::in_order`].
    pub fn in_order(self) -> Result<(), GssError> {
        strict(self.order)
    }

    /// The supplementary status: `GSS_S_COMPLETE`, or where the message stands.
    #[must_use]
    pub fn any_order(self) -> MajorStatus {
        supplementary(self.order)
    }

    pub(super) fn of(order: Order) -> Self {
        Self { order }
    }
}

impl Unwrapped {
    pub(super) fn of((opened, order): (crate::Unwrapped, Order)) -> Self {
        Self {
            message: opened.message,
            order,
            conf_state: opened.sealed,
        }
    }
}

impl fmt::Debug for Unwrapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unwrapped")
            .field("message_len", &self.message.len())
            .field("order", &self.order)
            .field("conf_state", &self.conf_state)
            .finish()
    }
}

fn supplementary(order: Order) -> MajorStatus {
    match order {
        Order::InOrder => MajorStatus::GSS_S_COMPLETE,
        Order::Duplicate => MajorStatus::GSS_S_DUPLICATE_TOKEN,
        Order::Old => MajorStatus::GSS_S_OLD_TOKEN,
        Order::Unsequenced => MajorStatus::GSS_S_UNSEQ_TOKEN,
        Order::Gap => MajorStatus::GSS_S_GAP_TOKEN,
    }
}

fn strict(order: Order) -> Result<(), GssError> {
    Err(match order {
        Order::InOrder => return Ok(()),
        Order::Duplicate => ErrorKind::MessageDuplicate,
        Order::Old => ErrorKind::MessageOld,
        Order::Unsequenced => ErrorKind::MessageUnsequenced,
        Order::Gap => ErrorKind::MessageGap,
    }
    .into())
}

pub(super) fn check_qop(qop: u32) -> Result<(), GssError> {
    if qop == GSS_C_QOP_DEFAULT {
        Ok(())
    } else {
        Err(Problem::Qop.into())
    }
}

/// Protects a message (RFC 2744 §5.33, `gss_wrap`): sealed with `conf_req`, else signed only.
///
/// # Errors
/// `GSS_S_NO_CONTEXT` before the context is established; `GSS_S_BAD_QOP` for another quality than
/// the default, and for protection that was not granted.
pub fn wrap(
    context: &mut Context,
    conf_req: bool,
    qop_req: u32,
    message: &[u8],
) -> Result<Wrapped, GssError> {
    check_qop(qop_req)?;
    Ok(Wrapped {
        token: context.established()?.wrap(conf_req, message)?,
        conf_state: conf_req,
    })
}

/// Verifies a token and opens its message (RFC 2744 §5.31, `gss_unwrap`).
///
/// # Errors
/// `GSS_S_DEFECTIVE_TOKEN`; `GSS_S_BAD_SIG` where it was altered or is of another context;
/// `GSS_S_NO_CONTEXT`.
pub fn unwrap(context: &mut Context, token: &[u8]) -> Result<Unwrapped, GssError> {
    let opened = context.established()?.unwrap_any_order(token)?;
    Ok(Unwrapped::of(opened))
}

/// A token that proves a message's integrity and is sent beside it (RFC 2744 §5.15, `gss_get_mic`).
///
/// # Errors
/// As [`wrap`].
pub fn get_mic(context: &mut Context, qop_req: u32, message: &[u8]) -> Result<Vec<u8>, GssError> {
    check_qop(qop_req)?;
    Ok(context.established()?.get_mic(message)?)
}

/// Verifies that a MIC belongs to a message (RFC 2744 §5.32, `gss_verify_mic`).
///
/// # Errors
/// As [`unwrap`].
pub fn verify_mic(context: &mut Context, message: &[u8], mic: &[u8]) -> Result<Verified, GssError> {
    let order = context.established()?.verify_mic_any_order(message, mic)?;
    Ok(Verified::of(order))
}

/// How long a message may be so that its token has at most `req_output_size` bytes (RFC 2744 §5.34,
/// `gss_wrap_size_limit`). Zero where not even an empty one fits.
///
/// # Errors
/// `GSS_S_NO_CONTEXT`, `GSS_S_BAD_QOP`.
pub fn wrap_size_limit(
    context: &Context,
    conf_req: bool,
    qop_req: u32,
    req_output_size: usize,
) -> Result<usize, GssError> {
    check_qop(qop_req)?;
    Ok(context.engine()?.wrap_size_limit(conf_req, req_output_size))
}
