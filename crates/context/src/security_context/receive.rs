//! The receiving half.

use core::ops::Range;
use std::sync::Arc;

use countersign_credential::TicketCredential;
#[cfg(feature = "ntlm")]
use countersign_crypto::ntlm::Stream;
use zeroize::Zeroize;

use super::cfx::{CfxReceiver, Opened};
use super::custom::{self, Nothing, OpenMessages};
use super::facts::{Facts, Form, facts_accessors};
use super::iov::{self, IoBuffer, Protection, Survey};
#[cfg(feature = "ntlm")]
use super::ntlm::NtlmReceiver;
use super::order::{Order, ReceiveWindow};
use super::prepared;
#[cfg(feature = "rc4")]
use super::rfc4757::Rfc4757Receiver;
use super::send::{kerberos, width};
use crate::error::{Error, ErrorKind};
#[cfg(feature = "ntlm")]
use crate::flags::Flags;

/// The half of a context that verifies messages.
///
/// Each call comes in two kinds. The plain one is strict: a duplicate or an old message is an
/// error where [`Flags::REPLAY`](crate::Flags::REPLAY) or [`Flags::SEQUENCE`](crate::Flags::SEQUENCE)
/// was granted, one out of order where [`Flags::SEQUENCE`](crate::Flags::SEQUENCE) was, and the
/// message is not handed out. The `_any_order` kind hands it out with its [`Order`], for programs
/// that sort messages themselves. With neither flag no order is enforced and replays pass.
///
/// After an error nothing is recorded and a later genuine message is still accepted; buffers that
/// were given hold nothing of use.
///
/// The keys are derived for the first message, which allocates their place; what is said below of
/// calls that allocate nothing is true of those after it. With rc4-hmac, and with datagrams of NTLM, a message has
/// key streams of its own, each of which is allocated a place, where it is wiped.
pub struct Receiver {
    pub(super) facts: Arc<Facts>,
    pub(super) window: ReceiveWindow,
    pub(super) delegated: Option<TicketCredential>,
    evidence: Option<Box<TicketCredential>>,
    scheme: Option<Scheme>,
}

/// What messages are verified with: derived for the first, as many a context only tells who the peer is.
/// Each in a place of its own, where it is wiped: what holds it is moved when a context is split.
enum Scheme {
    Cfx(Box<CfxReceiver>),
    #[cfg(feature = "rc4")]
    Rfc4757(Box<Rfc4757Receiver>),
    #[cfg(feature = "ntlm")]
    Ntlm(Box<NtlmReceiver>),
    Custom(Box<dyn OpenMessages>),
}

/// A verified message.
#[derive(Clone, PartialEq, Eq)]
pub struct Unwrapped {
    /// The message.
    pub message: Vec<u8>,
    /// Whether it was encrypted; otherwise everybody could read it.
    pub sealed: bool,
}

impl core::fmt::Debug for Unwrapped {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Unwrapped")
            .field("message_len", &self.message.len())
            .field("sealed", &self.sealed)
            .finish()
    }
}

/// A verified message, within the token that it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnwrappedInPlace {
    /// Where in the buffer the message is.
    pub message: Range<usize>,
    /// Whether it was encrypted; otherwise everybody could read it.
    pub sealed: bool,
}

/// Whether order is enforced.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Strict,
    AnyOrder,
}

impl Receiver {
    pub(super) fn new(facts: Arc<Facts>, first: u64, delegated: Option<TicketCredential>) -> Self {
        let width = width(&facts);
        Self::resume(facts, ReceiveWindow::new(first, width), delegated)
    }

    pub(super) fn resume(
        facts: Arc<Facts>,
        window: ReceiveWindow,
        delegated: Option<TicketCredential>,
    ) -> Self {
        Self {
            facts,
            window,
            delegated,
            evidence: None,
            scheme: None,
        }
    }

    pub(super) fn with_evidence(mut self, evidence: Option<Box<TicketCredential>>) -> Self {
        self.evidence = evidence;
        self
    }

    pub(super) fn custom(
        facts: Arc<Facts>,
        window: ReceiveWindow,
        open: Box<dyn OpenMessages>,
    ) -> Self {
        Self {
            facts,
            window,
            delegated: None,
            evidence: None,
            scheme: Some(Scheme::Custom(open)),
        }
    }

    pub(super) fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Begins the key stream anew, where the mechanism is NTLM.
    pub(super) fn restart_ntlm(&mut self) {
        #[cfg(feature = "ntlm")]
        if let Form::Ntlm(_) = self.facts.form() {
            self.scheme = None;
        }
    }

