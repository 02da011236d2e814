//! A byte stream with two ends.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What happens to one direction of a stream; offsets count the bytes that were written to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamFault {
    /// The direction is closed after this many bytes: the reader sees the end, the writer a broken pipe.
    CloseAfter(usize),
    /// A bit of the byte at `offset` is flipped; bit 0 is the least significant.
    FlipBit {
        /// Which byte.
        offset: usize,
        /// Which of its bits, 0 to 7.
        bit: u8,
    },
    /// `length` bytes from `offset` on never arrive.
    Drop {
        /// The first byte.
        offset: usize,
        /// How many.
        length: usize,
    },
    /// The byte at `offset` arrives twice.
    Duplicate {
        /// Which byte.
        offset: usize,
    },
    /// Reads give at most this many bytes at a time.
    ReadAtMost(usize),
    /// Writes take at most this many bytes at a time.
    WriteAtMost(usize),
}

/// One end of a stream: `Read` and `Write`, also behind a shared reference, so that two threads can use it.
///
/// Reads block until there is something to read, the peer has gone, or the time limit is over (ten seconds unless
/// [`set_timeout`](Self::set_timeout) says otherwise), so that a test that would hang fails instead. Dropping an end
/// closes both directions.
#[derive(Debug)]
pub struct StreamEnd {
    incoming: Arc<Direction>,
    outgoing: Arc<Direction>,
    timeout: Duration,
}

#[derive(Debug, Default)]
struct Direction {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    buffer: VecDeque<u8>,
    written: usize,
    closed: bool,
    faults: Vec<StreamFault>,
}

/// A stream without faults.
///
/// ```
/// use std::io::{Read, Write};
///
/// let (mut client, mut server) = countersign_testkit::pipe::pair();
/// client.write_all(b"hello")?;
/// drop(client);
/// let mut received = String::new();
/// server.read_to_string(&mut received)?;
/// assert_eq!(received, "hello");
/// # Ok::<(), std::io::Error>(())
/// ```
#[must_use]
pub fn pair() -> (StreamEnd, StreamEnd) {
    pair_with([], [])
}

/// A stream with faults: of what the first end writes, and of what the second end writes.
#[must_use]
pub fn pair_with(
    first: impl IntoIterator<Item = StreamFault>,
    second: impl IntoIterator<Item = StreamFault>,
) -> (StreamEnd, StreamEnd) {
    let (there, back) = (Direction::new(first), Direction::new(second));
    let end = |incoming: &Arc<Direction>, outgoing: &Arc<Direction>| StreamEnd {
        incoming: Arc::clone(incoming),
        outgoing: Arc::clone(outgoing),
        timeout: Duration::from_secs(10),
    };
    (end(&back, &there), end(&there, &back))
}

impl StreamEnd {
    /// How long a read waits.
    pub fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }

    /// Closes what this end writes; the peer reads what was written and then the end.
    pub fn shutdown_write(&self) {
        self.outgoing.close();
    }

    /// How many bytes this end has written.
    #[must_use]
    pub fn written(&self) -> usize {
        self.outgoing.lock().written
    }
}

impl Drop for StreamEnd {
    fn drop(&mut self) {
        self.outgoing.close();
        self.incoming.close();
    }
}

