//! A byte stream over an established context.
//!
//! ```text
//! offset  size
//! 0       4     length of the Wrap token in bytes, big-endian
//! 4       n     the Wrap token, sealed or signed (RFC 4121 §4.2.6.2)
//! ```
//!
//! An empty message is the authenticated end of one direction.

mod halves;
mod inbound;
#[cfg(feature = "tokio")]
mod nonblocking;
mod outbound;

use core::fmt;
use std::io::{self, Read, Write};

use countersign_context::credential::TicketCredential;
use countersign_context::negotiate::Negotiated;
use countersign_context::token::oid::Oid;
use countersign_context::{Flags, Identity, Protection, SecurityContext, Sender};

use crate::error::{Error, ErrorKind};
pub use halves::{AuthenticatedReader, AuthenticatedWriter};
use inbound::Inbound;
use outbound::Outbound;

/// How an [`AuthenticatedStream`] behaves. Both sides should agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamOptions {
    /// Sealed unless told otherwise: a message that is only signed is then refused. Where messages
    /// are signed a sealed one is welcome.
    pub protection: Protection,
    /// Longest Wrap token in bytes, in both directions; checked before anything is allocated for
    /// one that is received. 64 KiB unless told otherwise.
    pub max_frame: usize,
    /// Makes a connection that ends without the peer's authenticated end an error. Off unless
    /// told otherwise, because peers that just close are common; ask [`End`] then.
    pub require_authenticated_end: bool,
}

impl Default for StreamOptions {
    fn default() -> Self {
        Self {
            protection: Protection::Sealed,
            max_frame: 64 * 1024,
            require_authenticated_end: false,
        }
    }
}

/// How the peer's direction ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum End {
    /// The peer said so in a protected message: everything that it sent has been read.
    Authenticated,
    /// The connection was closed between two messages. Whoever controls the network can do that
    /// too, and later messages may be missing.
    Unauthenticated,
}

/// A byte stream that is authenticated, and sealed unless asked otherwise.
///
/// It is [`Read`] and [`Write`] where `S` is, and with the feature `tokio` `AsyncRead` and
/// `AsyncWrite` where `S` is. Every write becomes one protected message, so wrap it in a
/// [`BufWriter`](io::BufWriter) to write little by little.
///
/// # Errors of reading and writing
/// A message that was altered, replayed, reordered or left out, a frame beyond the limit and a
/// connection cut inside a frame are errors of the kinds [`InvalidData`](io::ErrorKind::InvalidData)
/// and [`UnexpectedEof`](io::ErrorKind::UnexpectedEof) with an [`Error`] inside, which
/// [`Error::from_io`] finds. They are final: every later read fails likewise.
///
/// # The end
/// [`finish`](Self::finish) (and the asynchronous shutdown) sends an authenticated end. A reader
/// sees the end of the stream after it, and also where the connection closes between two
/// messages; [`end`](Self::end) tells which, and
/// [`StreamOptions::require_authenticated_end`] makes the latter an error.
pub struct AuthenticatedStream<S> {
    stream: S,
    inbound: Inbound,
    outbound: Outbound,
    negotiated: Option<Negotiated>,
}

impl<S> AuthenticatedStream<S> {
    /// Protects what follows on `stream`.
    ///
    /// # Errors
    /// Where the context was not granted what the options need: confidentiality to seal,
    /// integrity, and detection of replayed and missing messages. Or where
    /// [`max_frame`](StreamOptions::max_frame) leaves no room for a message.
    pub fn new(stream: S, context: SecurityContext, options: StreamOptions) -> Result<Self, Error> {
        let mut needed = Flags::INTEGRITY | Flags::REPLAY | Flags::SEQUENCE;
        if options.protection == Protection::Sealed {
            needed |= Flags::CONFIDENTIALITY;
        }
        let missing = needed.difference(context.flags());
        if !missing.is_empty() {
            return Err(Error::new(0, ErrorKind::FlagsNotGranted(missing)));
        }
        let negotiated = context.negotiated().cloned();
        let (sender, receiver) = context.split();
        Ok(Self {
            stream,
            negotiated,
            inbound: Inbound::new(receiver, options),
            outbound: Outbound::new(sender, options)?,
        })
    }