    /// NTLM's running key stream, where there is one.
    #[cfg(feature = "ntlm")]
    pub(super) fn ntlm_stream(&mut self) -> Option<&Stream> {
        match prepared(&mut self.scheme, || Scheme::of(&self.facts)) {
            Scheme::Ntlm(receiver) => receiver.stream(),
            _ => None,
        }
    }

    /// Goes on with an exported key stream; false where that does not fit.
    #[cfg(feature = "ntlm")]
    pub(super) fn resume_ntlm(&mut self, exported: Option<Stream>) -> bool {
        match prepared(&mut self.scheme, || Scheme::of(&self.facts)) {
            Scheme::Ntlm(receiver) => receiver.resume(exported),
            _ => exported.is_none(),
        }
    }

    /// Whether a token, or a MIC, has the number that the application expects of the next message,
    /// which it may with datagrams (MS-NLMP §3.4.4). In any other context the mechanism looks at
    /// numbers itself, and this says nothing. That the number is genuine tells only the call that
    /// opens or verifies it.
    ///
    /// # Errors
    /// [`ErrorKind::MessageUnsequenced`] for a lower number and [`ErrorKind::MessageGap`] for a higher one;
    /// [`ErrorKind::DefectiveToken`].
    #[cfg(feature = "ntlm")]
    pub fn check_number(&self, token: &[u8], number: u32) -> Result<(), Error> {
        match self.facts.form() {
            Form::Ntlm(keys) if keys.protection.datagram => {
                super::ntlm::check_number(token, number)
            }
            _ => Ok(()),
        }
    }

    /// Verifies a token and returns its message.
    ///
    /// # Errors
    /// [`ErrorKind::MessageModified`] when it was altered or is of another context,
    /// [`ErrorKind::MessageReflected`] when this side sent it, [`ErrorKind::DefectiveToken`] when
    /// it is no such token; [`ErrorKind::MessageDuplicate`], [`ErrorKind::MessageOld`],
    /// [`ErrorKind::MessageUnsequenced`] and [`ErrorKind::MessageGap`] as the flags ask for;
    /// [`ErrorKind::IntegrityNotGranted`] with NTLM, where no protection was granted.
    pub fn unwrap(&mut self, token: &[u8]) -> Result<Unwrapped, Error> {
        self.unwrap_copy(token, Mode::Strict)
            .map(|(message, _)| message)
    }

    /// As [`unwrap`](Self::unwrap), and tells the order instead of enforcing it.
    ///
    /// # Errors
    /// As [`unwrap`](Self::unwrap), but for the order.
    pub fn unwrap_any_order(&mut self, token: &[u8]) -> Result<(Unwrapped, Order), Error> {
        self.unwrap_copy(token, Mode::AnyOrder)
    }

    fn unwrap_copy(&mut self, token: &[u8], mode: Mode) -> Result<(Unwrapped, Order), Error> {
        let mut buffer = token.to_vec();
        let (UnwrappedInPlace { message, sealed }, order) = self.open(&mut buffer, mode)?;
        let length = message.len();
        buffer.copy_within(message, 0);
        buffer.truncate(length);
        Ok((
            Unwrapped {
                message: buffer,
                sealed,
            },
            order,
        ))
    }

    /// As [`unwrap`](Self::unwrap), within `token` and without allocating.
    ///
    /// # Errors
    /// As [`unwrap`](Self::unwrap).
    pub fn unwrap_in_place(&mut self, token: &mut [u8]) -> Result<UnwrappedInPlace, Error> {
        self.open(token, Mode::Strict).map(|(message, _)| message)
    }

    /// As [`unwrap_any_order`](Self::unwrap_any_order), within `token` and without allocating.
    ///
    /// # Errors
    /// As [`unwrap_any_order`](Self::unwrap_any_order).
    pub fn unwrap_in_place_any_order(
        &mut self,
        token: &mut [u8],
    ) -> Result<(UnwrappedInPlace, Order), Error> {
        self.open(token, Mode::AnyOrder)
    }

    fn open(&mut self, token: &mut [u8], mode: Mode) -> Result<(UnwrappedInPlace, Order), Error> {
        let Opened {
            message,
            protection,
            sequence,
        } = match prepared(&mut self.scheme, || Scheme::of(&self.facts)) {
            Scheme::Cfx(receiver) => receiver.unwrap(kerberos(&self.facts)?, token)?,
            #[cfg(feature = "rc4")]
            Scheme::Rfc4757(receiver) => {
                receiver.unwrap(kerberos(&self.facts)?, &self.window, token)?
            }
            #[cfg(feature = "ntlm")]
            Scheme::Ntlm(receiver) => {
                ntlm_protects(&self.facts)?;
                receiver.unwrap(&self.window, token)?
            }
            Scheme::Custom(open) => custom::unwrap(open.as_mut(), &self.facts, token)?,
        };
        let order = self
            .accept(sequence, mode)
            .inspect_err(|_| token.zeroize())?;
        Ok((
            UnwrappedInPlace {
                message,
                sealed: protection.is_sealed(),
            },
            order,
        ))
    }

