//! Per-message protection.
//!
//! | function | buffers | what happens |
//! |---|---|---|
//! | `MakeSignature` | TOKEN, DATA… | TOKEN is filled with at most `max_signature` bytes |
//! | `VerifySignature` | TOKEN, DATA… | |
//! | `EncryptMessage` | TOKEN, DATA…, PADDING | DATA is protected where it lies; TOKEN takes `security_trailer` bytes at most, PADDING `block_size` |
//! | `DecryptMessage` | TOKEN, DATA…, PADDING | DATA is opened where it lies |
//! | | STREAM, DATA | a token as `gss_wrap` makes it, or TOKEN, DATA and PADDING one after the other; DATA becomes the message inside |
//!
//! DATA with [`SECBUFFER_READONLY_WITH_CHECKSUM`] is covered by the checksum and not changed; DATA
//! with [`SECBUFFER_READONLY`] is left out.
//!
//! `MessageSeqNo` is for transports that number their messages; 0 where they do not:
//!
//! | context | `MessageSeqNo` |
//! |---|---|
//! | Kerberos | not looked at: it numbers messages itself (RFC 4121 §4.2.1) |
//! | NTLM on a connection | not looked at: numbers begin with 0 and have no gaps (MS-NLMP §3.4.4) |
//! | NTLM of datagrams | 0: the next number, and on the other side any that did not come yet; else the message's number, which must be above all that were sent, and be the one that came, or it is `SEC_E_OUT_OF_SEQUENCE` |

use countersign_context::{Flags, IoBuffer, SecurityContext};

use super::buffer::{
    Memory, SECBUFFER_DATA, SECBUFFER_PADDING, SECBUFFER_READONLY,
    SECBUFFER_READONLY_WITH_CHECKSUM, SECBUFFER_STREAM, SECBUFFER_STREAM_HEADER,
    SECBUFFER_STREAM_TRAILER, SECBUFFER_TOKEN, SecBuffer, SecBufferDesc,
};
use super::context::CtxtHandle;
use super::package::Package;
use super::{SecurityStatus, SspiError};

/// Quality of protection: signed and not encrypted.
pub const SECQOP_WRAP_NO_ENCRYPT: u32 = 0x8000_0001;
/// Quality of protection: an alert of TLS (Schannel).
pub const SECQOP_WRAP_OOB_DATA: u32 = 0x4000_0000;

/// `MakeSignature`. It covers DATA, also with [`SECBUFFER_READONLY_WITH_CHECKSUM`].
///
/// A `message_seq_no` other than 0 is the number of a datagram of NTLM, above all that were used. Other
/// contexts number messages themselves and do not look at it.
///
/// ```no_run
/// use countersign::sspi::*;
///
/// fn signature_of(context: &mut CtxtHandle, data: &[u8]) -> Result<Vec<u8>, SspiError> {
///     let mut message = SecBufferDesc::new([
///         SecBuffer::input(SECBUFFER_DATA, data),
///         SecBuffer::owned(SECBUFFER_TOKEN, Vec::new()),
///     ]);
///     make_signature(context, 0, &mut message, 0)?;
///     Ok(message.token().to_vec())
/// }
/// ```
///
/// # Errors
/// `SEC_E_INVALID_HANDLE` before the context is established; `SEC_E_CONTEXT_EXPIRED`;
/// `SEC_E_QOP_NOT_SUPPORTED` for a quality other than 0 and where integrity was not granted;
/// `SEC_E_INVALID_TOKEN` without a TOKEN buffer; `SEC_E_BUFFER_TOO_SMALL`; `SEC_E_OUT_OF_SEQUENCE` for
/// a number of a datagram that may have been used.
pub fn make_signature(
    context: &mut CtxtHandle,
    qop: u32,
    message: &mut SecBufferDesc<'_>,
    message_seq_no: u32,
) -> Result<(), SspiError> {
    let context = context.0.live()?;
    if qop != 0 {
        return Err(SecurityStatus::SEC_E_QOP_NOT_SUPPORTED.into());
    }
    // Before a number is spent.
    let needed = context.sizes().max_signature;
    let token = message.find(SECBUFFER_TOKEN);
    let token = token.ok_or(SecurityStatus::SEC_E_INVALID_TOKEN)?;
    token.check_room(needed)?;
    number(context, message_seq_no)?;
    let mic = context.get_mic_iov(&covered(message))?;
    match message.find_mut(SECBUFFER_TOKEN) {
        Some(token) => token.put(&mic, false),
        None => Err(SecurityStatus::SEC_E_INVALID_TOKEN.into()),
    }
}

