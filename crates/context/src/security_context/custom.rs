//! Contexts of mechanisms that a program brings along.
//!
//! ```text
//! wrapped   header | message        as long as the mechanism says, in place
//! MIC       header
//! ```

use std::sync::Arc;

use countersign_token::oid::Oid;
use zeroize::Zeroizing;

use super::cfx::Opened;
use super::facts::{Facts, Keys};
use super::iov::{self, IoBuffer, IovParts, Protection, Survey};
use super::order::{ReceiveWindow, SendSequence, Width};
use super::receive::Receiver;
use super::send::Sender;
use super::{Role, SecurityContext};
use crate::environment::Timestamp;
use crate::error::{Error, ErrorKind};
use crate::flags::Flags;
use crate::identity::Identity;

/// The sending direction of a mechanism's own per-message protection.
pub trait ProtectMessages: Send + Sync + 'static {
    /// Makes a message's header, which is its MIC, and encrypts its [`Data`](IoBuffer::Data) in place
    /// where `seal` asks for it. `header` has the length that the context was made with, and each
    /// `sequence` comes once.
    ///
    /// # Errors
    /// Where it cannot; the token is then not sent.
    fn protect(
        &mut self,
        sequence: u64,
        seal: bool,
        message: &mut [IoBuffer<'_>],
        header: &mut [u8],
    ) -> Result<(), Error>;

    /// Makes the MIC of a message that is sent elsewhere.
    ///
    /// # Errors
    /// Where it cannot.
    fn sign(
        &mut self,
        sequence: u64,
        message: &[IoBuffer<'_>],
        mic: &mut [u8],
    ) -> Result<(), Error>;
}

/// The receiving direction of a mechanism's own per-message protection.
pub trait OpenMessages: Send + Sync + 'static {
    /// Verifies what [`ProtectMessages::protect`] made, decrypts it in place, and tells its number,
    /// which is then judged as the context's flags ask for.
    ///
    /// # Errors
    /// [`ErrorKind::MessageModified`](crate::ErrorKind::MessageModified) for what the peer did not make.
    fn open(
        &mut self,
        header: &[u8],
        message: &mut [IoBuffer<'_>],
    ) -> Result<(Protection, u64), Error>;

    /// Verifies what [`ProtectMessages::sign`] made, and tells its number.
    ///
    /// # Errors
    /// [`ErrorKind::MessageModified`](crate::ErrorKind::MessageModified) for what the peer did not make.
    fn verify(&mut self, message: &[IoBuffer<'_>], mic: &[u8]) -> Result<u64, Error>;
}

/// What a mechanism that a program brings along hands over when it is done:
/// [`SecurityContext::custom`] makes a context of it.
pub struct CustomContext {
    /// Which side it is.
    pub role: Role,
    /// The mechanism.
    pub mechanism: Oid<'static>,
    /// What was granted.
    pub flags: Flags,
    /// This side.
    pub local: Identity,
    /// The other side, if it has proved its identity.
    pub peer: Option<Identity>,
    /// When it expires; [`Timestamp::NEVER`] where it does not.
    pub expires: Timestamp,
    /// For protocols above.
    pub session_key: Zeroizing<Vec<u8>>,
    /// Bytes of a header, and of a MIC.
    pub header: usize,
    /// The number of the first message that is sent.
    pub send_sequence: u64,
    /// The number of the first message that is received.
    pub receive_sequence: u64,
    /// Protects what is sent.
    pub protect: Box<dyn ProtectMessages>,
    /// Opens what is received.
    pub open: Box<dyn OpenMessages>,
}

impl core::fmt::Debug for CustomContext {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("CustomContext")
            .field("role", &self.role)
            .field("mechanism", &self.mechanism)
            .field("flags", &self.flags)
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}

/// What a program's mechanism agreed on.
pub(super) struct CustomKeys {
    pub(super) session_key: Zeroizing<Vec<u8>>,
    pub(super) header: usize,
}

impl CustomKeys {
    /// Everything stands in the header.
    pub(super) fn parts(&self) -> IovParts {
        IovParts {
            header: self.header,
            padding: 0,
            trailer: 0,
        }
    }
}

impl SecurityContext {
    /// A context of a mechanism that the program brings along, for its [`Mechanism`](crate::Mechanism)
    /// to return. It cannot be exported, and has no pseudo-random function.
    #[must_use]
    pub fn custom(parts: CustomContext) -> Self {
        let CustomContext {
            role,
            mechanism,
            flags,
            local,
            peer,
            expires,
            session_key,
            header,
            send_sequence,
            receive_sequence,
            protect,
            open,
        } = parts;
        let facts = Arc::new(Facts {
            role,
            mechanism,
            flags,
            local,
            peer,
            expires,
            keys: Keys::Custom(CustomKeys {
                session_key,
                header,
            }),
        });
        let sequence = SendSequence::new(send_sequence, Width::Bits64);
        let window = ReceiveWindow::new(receive_sequence, Width::Bits64);
        Self {
            sender: Sender::custom(Arc::clone(&facts), sequence, protect),
            receiver: Receiver::custom(facts, window, open),
            negotiated: None,
        }
    }
}

/// The half of a context that was not brought along: it protects and opens nothing.
pub(super) struct Nothing;

impl ProtectMessages for Nothing {
    fn protect(
        &mut self,
        _: u64,
        _: bool,
        _: &mut [IoBuffer<'_>],
        _: &mut [u8],
    ) -> Result<(), Error> {
        Err(ErrorKind::Unsupported.into())
    }

    fn sign(&mut self, _: u64, _: &[IoBuffer<'_>], _: &mut [u8]) -> Result<(), Error> {
        Err(ErrorKind::Unsupported.into())
    }
}

impl OpenMessages for Nothing {
    fn open(&mut self, _: &[u8], _: &mut [IoBuffer<'_>]) -> Result<(Protection, u64), Error> {
        Err(ErrorKind::Unsupported.into())
    }

    fn verify(&mut self, _: &[IoBuffer<'_>], _: &[u8]) -> Result<u64, Error> {
        Err(ErrorKind::Unsupported.into())
    }
}

fn header(facts: &Facts) -> usize {
    match &facts.keys {
        Keys::Custom(keys) => keys.header,
        _ => 0,
    }
}

pub(super) fn wrap_in_place(
    protect: &mut dyn ProtectMessages,
    facts: &Facts,
    sequence: &mut SendSequence,
    seal: bool,
    buffer: &mut [u8],
) -> Result<(), Error> {
    let (header, message) = buffer
        .split_at_mut_checked(header(facts))
        .ok_or(ErrorKind::BufferLayout)?;
    let mut message = [IoBuffer::Data(message)];
    protect.protect(sequence.peek()?, seal, &mut message, header)?;
    sequence.advance();
    Ok(())
}

pub(super) fn get_mic(
    protect: &mut dyn ProtectMessages,
    facts: &Facts,
    sequence: &mut SendSequence,
    message: &[IoBuffer<'_>],
) -> Result<Vec<u8>, Error> {
    let mut mic = vec![0; header(facts)];
    protect.sign(sequence.peek()?, message, &mut mic)?;
    sequence.advance();
    Ok(mic)
}

pub(super) fn wrap_iov(
    protect: &mut dyn ProtectMessages,
    facts: &Facts,
    sequence: &mut SendSequence,
    seal: bool,
    buffers: &mut [IoBuffer<'_>],
) -> Result<(), Error> {
    Survey::of_header(buffers)?;
    let length = header(facts);
    let parts = IovParts {
        header: length,
        padding: 0,
        trailer: 0,
    };
    iov::fit(buffers, parts)?;
    let mut header = vec![0; length];
    protect.protect(sequence.peek()?, seal, buffers, &mut header)?;
    if let Some(place) = iov::gather(buffers).header {
        place.copy_from_slice(&header);
    }
    sequence.advance();
    Ok(())
}

pub(super) fn unwrap(
    open: &mut dyn OpenMessages,
    facts: &Facts,
    token: &mut [u8],
) -> Result<Opened, Error> {
    let (length, start) = (token.len(), header(facts));
    let (header, message) = token
        .split_at_mut_checked(start)
        .ok_or_else(|| iov::truncated(length, start))?;
    let mut buffers = [IoBuffer::Data(message)];
    let (protection, sequence) = open
        .open(header, &mut buffers)
        .inspect_err(|_| iov::wipe(&mut buffers))?;
    Ok(Opened {
        message: start..length,
        protection,
        sequence,
    })
}

pub(super) fn unwrap_iov(
    open: &mut dyn OpenMessages,
    facts: &Facts,
    buffers: &mut [IoBuffer<'_>],
) -> Result<(Protection, u64), Error> {
    let header = iov::take_header(buffers, header(facts))?;
    open.open(header, buffers)
        .inspect_err(|_| iov::wipe(buffers))
}
