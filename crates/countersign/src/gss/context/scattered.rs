//! Messages that lie in several buffers, and associated data.
//!
//! | `gssapi_ext.h` | number | [`IoBuffer`] |
//! |---|---|---|
//! | `GSS_IOV_BUFFER_TYPE_EMPTY` | 0 | leave it out |
//! | `GSS_IOV_BUFFER_TYPE_DATA` | 1 | [`IoBuffer::Data`] |
//! | `GSS_IOV_BUFFER_TYPE_HEADER` | 2 | [`IoBuffer::Header`] |
//! | `GSS_IOV_BUFFER_TYPE_MECH_PARAMS` | 3 | leave it out |
//! | `GSS_IOV_BUFFER_TYPE_TRAILER` | 7 | [`IoBuffer::Trailer`] |
//! | `GSS_IOV_BUFFER_TYPE_PADDING` | 9 | [`IoBuffer::Padding`] |
//! | `GSS_IOV_BUFFER_TYPE_STREAM` | 10 | [`IoBuffer::Stream`] |
//! | `GSS_IOV_BUFFER_TYPE_SIGN_ONLY` | 11 | [`IoBuffer::SignOnly`] |
//! | `GSS_IOV_BUFFER_TYPE_MIC_TOKEN` | 12 | what [`get_mic_iov`] returns |
//! | `GSS_IOV_BUFFER_FLAG_ALLOCATE` | 0x10000 | make the room that [`wrap_iov_length`] tells |

use crate::{IoBuffer, Order, Protection};

use super::super::error::GssError;
use super::message::check_qop;
use super::{Context, Unwrapped, Verified, Wrapped};
use crate::context::IovParts;

/// How messages were opened where they lie: where they stand among the others is still to be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a duplicate is told here and nowhere else"]
pub struct UnwrappedIov {
    /// Whether the message was sealed; otherwise everybody could read it.
    pub conf_state: bool,
    /// Where the message stands.
    pub verified: Verified,
}

impl UnwrappedIov {
    fn of((protection, order): (Protection, Order)) -> Self {
        Self {
            conf_state: protection.is_sealed(),
            verified: Verified::of(order),
        }
    }
}

/// Protects a message that lies in several buffers, in place (`gss_wrap_iov`).
///
/// # Errors
/// As [`wrap`](super::wrap); `GSS_S_FAILURE` where the buffers do not fit together.
pub fn wrap_iov(
    context: &mut Context,
    conf_req: bool,
    qop_req: u32,
    buffers: &mut [IoBuffer<'_>],
) -> Result<bool, GssError> {
    check_qop(qop_req)?;
    context.established()?.wrap_iov(conf_req, buffers)?;
    Ok(conf_req)
}

/// The lengths of header, padding and trailer for these buffers, whose own lengths are not looked at
/// (`gss_wrap_iov_length`).
///
/// # Errors
/// As [`wrap_iov`].
pub fn wrap_iov_length(
    context: &Context,
    conf_req: bool,
    qop_req: u32,
    buffers: &[IoBuffer<'_>],
) -> Result<IovParts, GssError> {
    check_qop(qop_req)?;
    Ok(context.engine()?.wrap_iov_length(conf_req, buffers)?)
}

/// Verifies a message that lies in several buffers, in place (`gss_unwrap_iov`).
///
/// # Errors
/// As [`unwrap`](super::unwrap); `GSS_S_FAILURE` where the buffers do not fit together.
pub fn unwrap_iov(
    context: &mut Context,
    buffers: &mut [IoBuffer<'_>],
) -> Result<UnwrappedIov, GssError> {
    let opened = context.established()?.unwrap_iov_any_order(buffers)?;
    Ok(UnwrappedIov::of(opened))
}

/// Protects a message together with `associated`, which is not part of the token (`gss_wrap_aead`).
///
/// # Errors
/// As [`wrap`](super::wrap).
pub fn wrap_aead(
    context: &mut Context,
    conf_req: bool,
    qop_req: u32,
    associated: &[u8],
    message: &[u8],
) -> Result<Wrapped, GssError> {
    check_qop(qop_req)?;
    let established = context.established()?;
    Ok(Wrapped {
        token: established.wrap_aead(conf_req, associated, message)?,
        conf_state: conf_req,
    })
}

/// Verifies a token that was made with associated data (`gss_unwrap_aead`).
///
/// # Errors
/// As [`unwrap`](super::unwrap).
pub fn unwrap_aead(
    context: &mut Context,
    token: &[u8],
    associated: &[u8],
) -> Result<Unwrapped, GssError> {
    let opened = context
        .established()?
        .unwrap_aead_any_order(token, associated)?;
    Ok(Unwrapped::of(opened))
}

/// The MIC of a message that lies in several buffers, [`IoBuffer::Data`] and [`IoBuffer::SignOnly`]
/// (`gss_get_mic_iov`).
///
/// # Errors
/// As [`get_mic`](super::get_mic); `GSS_S_FAILURE` for other buffers.
pub fn get_mic_iov(
    context: &mut Context,
    qop_req: u32,
    message: &[IoBuffer<'_>],
) -> Result<Vec<u8>, GssError> {
    check_qop(qop_req)?;
    Ok(context.established()?.get_mic_iov(message)?)
}

/// How long a MIC is (`gss_get_mic_iov_length`).
///
/// # Errors
/// `GSS_S_NO_CONTEXT`, `GSS_S_BAD_QOP`.
pub fn get_mic_iov_length(context: &Context, qop_req: u32) -> Result<usize, GssError> {
    check_qop(qop_req)?;
    Ok(context.engine()?.sizes().max_signature)
}

/// Verifies the MIC of a message that lies in several buffers, however it was cut where the MIC was
/// made (`gss_verify_mic_iov`).
///
/// # Errors
/// As [`verify_mic`](super::verify_mic); `GSS_S_FAILURE` for other buffers.
pub fn verify_mic_iov(
    context: &mut Context,
    message: &[IoBuffer<'_>],
    mic: &[u8],
) -> Result<Verified, GssError> {
    let order = context
        .established()?
        .verify_mic_iov_any_order(message, mic)?;
    Ok(Verified::of(order))
}