/// `VerifySignature`; returns the quality of protection, 0. A `message_seq_no` other than 0 is the number
/// that a datagram of NTLM must have.
///
/// # Errors
/// `SEC_E_MESSAGE_ALTERED`; `SEC_E_OUT_OF_SEQUENCE` as the context's flags say, and for a datagram
/// that has another number than the transport says;
/// `SEC_E_INVALID_TOKEN` for what is no signature; `SEC_E_INVALID_HANDLE` before the context is
/// established; `SEC_E_CONTEXT_EXPIRED`.
pub fn verify_signature(
    context: &mut CtxtHandle,
    message: &SecBufferDesc<'_>,
    message_seq_no: u32,
) -> Result<u32, SspiError> {
    let context = context.0.live()?;
    let token = message.find(SECBUFFER_TOKEN);
    let token = token.ok_or(SecurityStatus::SEC_E_INVALID_TOKEN)?;
    check_number(context, token.bytes(), message_seq_no)?;
    context.verify_mic_iov(&covered(message), token.bytes())?;
    Ok(0)
}

/// Gives the next message the transport's number, where it has one and the package lets it.
#[cfg_attr(
    not(feature = "ntlm"),
    expect(clippy::unnecessary_wraps, unused_variables, reason = "NTLM only")
)]
fn number(context: &mut SecurityContext, message_seq_no: u32) -> Result<(), SspiError> {
    #[cfg(feature = "ntlm")]
    if message_seq_no != 0 {
        context.number_next(message_seq_no)?;
    }
    Ok(())
}

/// Compares the number of a token that came with the transport's, where it has one and the package
/// lets it.
#[cfg_attr(
    not(feature = "ntlm"),
    expect(clippy::unnecessary_wraps, unused_variables, reason = "NTLM only")
)]
fn check_number(
    context: &SecurityContext,
    token: &[u8],
    message_seq_no: u32,
) -> Result<(), SspiError> {
    #[cfg(feature = "ntlm")]
    if message_seq_no != 0 {
        context.check_number(token, message_seq_no)?;
    }
    Ok(())
}

/// What a signature covers.
fn covered<'b>(message: &'b SecBufferDesc<'_>) -> Vec<IoBuffer<'b>> {
    let data = message
        .buffers()
        .iter()
        .filter(|buffer| buffer.kind() == SECBUFFER_DATA && !buffer.has(SECBUFFER_READONLY));
    data.map(|buffer| IoBuffer::SignOnly(buffer.bytes()))
        .collect()
}

