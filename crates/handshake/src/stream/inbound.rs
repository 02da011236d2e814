//! Frames in, plaintext out, without I/O: the caller lends a function that reads.

use core::ops::Range;
use std::io;

use countersign_context::credential::TicketCredential;
use countersign_context::{Protection, Receiver};

use super::{End, StreamOptions};
use crate::error::{Error, ErrorKind};

/// Reads some bytes, zero at the end; `WouldBlock` where there are none now.
pub(crate) type ReadSome<'a> = dyn FnMut(&mut [u8]) -> io::Result<usize> + 'a;

/// Bytes ahead of a frame's Wrap token.
const HEADER: usize = 4;
/// What is read at once, and the most that is allocated ahead of what the peer has really sent.
const STEP: usize = 16 * 1024;

pub(crate) struct Inbound {
    receiver: Receiver,
    options: StreamOptions,
    /// Bytes of the stream as they came, some opened in place.
    buffer: Vec<u8>,
    /// The part of `buffer` that holds bytes not yet looked at.
    unread: Range<usize>,
    /// The part of `buffer` that holds plaintext not yet handed out, ahead of `unread`.
    plaintext: Range<usize>,
    end: Option<End>,
    failed: Option<Error>,
}

impl Inbound {
    pub(crate) fn new(receiver: Receiver, options: StreamOptions) -> Self {
        Self {
            receiver,
            options,
            buffer: Vec::new(),
            unread: 0..0,
            plaintext: 0..0,
            end: None,
            failed: None,
        }
    }

    pub(crate) fn context(&self) -> &Receiver {
        &self.receiver
    }

    pub(crate) fn take_delegated(&mut self) -> Option<TicketCredential> {
        self.receiver.take_delegated()
    }

    pub(crate) fn end(&self) -> Option<End> {
        self.end
    }

    /// Fills some of `out`; zero bytes at the end of the stream.
    pub(crate) fn read(&mut self, out: &mut [u8], read: &mut ReadSome<'_>) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        loop {
            if !self.plaintext.is_empty() {
                return Ok(self.hand_out(out));
            }
            if let Some(error) = &self.failed {
                return Err(error.clone().into());
            }
            if self.end.is_some() {
                return Ok(0);
            }
            let advanced = match self.frame() {
                Ok(Some(frame)) => self.open(frame),
                Ok(None) => match self.fill(read)? {
                    0 => self.close(),
                    _ => Ok(()),
                },
                Err(kind) => Err(kind),
            };
            if let Err(kind) = advanced {
                self.failed = Some(Error::new(0, kind));
            }
        }
    }

    fn hand_out(&mut self, out: &mut [u8]) -> usize {
        let ready = self.buffer.get(self.plaintext.clone()).unwrap_or_default();
        let n = ready.len().min(out.len());
        if let (Some(to), Some(from)) = (out.get_mut(..n), ready.get(..n)) {
            to.copy_from_slice(from);
        }
        self.plaintext.start = self.plaintext.start.saturating_add(n);
        n
    }

    /// The whole of the next frame's length, header included, if the header is there.
    fn frame_length(&self) -> Result<Option<usize>, ErrorKind> {
        let unread = self.buffer.get(self.unread.clone()).unwrap_or_default();
        let Some(header) = unread.first_chunk::<HEADER>() else {
            return Ok(None);
        };
        let length = usize::try_from(u32::from_be_bytes(*header)).unwrap_or(usize::MAX);
        if length > self.options.max_frame {
            return Err(ErrorKind::TooLarge {
                length,
                limit: self.options.max_frame,
            });
        }
        Ok(Some(length.saturating_add(HEADER)))
    }

    /// Where the next frame's Wrap token lies, if all of it is there; it counts as looked at.
    fn frame(&mut self) -> Result<Option<Range<usize>>, ErrorKind> {
        let Some(length) = self.frame_length()? else {
            return Ok(None);
        };
        if self.unread.len() < length {
            return Ok(None);
        }
        let end = self.unread.start.saturating_add(length);
        let token = self.unread.start.saturating_add(HEADER)..end;
        self.unread.start = end;
        Ok(Some(token))
    }

    fn open(&mut self, token: Range<usize>) -> Result<(), ErrorKind> {
        let base = token.start;
        let bytes = self.buffer.get_mut(token).unwrap_or_default();
        let opened = self
            .receiver
            .unwrap_in_place(bytes)
            .map_err(ErrorKind::Refused)?;
        if self.options.protection == Protection::Sealed && !opened.sealed {
            return Err(ErrorKind::NotSealed);
        }
        if opened.message.is_empty() {
            self.end = Some(End::Authenticated);
            return Ok(());
        }
        self.plaintext =
            base.saturating_add(opened.message.start)..base.saturating_add(opened.message.end);
        Ok(())
    }

    /// Reads some bytes behind those that are unread.
    fn fill(&mut self, read: &mut ReadSome<'_>) -> io::Result<usize> {
        if self.unread.is_empty() {
            self.unread = 0..0;
        }
        // No more than one step ahead of what has come, so that a header alone costs nothing.
        let frame = self.frame_length().ok().flatten().unwrap_or(HEADER);
        let room = frame.saturating_sub(self.unread.len()).clamp(1, STEP);
        if self.unread.end.saturating_add(room) > self.buffer.len() {
            if self.unread.start != 0 {
                self.buffer.copy_within(self.unread.clone(), 0);
                self.unread = 0..self.unread.len();
            }
            let wanted = self.unread.end.saturating_add(room).max(STEP);
            if self.buffer.len() < wanted {
                self.buffer.resize(wanted, 0);
            }
        }
        let free = self.buffer.get_mut(self.unread.end..).unwrap_or_default();
        loop {
            match read(free) {
                Ok(n) => {
                    self.unread.end = self.unread.end.saturating_add(n.min(free.len()));
                    return Ok(n);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The connection has ended.
    fn close(&mut self) -> Result<(), ErrorKind> {
        let received = self.unread.len();
        if received != 0 {
            let frame = self.frame_length()?.unwrap_or(HEADER);
            return Err(ErrorKind::PeerClosed {
                received,
                missing: frame.saturating_sub(received),
            });
        }
        if self.options.require_authenticated_end {
            return Err(ErrorKind::Truncated);
        }
        self.end = Some(End::Unauthenticated);
        Ok(())
    }
}
