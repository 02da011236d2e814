//! The sending half.

use std::sync::Arc;

#[cfg(feature = "ntlm")]
use countersign_crypto::ntlm::Stream;

use super::cfx::CfxSender;
use super::custom::{self, Nothing, ProtectMessages};
use super::facts::{Facts, Form, KerberosFacts, facts_accessors};
use super::iov::{IoBuffer, IovParts, Survey};
#[cfg(feature = "ntlm")]
use super::ntlm::NtlmSender;
use super::order::{SendSequence, Width};
use super::prepared;
#[cfg(feature = "rc4")]
use super::rfc4757::Rfc4757Sender;
use crate::error::{Error, ErrorKind};
use crate::flags::Flags;

/// The half of a context that protects messages.
///
/// It shares no lock with the other half: both work at the same time on different threads. Each
/// call that makes a token spends a sequence number, even when the token is then lost, so tokens
/// are to be sent in the order in which they were made where [`Flags::SEQUENCE`] was granted.
///
/// After an error no number is spent and no token exists; buffers that were given may have been
/// overwritten.
///
/// The keys are derived for the first message, which allocates their place; what is said below of
/// calls that allocate nothing is true of those after it. With rc4-hmac, and with datagrams of NTLM, a message has
/// key streams of its own, each of which is allocated a place, where it is wiped.
pub struct Sender {
    pub(super) facts: Arc<Facts>,
    pub(super) sequence: SendSequence,
    scheme: Option<Scheme>,
}

/// What messages are protected with: derived for the first, as many a context only tells who the peer is.
/// Each in a place of its own, where it is wiped: what holds it is moved when a context is split.
enum Scheme {
    Cfx(Box<CfxSender>),
    #[cfg(feature = "rc4")]
    Rfc4757(Box<Rfc4757Sender>),
    #[cfg(feature = "ntlm")]
    Ntlm(Box<NtlmSender>),
    Custom(Box<dyn ProtectMessages>),
}

impl Sender {
    pub(super) fn new(facts: Arc<Facts>, first: u64) -> Self {
        let width = width(&facts);
        Self::resume(facts, SendSequence::new(first, width))
    }

    pub(super) fn resume(facts: Arc<Facts>, sequence: SendSequence) -> Self {
        Self {
            facts,
            sequence,
            scheme: None,
        }
    }

    pub(super) fn custom(
        facts: Arc<Facts>,
        sequence: SendSequence,
        protect: Box<dyn ProtectMessages>,
    ) -> Self {
        Self {
            facts,
            sequence,
            scheme: Some(Scheme::Custom(protect)),
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
            Scheme::Ntlm(sender) => sender.stream(),
            _ => None,
        }
    }

    /// Goes on with an exported key stream; false where that does not fit.
    #[cfg(feature = "ntlm")]
    pub(super) fn resume_ntlm(&mut self, exported: Option<Stream>) -> bool {
        match prepared(&mut self.scheme, || Scheme::of(&self.facts)) {
            Scheme::Ntlm(sender) => sender.resume(exported),
            _ => exported.is_none(),
        }
    }

    /// Numbers the next message as the application does, which it may with datagrams (MS-NLMP
    /// §3.4.4); those after it go on from there. In any other context the mechanism numbers messages
    /// itself, and nothing changes.
    ///
    /// # Errors
    /// [`ErrorKind::NumberSpent`] for a number that is not above all that were used: with one key stream
    /// two messages would tell each other's contents. To send a message again, send its token again.
    #[cfg(feature = "ntlm")]
    pub fn number_next(&mut self, number: u32) -> Result<(), Error> {
        match self.facts.form() {
            Form::Ntlm(keys) if keys.protection.datagram => self.sequence.skip_to(number.into()),
            _ => Ok(()),
        }
    }

    /// Protects a message: sealed, so that nobody else can read it, or signed only.
    ///
    /// # Errors
    /// [`ErrorKind::ConfidentialityNotGranted`] and [`ErrorKind::IntegrityNotGranted`];
    /// [`ErrorKind::Overflow`] at the end of the sequence numbers.
    pub fn wrap(&mut self, seal: bool, message: &[u8]) -> Result<Vec<u8>, Error> {
        let mut token = Vec::new();
        self.wrap_into(seal, message, &mut token)?;
        Ok(token)
    }

    /// As [`wrap`](Self::wrap), and appends the token to `out`, which is unchanged on error.
    ///
    /// # Errors
    /// As [`wrap`](Self::wrap).
    pub fn wrap_into(
        &mut self,
        seal: bool,
        message: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        self.check_granted(seal)?;
        let overhead = self.overhead(seal, message.len());
        let start = out.len();
        let length = overhead
            .total()
            .checked_add(message.len())
            .ok_or(ErrorKind::Overflow)?;
        let end = start.checked_add(length).ok_or(ErrorKind::Overflow)?;
        // All at once: growing later would leave copies of the message in freed memory.
        out.reserve(length);
        out.resize(start.saturating_add(overhead.header), 0);
        out.extend_from_slice(message);
        out.resize(end, 0);
        let token = out
            .get_mut(start..)
            .ok_or(ErrorKind::Internal("token's place"))?;
        let done = self.protect_in_place(seal, token);
        if done.is_err() {
            out.truncate(start);
        }
        done
    }