/// `EncryptMessage`. With [`SECQOP_WRAP_NO_ENCRYPT`] the message is signed and stays readable.
/// `message_seq_no` is as with [`make_signature`].
///
/// What is sent is TOKEN, DATA and PADDING, one after the other:
///
/// ```no_run
/// use countersign::sspi::*;
///
/// fn encrypted(context: &mut CtxtHandle, data: Vec<u8>) -> Result<Vec<u8>, SspiError> {
///     let mut message = SecBufferDesc::new([
///         SecBuffer::owned(SECBUFFER_TOKEN, Vec::new()),
///         SecBuffer::owned(SECBUFFER_DATA, data),
///         SecBuffer::owned(SECBUFFER_PADDING, Vec::new()),
///     ]);
///     encrypt_message(context, 0, &mut message, 0)?;
///     let parts = message.into_buffers().into_iter();
///     Ok(parts.flat_map(SecBuffer::into_bytes).collect())
/// }
/// ```
///
/// # Errors
/// `SEC_E_INVALID_HANDLE` before the context is established; `SEC_E_CONTEXT_EXPIRED`;
/// `SEC_E_QOP_NOT_SUPPORTED` for another quality, where confidentiality (or, without encryption,
/// integrity) was not granted, and for [`SECQOP_WRAP_NO_ENCRYPT`] on a context of NTLM that
/// encrypts, as its peer could not tell; `SEC_E_INVALID_TOKEN` without a TOKEN or a DATA buffer;
/// `SEC_E_INVALID_PARAMETER` for buffers of Schannel; `SEC_E_BUFFER_TOO_SMALL`;
/// `SEC_E_OUT_OF_SEQUENCE` for a number of a datagram that may have been used.
pub fn encrypt_message(
    context: &mut CtxtHandle,
    qop: u32,
    message: &mut SecBufferDesc<'_>,
    message_seq_no: u32,
) -> Result<(), SspiError> {
    let context = context.0.live()?;
    let seal = match qop {
        0 => true,
        SECQOP_WRAP_NO_ENCRYPT if always_encrypts(context) => {
            return Err(SecurityStatus::SEC_E_QOP_NOT_SUPPORTED.into());
        }
        SECQOP_WRAP_NO_ENCRYPT => false,
        _ => return Err(SecurityStatus::SEC_E_QOP_NOT_SUPPORTED.into()),
    };
    grow(context, seal, message)?;
    number(context, message_seq_no)?;
    let mut buffers = scattered(message)?;
    let wrapped = context.wrap_iov(seal, &mut buffers);
    let lengths: Vec<usize> = buffers
        .iter()
        .filter_map(|buffer| match buffer {
            IoBuffer::Header(bytes) | IoBuffer::Padding(bytes) => Some(bytes.len()),
            _ => None,
        })
        .collect();
    drop(buffers);
    wrapped?;
    let filled = message
        .buffers
        .iter_mut()
        .filter(|buffer| matches!(buffer.kind(), SECBUFFER_TOKEN | SECBUFFER_PADDING));
    for (buffer, length) in filled.zip(lengths) {
        buffer.cut(length);
    }
    Ok(())
}

/// NTLM has one form of message a context.
fn always_encrypts(context: &SecurityContext) -> bool {
    Package::of_mechanism(context.mechanism()) == Package::Ntlm
        && context.flags().contains(Flags::CONFIDENTIALITY)
}

/// Gives TOKEN and PADDING that are owned the length that they need.
fn grow(
    context: &SecurityContext,
    seal: bool,
    message: &mut SecBufferDesc<'_>,
) -> Result<(), SspiError> {
    let parts = context.wrap_iov_length(seal, &scattered(message)?)?;
    for buffer in &mut message.buffers {
        let needed = match buffer.kind() {
            SECBUFFER_TOKEN => parts.header,
            SECBUFFER_PADDING => parts.padding,
            _ => continue,
        };
        if let Memory::Owned(bytes) = &mut buffer.memory {
            bytes.resize(needed, 0);
        }
    }
    Ok(())
}

/// The buffers of a message whose token stands apart.
fn scattered<'b>(message: &'b mut SecBufferDesc<'_>) -> Result<Vec<IoBuffer<'b>>, SspiError> {
    let (mut token, mut data) = (false, false);
    let mut buffers = Vec::with_capacity(message.buffers.len());
    for buffer in &mut message.buffers {
        let fixed = SspiError::from(SecurityStatus::SEC_E_INVALID_PARAMETER);
        match buffer.kind() {
            SECBUFFER_TOKEN => {
                token = true;
                buffers.push(IoBuffer::Header(buffer.bytes_mut().ok_or(fixed)?));
            }
            SECBUFFER_DATA => {
                data = true;
                if buffer.has(SECBUFFER_READONLY_WITH_CHECKSUM) {
                    buffers.push(IoBuffer::SignOnly(buffer.bytes()));
                } else if !buffer.has(SECBUFFER_READONLY) {
                    buffers.push(IoBuffer::Data(buffer.bytes_mut().ok_or(fixed)?));
                }
            }
            SECBUFFER_PADDING => {
                buffers.push(IoBuffer::Padding(buffer.bytes_mut().ok_or(fixed)?));
            }
            SECBUFFER_STREAM | SECBUFFER_STREAM_HEADER | SECBUFFER_STREAM_TRAILER => {
                return Err(fixed);
            }
            _ => {}
        }
    }
    if token && data {
        Ok(buffers)
    } else {
        Err(SecurityStatus::SEC_E_INVALID_TOKEN.into())
    }
}

