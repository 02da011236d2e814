//! Plaintext in, frames out, without I/O: the caller lends a function that writes.

use std::io;

use countersign_context::{Protection, Sender};

use super::StreamOptions;
use crate::error::{Error, ErrorKind};

/// Writes some bytes; `WouldBlock` where the stream takes none now.
pub(crate) type WriteSome<'a> = dyn FnMut(&[u8]) -> io::Result<usize> + 'a;

pub(crate) struct Outbound {
    sender: Sender,
    seal: bool,
    /// Longest message in bytes that fits into a frame.
    max_message: usize,
    /// Frames sealed and not yet written; the first `written` bytes of them are.
    pending: Vec<u8>,
    written: usize,
    /// An error that came after the message had been accepted.
    deferred: Option<io::Error>,
    finished: bool,
}

impl Outbound {
    pub(crate) fn new(sender: Sender, options: StreamOptions) -> Result<Self, Error> {
        let seal = options.protection == Protection::Sealed;
        let max_message = sender.wrap_size_limit(seal, options.max_frame);
        if max_message == 0 {
            return Err(Error::new(0, ErrorKind::FrameLimitTooSmall));
        }
        Ok(Self {
            sender,
            seal,
            max_message,
            pending: Vec::new(),
            written: 0,
            deferred: None,
            finished: false,
        })
    }

    pub(crate) fn context(&self) -> &Sender {
        &self.sender
    }

    /// Accepts some of `message`, and writes what can be written.
    ///
    /// What was accepted is in a frame already and cannot be taken back, so that an error of
    /// writing that frame is kept for the next call.
    pub(crate) fn write(&mut self, message: &[u8], write: &mut WriteSome<'_>) -> io::Result<usize> {
        if self.finished {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let message = message.get(..self.max_message).unwrap_or(message);
        if message.is_empty() {
            return Ok(0);
        }
        self.drain(write)?;
        self.frame(message)?;
        if let Err(error) = self.drain(write)
            && error.kind() != io::ErrorKind::WouldBlock
        {
            self.deferred = Some(error);
        }
        Ok(message.len())
    }

    /// Writes all that is pending. After `WouldBlock` the rest stays for another call.
    pub(crate) fn drain(&mut self, write: &mut WriteSome<'_>) -> io::Result<()> {
        if let Some(error) = self.deferred.take() {
            return Err(error);
        }
        while let Some(rest) = self.pending.get(self.written..)
            && !rest.is_empty()
        {
            match write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => self.written = self.written.saturating_add(written),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.pending.clear();
        self.written = 0;
        Ok(())
    }

    /// Writes the authenticated end, once.
    pub(crate) fn finish(&mut self, write: &mut WriteSome<'_>) -> io::Result<()> {
        if !self.finished {
            self.drain(write)?;
            self.frame(&[])?;
            self.finished = true;
        }
        self.drain(write)
    }

    fn frame(&mut self, message: &[u8]) -> io::Result<()> {
        let refused = |error| Error::new(0, ErrorKind::Refused(error));
        // The frame is built where it waits; on error `pending` is as it was.
        let (start, overhead) = (
            self.pending.len(),
            self.sender.overhead(self.seal, message.len()),
        );
        let length = overhead.total().saturating_add(message.len());
        let header =
            u32::try_from(length).map_err(|_| Error::new(0, ErrorKind::FrameLimitTooSmall))?;
        self.pending.extend_from_slice(&header.to_be_bytes());
        if let Err(error) = self.sender.wrap_into(self.seal, message, &mut self.pending) {
            self.pending.truncate(start);
            return Err(refused(error).into());
        }
        Ok(())
    }
}