    /// Makes `buffer` a token without allocating: the message in it has room before and after it,
    /// exactly as much as [`overhead`](Self::overhead) tells.
    ///
    /// # Errors
    /// As [`wrap`](Self::wrap), and [`ErrorKind::BufferLayout`] when the buffer is shorter than
    /// the overhead.
    pub fn wrap_in_place(&mut self, seal: bool, buffer: &mut [u8]) -> Result<(), Error> {
        self.check_granted(seal)?;
        self.protect_in_place(seal, buffer)
    }

    fn protect_in_place(&mut self, seal: bool, buffer: &mut [u8]) -> Result<(), Error> {
        let Self {
            facts,
            sequence,
            scheme,
        } = self;
        match prepared(scheme, || Scheme::of(facts)) {
            Scheme::Cfx(sender) => sender.wrap_in_place(kerberos(facts)?, sequence, seal, buffer),
            #[cfg(feature = "rc4")]
            Scheme::Rfc4757(sender) => {
                sender.wrap_in_place(kerberos(facts)?, sequence, seal, buffer)
            }
            #[cfg(feature = "ntlm")]
            Scheme::Ntlm(sender) => sender.wrap_in_place(sequence, buffer),
            Scheme::Custom(protect) => {
                custom::wrap_in_place(protect.as_mut(), facts, sequence, seal, buffer)
            }
        }
    }

    /// A token that proves a message's integrity and is sent beside it.
    ///
    /// # Errors
    /// [`ErrorKind::IntegrityNotGranted`]; [`ErrorKind::Overflow`] at the end of the sequence
    /// numbers.
    pub fn get_mic(&mut self, message: &[u8]) -> Result<Vec<u8>, Error> {
        self.get_mic_iov(&[IoBuffer::SignOnly(message)])
    }