impl Direction {
    fn new(faults: impl IntoIterator<Item = StreamFault>) -> Arc<Self> {
        let state = State {
            faults: faults.into_iter().collect(),
            ..State::default()
        };
        Arc::new(Self {
            state: Mutex::new(state),
            changed: Condvar::new(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.lock();
        if state.closed {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let most = state.faults.iter().find_map(|fault| match fault {
            StreamFault::WriteAtMost(most) => Some((*most).max(1)),
            _ => None,
        });
        let count = bytes.len().min(most.unwrap_or(usize::MAX));
        for &byte in bytes.iter().take(count) {
            state.push(byte);
        }
        drop(state);
        self.changed.notify_all();
        Ok(count)
    }

    fn read(&self, out: &mut [u8], timeout: Duration) -> io::Result<usize> {
        let deadline = Instant::now().checked_add(timeout);
        let mut state = self.lock();
        while state.buffer.is_empty() && !state.closed && !out.is_empty() {
            let left = deadline.map_or(timeout, |at| at.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let most = state.faults.iter().find_map(|fault| match fault {
            StreamFault::ReadAtMost(most) => Some((*most).max(1)),
            _ => None,
        });
        let most = out.len().min(most.unwrap_or(usize::MAX));
        let mut count = 0;
        for slot in out.iter_mut().take(most) {
            let Some(byte) = state.buffer.pop_front() else {
                break;
            };
            *slot = byte;
            count += 1;
        }
        Ok(count)
    }
}

impl State {
    fn push(&mut self, byte: u8) {
        let position = self.written;
        self.written = self.written.saturating_add(1);
        let (mut byte, mut copies) = (byte, 1);
        for fault in &self.faults {
            match *fault {
                StreamFault::CloseAfter(offset) if position >= offset => self.closed = true,
                StreamFault::FlipBit { offset, bit } if position == offset => {
                    byte ^= 1 << (bit & 7)
                }
                StreamFault::Drop { offset, length }
                    if (offset..offset.saturating_add(length)).contains(&position) =>
                {
                    copies = 0;
                }
                StreamFault::Duplicate { offset } if position == offset => copies = 2,
                _ => {}
            }
        }
        if !self.closed {
            self.buffer.extend(std::iter::repeat_n(byte, copies));
        }
    }
}

impl Read for &StreamEnd {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.incoming.read(out, self.timeout)
    }
}

impl Write for &StreamEnd {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.outgoing.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for StreamEnd {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        (&*self).read(out)
    }
}

impl Write for StreamEnd {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&*self).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn carry(faults: &[StreamFault]) -> Vec<u8> {
        let (mut one, mut other) = pair_with(faults.iter().copied(), []);
        // The writer may find the pipe broken; what arrived counts.
        let _ = one.write_all(b"abcdef");
        drop(one);
        let mut received = Vec::new();
        other.read_to_end(&mut received).unwrap();
        received
    }

    #[test]
    fn every_fault_does_what_it_says_and_nothing_else() {
        assert_eq!(carry(&[]), b"abcdef");
        assert_eq!(carry(&[StreamFault::CloseAfter(2)]), b"ab");
        assert_eq!(carry(&[StreamFault::CloseAfter(6)]), b"abcdef");
        assert_eq!(
            carry(&[StreamFault::FlipBit { offset: 1, bit: 0 }]),
            b"accdef"
        );
        assert_eq!(
            carry(&[StreamFault::Drop {
                offset: 1,
                length: 3
            }]),
            b"aef"
        );
        assert_eq!(carry(&[StreamFault::Duplicate { offset: 5 }]), b"abcdeff");
        assert_eq!(
            carry(&[StreamFault::ReadAtMost(1), StreamFault::WriteAtMost(1)]),
            b"abcdef"
        );
    }

    #[test]
    fn short_reads_and_writes_are_short() {
        let faults = [StreamFault::ReadAtMost(2), StreamFault::WriteAtMost(3)];
        let (mut one, mut other) = pair_with(faults, []);
        assert_eq!(one.write(b"abcdef").unwrap(), 3);
        let mut out = [0; 8];
        assert_eq!(other.read(&mut out).unwrap(), 2);
        assert_eq!(other.read(&mut out).unwrap(), 1);
    }

    #[test]
    fn a_reader_waits_for_the_writer_and_not_for_ever() {
        let (one, mut other) = pair();
        let writer = std::thread::spawn(move || (&one).write_all(b"late").map(|()| one));
        let mut out = [0; 4];
        other.read_exact(&mut out).unwrap();
        assert_eq!(&out, b"late");
        let one = writer.join().unwrap().unwrap();
        other.set_timeout(Duration::from_millis(10));
        assert_eq!(
            other.read(&mut out).unwrap_err().kind(),
            io::ErrorKind::TimedOut
        );
        one.shutdown_write();
        assert_eq!(other.read(&mut out).unwrap(), 0);
    }

    #[test]
    fn writing_to_a_peer_that_has_gone_fails() {
        let (mut one, other) = pair();
        assert!(one.write_all(b"x").is_ok());
        drop(other);
        assert_eq!(
            one.write(b"x").unwrap_err().kind(),
            io::ErrorKind::BrokenPipe
        );
        assert_eq!(one.written(), 1);
    }
}