    /// Verifies that `mic` belongs to `message`.
    ///
    /// # Errors
    /// As [`unwrap`](Self::unwrap).
    pub fn verify_mic(&mut self, message: &[u8], mic: &[u8]) -> Result<(), Error> {
        self.verify_mic_iov(&[IoBuffer::SignOnly(message)], mic)
    }

    /// As [`verify_mic`](Self::verify_mic), and tells the order instead of enforcing it.
    ///
    /// # Errors
    /// As [`unwrap_any_order`](Self::unwrap_any_order).
    pub fn verify_mic_any_order(&mut self, message: &[u8], mic: &[u8]) -> Result<Order, Error> {
        self.verify_mic_iov_any_order(&[IoBuffer::SignOnly(message)], mic)
    }

    /// As [`verify_mic`](Self::verify_mic), of the message that the buffers are together
    /// (`gss_verify_mic_iov`, `VerifySignature`), however it was cut where the MIC was made.
    ///
    /// # Errors
    /// As [`verify_mic`](Self::verify_mic), and [`ErrorKind::BufferLayout`] for a buffer other
    /// than [`IoBuffer::Data`] and [`IoBuffer::SignOnly`].
    pub fn verify_mic_iov(&mut self, message: &[IoBuffer<'_>], mic: &[u8]) -> Result<(), Error> {
        let sequence = self.check_mic(message, mic)?;
        self.accept(sequence, Mode::Strict).map(drop)
    }

    /// As [`verify_mic_iov`](Self::verify_mic_iov), and tells the order instead of enforcing it.
    ///
    /// # Errors
    /// As [`verify_mic_iov`](Self::verify_mic_iov), but for the order.
    pub fn verify_mic_iov_any_order(
        &mut self,
        message: &[IoBuffer<'_>],
        mic: &[u8],
    ) -> Result<Order, Error> {
        let sequence = self.check_mic(message, mic)?;
        self.accept(sequence, Mode::AnyOrder)
    }

    fn check_mic(&mut self, message: &[IoBuffer<'_>], mic: &[u8]) -> Result<u64, Error> {
        Survey::of_message(message)?;
        match prepared(&mut self.scheme, || Scheme::of(&self.facts)) {
            Scheme::Cfx(receiver) => receiver.verify_mic(kerberos(&self.facts)?, message, mic),
            #[cfg(feature = "rc4")]
            Scheme::Rfc4757(receiver) => {
                receiver.verify_mic(kerberos(&self.facts)?, &self.window, message, mic)
            }
            #[cfg(feature = "ntlm")]
            Scheme::Ntlm(receiver) => {
                ntlm_protects(&self.facts)?;
                receiver.verify_mic(&self.window, message, mic)
            }
            Scheme::Custom(open) => open.verify(message, mic),
        }
    }

    /// Verifies a message that lies in several buffers, in place (`gss_unwrap_iov`,
    /// `DecryptMessage`). Up to 8 buffers are handled without an allocation.
    ///
    /// # Errors
    /// As [`unwrap`](Self::unwrap), and [`ErrorKind::BufferLayout`] when the buffers do not have
    /// the layout that the token tells.
    pub fn unwrap_iov(&mut self, buffers: &mut [IoBuffer<'_>]) -> Result<Protection, Error> {
        self.open_iov(buffers, Mode::Strict)
            .map(|(protection, _)| protection)
    }

    /// As [`unwrap_iov`](Self::unwrap_iov), and tells the order instead of enforcing it.
    ///
    /// # Errors
    /// As [`unwrap_iov`](Self::unwrap_iov), but for the order.
    pub fn unwrap_iov_any_order(
        &mut self,
        buffers: &mut [IoBuffer<'_>],
    ) -> Result<(Protection, Order), Error> {
        self.open_iov(buffers, Mode::AnyOrder)
    }

    fn open_iov(
        &mut self,
        buffers: &mut [IoBuffer<'_>],
        mode: Mode,
    ) -> Result<(Protection, Order), Error> {
        let (protection, sequence) = match prepared(&mut self.scheme, || Scheme::of(&self.facts)) {
            Scheme::Cfx(receiver) => receiver.unwrap_iov(kerberos(&self.facts)?, buffers)?,
            #[cfg(feature = "rc4")]
            Scheme::Rfc4757(receiver) => {
                receiver.unwrap_iov(kerberos(&self.facts)?, &self.window, buffers)?
            }
            #[cfg(feature = "ntlm")]
            Scheme::Ntlm(receiver) => {
                ntlm_protects(&self.facts)?;
                receiver.unwrap_iov(&self.window, buffers)?
            }
            Scheme::Custom(open) => custom::unwrap_iov(open.as_mut(), &self.facts, buffers)?,
        };
        let order = self
            .accept(sequence, mode)
            .inspect_err(|_| iov::wipe(buffers))?;
        Ok((protection, order))
    }

    /// Verifies a token that was made with associated data (`gss_unwrap_aead`).
    ///
    /// # Errors
    /// As [`unwrap`](Self::unwrap).
    pub fn unwrap_aead(&mut self, token: &[u8], associated: &[u8]) -> Result<Unwrapped, Error> {
        self.open_aead(token, associated, Mode::Strict)
            .map(|(message, _)| message)
    }

    /// As [`unwrap_aead`](Self::unwrap_aead), and tells the order instead of enforcing it.
    ///
    /// # Errors
    /// As [`unwrap_aead`](Self::unwrap_aead), but for the order.
    pub fn unwrap_aead_any_order(
        &mut self,
        token: &[u8],
        associated: &[u8],
    ) -> Result<(Unwrapped, Order), Error> {
        self.open_aead(token, associated, Mode::AnyOrder)
    }

    fn open_aead(
        &mut self,
        token: &[u8],
        associated: &[u8],
        mode: Mode,
    ) -> Result<(Unwrapped, Order), Error> {
        let mut buffer = token.to_vec();
        let mut buffers = [
            IoBuffer::Stream(&mut buffer),
            IoBuffer::SignOnly(associated),
            IoBuffer::Data(&mut []),
        ];
        let (protection, order) = self.open_iov(&mut buffers, mode)?;
        let [_, _, IoBuffer::Data(message)] = buffers else {
            return Err(ErrorKind::Internal("data buffer").into());
        };
        let message = message.to_vec();
        buffer.zeroize();
        Ok((
            Unwrapped {
                message,
                sealed: protection.is_sealed(),
            },
            order,
        ))
    }

    /// The credential that the initiator delegated, once.
    #[must_use]
    pub fn take_delegated(&mut self) -> Option<TicketCredential> {
        self.delegated.take()
    }

    /// The initiator's ticket for this service, once, where the acceptor was told to
    /// [keep it](crate::kerberos::Acceptor::keep_evidence): with
    /// [`ClientCredential::with_evidence`](crate::kerberos::kdc::ClientCredential::with_evidence) the service
    /// reaches others in its client's name, as far as the KDC permits (S4U2proxy, MS-SFU §1.3.2). `None`
    /// after user-to-user, whose tickets are no evidence. It is not exported.
    #[must_use]
    pub fn take_evidence(&mut self) -> Option<TicketCredential> {
        self.evidence.take().map(|evidence| *evidence)
    }

    /// Judges an authentic message and, if it is taken, records it.
    fn accept(&mut self, sequence: u64, mode: Mode) -> Result<Order, Error> {
        let order = self.window.judge(sequence, self.facts.flags);
        if mode == Mode::Strict {
            order.strict()?;
        }
        self.window.record(sequence);
        Ok(order)
    }
}

impl Scheme {
    fn of(facts: &Facts) -> Self {
        match facts.form() {
            Form::Cfx(facts) => Self::Cfx(Box::new(CfxReceiver::new(facts))),
            #[cfg(feature = "rc4")]
            Form::Rfc4757(facts) => Self::Rfc4757(Box::new(Rfc4757Receiver::new(facts))),
            #[cfg(feature = "ntlm")]
            Form::Ntlm(keys) => Self::Ntlm(Box::new(NtlmReceiver::new(keys, facts.role))),
            Form::Custom(_) => Self::Custom(Box::new(Nothing)),
        }
    }
}

/// A context of NTLM that was granted no protection opens nothing: anybody knows the key of an
/// anonymous initiator and of a guest (MS-NLMP §3.2.5.1.2, §3.4), and what seems protected would be
/// taken for it.
#[cfg(feature = "ntlm")]
fn ntlm_protects(facts: &Facts) -> Result<(), Error> {
    let protection = Flags::INTEGRITY | Flags::CONFIDENTIALITY;
    if (facts.flags & protection).is_empty() {
        return Err(ErrorKind::IntegrityNotGranted.into());
    }
    Ok(())
}

facts_accessors!(Receiver);

impl core::fmt::Debug for Receiver {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Receiver")
            .field("facts", &self.facts)
            .finish_non_exhaustive()
    }
}
