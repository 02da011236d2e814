//! The owned halves of an authenticated stream.

use core::fmt;
use std::io::{self, Read, Write};

use countersign_context::credential::TicketCredential;
use countersign_context::{Flags, Identity};

use super::End;
use super::inbound::Inbound;
use super::outbound::Outbound;

/// The half of an [`AuthenticatedStream`](super::AuthenticatedStream) that reads.
pub struct AuthenticatedReader<R> {
    pub(super) reader: R,
    pub(super) inbound: Inbound,
}

/// The half of an [`AuthenticatedStream`](super::AuthenticatedStream) that writes.
pub struct AuthenticatedWriter<W> {
    pub(super) writer: W,
    pub(super) outbound: Outbound,
}

pub(super) fn join<R, W>(
    reader: R,
    inbound: Inbound,
    writer: W,
    outbound: Outbound,
) -> (AuthenticatedReader<R>, AuthenticatedWriter<W>) {
    (
        AuthenticatedReader { reader, inbound },
        AuthenticatedWriter { writer, outbound },
    )
}

impl<R> AuthenticatedReader<R> {
    /// The peer, if it has proved its identity.
    #[must_use]
    pub fn peer(&self) -> Option<&Identity> {
        self.inbound.context().peer()
    }

    /// What was granted.
    #[must_use]
    pub fn flags(&self) -> Flags {
        self.inbound.context().flags()
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
}

impl<W> AuthenticatedWriter<W> {
    /// The peer, if it has proved its identity.
    #[must_use]
    pub fn peer(&self) -> Option<&Identity> {
        self.outbound.context().peer()
    }

    /// What was granted.
    #[must_use]
    pub fn flags(&self) -> Flags {
        self.outbound.context().flags()
    }
}

impl<W: Write> AuthenticatedWriter<W> {
    /// Sends the authenticated end of this side's direction; nothing can be written after it.
    ///
    /// # Errors
    /// Those of the stream underneath.
    pub fn finish(&mut self) -> io::Result<()> {
        self.outbound
            .finish(&mut |bytes| self.writer.write(bytes))?;
        self.writer.flush()
    }
}

impl<R: Read> Read for AuthenticatedReader<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.inbound.read(buf, &mut |bytes| self.reader.read(bytes))
    }
}

impl<W: Write> Write for AuthenticatedWriter<W> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.outbound
            .write(buf, &mut |bytes| self.writer.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.outbound.drain(&mut |bytes| self.writer.write(bytes))?;
        self.writer.flush()
    }
}

impl<R> fmt::Debug for AuthenticatedReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthenticatedReader")
            .field("peer", &self.peer())
            .finish_non_exhaustive()
    }
}

impl<W> fmt::Debug for AuthenticatedWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthenticatedWriter")
            .field("peer", &self.peer())
            .finish_non_exhaustive()
    }
}