/// `DecryptMessage`; returns the quality of protection: 0 for an encrypted message,
/// [`SECQOP_WRAP_NO_ENCRYPT`] for one that everybody could read. `message_seq_no` is as with
/// [`verify_signature`].
///
/// ```no_run
/// use countersign::sspi::*;
///
/// fn decrypted(context: &mut CtxtHandle, mut received: Vec<u8>) -> Result<Vec<u8>, SspiError> {
///     let mut message = SecBufferDesc::new([
///         SecBuffer::new(SECBUFFER_STREAM, &mut received),
///         SecBuffer::new(SECBUFFER_DATA, &mut []),
///     ]);
///     if decrypt_message(context, &mut message, 0)? == SECQOP_WRAP_NO_ENCRYPT {
///         return Err(SecurityStatus::SEC_E_QOP_NOT_SUPPORTED.into());
///     }
///     let data = message.find(SECBUFFER_DATA).map(SecBuffer::bytes);
///     Ok(data.unwrap_or_default().to_vec())
/// }
/// ```
///
/// # Errors
/// `SEC_E_MESSAGE_ALTERED`; `SEC_E_OUT_OF_SEQUENCE` as the context's flags say, and for a datagram
/// that has another number than the transport says;
/// `SEC_E_INVALID_TOKEN` for what is no message, and without the buffers of either layout;
/// `SEC_E_INVALID_HANDLE` before the context is established; `SEC_E_CONTEXT_EXPIRED`. After an error
/// the buffers hold nothing of use.
pub fn decrypt_message(
    context: &mut CtxtHandle,
    message: &mut SecBufferDesc<'_>,
    message_seq_no: u32,
) -> Result<u32, SspiError> {
    let context = context.0.live()?;
    let whole = message.find(SECBUFFER_STREAM);
    let token = whole.or_else(|| message.find(SECBUFFER_TOKEN));
    let token = token.ok_or(SecurityStatus::SEC_E_INVALID_TOKEN)?;
    check_number(context, token.bytes(), message_seq_no)?;
    let sealed = if message.find(SECBUFFER_STREAM).is_some() {
        decrypt_stream(context, message)?
    } else {
        context.unwrap_iov(&mut scattered(message)?)?.is_sealed()
    };
    Ok(if sealed { 0 } else { SECQOP_WRAP_NO_ENCRYPT })
}

fn decrypt_stream(
    context: &mut SecurityContext,
    message: &mut SecBufferDesc<'_>,
) -> Result<bool, SspiError> {
    let writable = |buffer: &SecBuffer<'_>| {
        buffer.kind() == SECBUFFER_DATA
            && !buffer.has(SECBUFFER_READONLY)
            && !buffer.has(SECBUFFER_READONLY_WITH_CHECKSUM)
    };
    let place = message.buffers.iter().position(writable);
    let place = place.ok_or(SecurityStatus::SEC_E_INVALID_TOKEN)?;
    let streams = || SspiError::from(SecurityStatus::SEC_E_INVALID_TOKEN);
    let mut stream = None;
    let mut buffers = Vec::with_capacity(message.buffers.len());
    for buffer in &mut message.buffers {
        match buffer.kind() {
            SECBUFFER_STREAM if stream.is_some() => return Err(streams()),
            SECBUFFER_STREAM => stream = Some(buffer.bytes_mut().ok_or_else(streams)?),
            SECBUFFER_DATA if buffer.has(SECBUFFER_READONLY_WITH_CHECKSUM) => {
                buffers.push(IoBuffer::SignOnly(buffer.bytes()));
            }
            _ => {}
        }
    }
    let stream = stream.ok_or_else(streams)?;
    let begin = stream.as_ptr().addr();
    buffers.push(IoBuffer::Stream(stream));
    buffers.push(IoBuffer::Data(&mut []));
    let sealed = context.unwrap_iov(&mut buffers)?.is_sealed();
    let Some(IoBuffer::Data(inside)) = buffers.last() else {
        return Err(streams());
    };
    let (start, length) = (inside.as_ptr().addr().saturating_sub(begin), inside.len());
    drop(buffers);
    let inside = message
        .find_mut(SECBUFFER_STREAM)
        .map(|stream| stream.split_off(start, length));
    if let (Some(data), Some(inside)) = (message.buffers.get_mut(place), inside) {
        data.memory = inside;
    }
    Ok(sealed)
}