    /// As [`get_mic`](Self::get_mic), of the message that the buffers are together
    /// (`gss_get_mic_iov`, `MakeSignature`): [`IoBuffer::Data`] and [`IoBuffer::SignOnly`], which
    /// is all one here. Up to 8 buffers are handled without an allocation.
    ///
    /// # Errors
    /// As [`get_mic`](Self::get_mic), and [`ErrorKind::BufferLayout`] for any other buffer.
    pub fn get_mic_iov(&mut self, message: &[IoBuffer<'_>]) -> Result<Vec<u8>, Error> {
        self.check_granted(false)?;
        Survey::of_message(message)?;
        let Self {
            facts,
            sequence,
            scheme,
        } = self;
        match prepared(scheme, || Scheme::of(facts)) {
            Scheme::Cfx(sender) => sender.get_mic(kerberos(facts)?, sequence, message),
            #[cfg(feature = "rc4")]
            Scheme::Rfc4757(sender) => sender.get_mic(kerberos(facts)?, sequence, message),
            #[cfg(feature = "ntlm")]
            Scheme::Ntlm(sender) => sender.get_mic(sequence, message),
            Scheme::Custom(protect) => custom::get_mic(protect.as_mut(), facts, sequence, message),
        }
    }

    /// The lengths that header, padding and trailer need for these buffers, whose own lengths are
    /// not looked at (`gss_wrap_iov_length`).
    ///
    /// # Errors
    /// [`ErrorKind::BufferLayout`] when the buffers cannot be wrapped together.
    pub fn wrap_iov_length(&self, seal: bool, buffers: &[IoBuffer<'_>]) -> Result<IovParts, Error> {
        let survey = Survey::of_header(buffers)?;
        match self.facts.form() {
            Form::Cfx(facts) => Ok(CfxSender::iov_parts(facts, seal, survey.has_trailer())),
            #[cfg(feature = "rc4")]
            Form::Rfc4757(facts) => super::rfc4757::iov_parts(facts, &survey),
            #[cfg(feature = "ntlm")]
            Form::Ntlm(_) => Ok(super::ntlm::PARTS),
            Form::Custom(keys) => Ok(keys.parts()),
        }
    }

    /// Protects a message that lies in several buffers, in place (`gss_wrap_iov`,
    /// `EncryptMessage`). Up to 8 buffers are handled without an allocation.
    ///
    /// # Errors
    /// As [`wrap`](Self::wrap); [`ErrorKind::BufferLayout`] when the buffers cannot be wrapped
    /// together; [`ErrorKind::BufferTooSmall`].
    pub fn wrap_iov(&mut self, seal: bool, buffers: &mut [IoBuffer<'_>]) -> Result<(), Error> {
        self.check_granted(seal)?;
        let Self {
            facts,
            sequence,
            scheme,
        } = self;
        match prepared(scheme, || Scheme::of(facts)) {
            Scheme::Cfx(sender) => sender.wrap_iov(kerberos(facts)?, sequence, seal, buffers),
            #[cfg(feature = "rc4")]
            Scheme::Rfc4757(sender) => sender.wrap_iov(kerberos(facts)?, sequence, seal, buffers),
            #[cfg(feature = "ntlm")]
            Scheme::Ntlm(sender) => sender.wrap_iov(sequence, buffers),
            Scheme::Custom(protect) => {
                custom::wrap_iov(protect.as_mut(), facts, sequence, seal, buffers)
            }
        }
    }

    /// Protects `message` together with `associated`, which is not part of the token
    /// (`gss_wrap_aead`).
    ///
    /// # Errors
    /// As [`wrap`](Self::wrap).
    pub fn wrap_aead(
        &mut self,
        seal: bool,
        associated: &[u8],
        message: &[u8],
    ) -> Result<Vec<u8>, Error> {
        self.check_granted(seal)?;
        let parts = self.aead_parts(seal, message.len());
        let length = [parts.header, message.len(), parts.padding, parts.trailer]
            .iter()
            .try_fold(0usize, |sum, part| sum.checked_add(*part))
            .ok_or(ErrorKind::Overflow)?;
        let mut token = Vec::with_capacity(length);
        token.resize(parts.header, 0);
        token.extend_from_slice(message);
        token.resize(length, 0);
        let cut = ErrorKind::Internal("token's parts");
        let (header, rest) = token.split_at_mut_checked(parts.header).ok_or(cut)?;
        let (data, rest) = rest.split_at_mut_checked(message.len()).ok_or(cut)?;
        let (padding, trailer) = rest.split_at_mut_checked(parts.padding).ok_or(cut)?;
        self.wrap_iov(
            seal,
            &mut [
                IoBuffer::Header(header),
                IoBuffer::SignOnly(associated),
                IoBuffer::Data(data),
                IoBuffer::Padding(padding),
                IoBuffer::Trailer(trailer),
            ],
        )?;
        Ok(token)
    }

    #[cfg_attr(
        not(feature = "rc4"),
        expect(unused_variables, reason = "RFC 4757 only")
    )]
    fn aead_parts(&self, seal: bool, message: usize) -> IovParts {
        match self.facts.form() {
            Form::Cfx(facts) => CfxSender::iov_parts(facts, seal, true),
            #[cfg(feature = "rc4")]
            Form::Rfc4757(facts) => super::rfc4757::parts(facts, message),
            #[cfg(feature = "ntlm")]
            Form::Ntlm(_) => super::ntlm::PARTS,
            Form::Custom(keys) => keys.parts(),
        }
    }

    /// Sealing needs its flag; signing needs either, as a context that seals authenticates too.
    fn check_granted(&self, seal: bool) -> Result<(), Error> {
        let granted = |flag| self.facts.flags.contains(flag);
        if seal && !granted(Flags::CONFIDENTIALITY) {
            return Err(ErrorKind::ConfidentialityNotGranted.into());
        }
        if !seal && !granted(Flags::INTEGRITY) && !granted(Flags::CONFIDENTIALITY) {
            return Err(ErrorKind::IntegrityNotGranted.into());
        }
        Ok(())
    }
}

impl Scheme {
    fn of(facts: &Facts) -> Self {
        match facts.form() {
            Form::Cfx(facts) => Self::Cfx(Box::new(CfxSender::new(facts))),
            #[cfg(feature = "rc4")]
            Form::Rfc4757(facts) => Self::Rfc4757(Box::new(Rfc4757Sender::new(facts))),
            #[cfg(feature = "ntlm")]
            Form::Ntlm(keys) => Self::Ntlm(Box::new(NtlmSender::new(keys, facts.role))),
            Form::Custom(_) => Self::Custom(Box::new(Nothing)),
        }
    }
}

/// How long sequence numbers are on the wire.
pub(super) fn width(facts: &Facts) -> Width {
    match facts.form() {
        Form::Cfx(_) | Form::Custom(_) => Width::Bits64,
        #[cfg(feature = "rc4")]
        Form::Rfc4757(_) => Width::Bits32,
        #[cfg(feature = "ntlm")]
        Form::Ntlm(_) => Width::Bits32,
    }
}

/// The facts that a scheme of Kerberos works with; it is there only where they are.
pub(super) fn kerberos(facts: &Facts) -> Result<KerberosFacts<'_>, Error> {
    facts
        .kerberos()
        .ok_or_else(|| ErrorKind::Internal("scheme of another mechanism").into())
}

facts_accessors!(Sender);

impl core::fmt::Debug for Sender {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Sender")
            .field("facts", &self.facts)
            .finish_non_exhaustive()
    }
}