    /// The peer, if it has proved its identity.
    #[must_use]
    pub fn peer(&self) -> Option<&Identity> {
        self.outbound.context().peer()
    }

    /// This side.
    #[must_use]
    pub fn local(&self) -> &Identity {
        self.outbound.context().local()
    }

    /// What was granted.
    #[must_use]
    pub fn flags(&self) -> Flags {
        self.outbound.context().flags()
    }

    /// The mechanism in effect.
    #[must_use]
    pub fn mechanism(&self) -> Oid<'static> {
        self.outbound.context().mechanism()
    }

    /// How the mechanism was negotiated, and why not another; `None` where it was not. The halves of
    /// the stream do not know.
    #[must_use]
    pub fn negotiated(&self) -> Option<&Negotiated> {
        self.negotiated.as_ref()
    }

    /// The sending half of the context, for whatever else it tells.
    #[must_use]
    pub fn context(&self) -> &Sender {
        self.outbound.context()
    }

    /// The credential that the peer delegated, once.
    #[must_use]
    pub fn take_delegated(&mut self) -> Option<TicketCredential> {
        self.inbound.take_delegated()
    }

    /// How the peer's direction ended, once it has.
    #[must_use]
    pub fn end(&self) -> Option<End> {
        self.inbound.end()
    }

    /// The stream underneath. Reading from it or writing to it breaks the protection.
    #[must_use]
    pub fn transport(&self) -> &S {
        &self.stream
    }

    /// Splits into owned halves that share no lock, over two halves of the stream underneath.
    ///
    /// With tokio: `stream.split_with(TcpStream::into_split)` or `split_with(tokio::io::split)`.
    pub fn split_with<R, W>(
        self,
        halve: impl FnOnce(S) -> (R, W),
    ) -> (AuthenticatedReader<R>, AuthenticatedWriter<W>) {
        let (reader, writer) = halve(self.stream);
        halves::join(reader, self.inbound, writer, self.outbound)
    }

    /// As [`split_with`](Self::split_with) where halving can fail:
    /// `stream.try_split_with(|tcp| Ok((tcp.try_clone()?, tcp)))`.
    ///
    /// # Errors
    /// Those of `halve`.
    pub fn try_split_with<R, W>(
        self,
        halve: impl FnOnce(S) -> io::Result<(R, W)>,
    ) -> io::Result<(AuthenticatedReader<R>, AuthenticatedWriter<W>)> {
        let (reader, writer) = halve(self.stream)?;
        Ok(halves::join(reader, self.inbound, writer, self.outbound))
    }
}

impl<S: Write> AuthenticatedStream<S> {
    /// Sends the authenticated end of this side's direction; nothing can be written after it. The
    /// stream underneath stays open, for reading and for the caller to close.
    ///
    /// # Errors
    /// Those of the stream underneath.
    pub fn finish(&mut self) -> io::Result<()> {
        self.outbound
            .finish(&mut |bytes| self.stream.write(bytes))?;
        self.stream.flush()
    }
}

impl<S: Read> Read for AuthenticatedStream<S> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.inbound.read(buf, &mut |bytes| self.stream.read(bytes))
    }
}

impl<S: Write> Write for AuthenticatedStream<S> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.outbound
            .write(buf, &mut |bytes| self.stream.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.outbound.drain(&mut |bytes| self.stream.write(bytes))?;
        self.stream.flush()
    }
}

impl<S> fmt::Debug for AuthenticatedStream<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthenticatedStream")
            .field("peer", &self.peer())
            .field("flags", &self.flags())
            .finish_non_exhaustive()
    }
}
