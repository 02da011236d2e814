//! A channel of whole messages.

use std::collections::VecDeque;

/// What happens to a message; messages are counted from 0 in the order in which they are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The message never arrives.
    Drop(usize),
    /// The message arrives twice.
    Duplicate(usize),
    /// The message arrives after the one that is sent next, or last when none is.
    Reorder(usize),
    /// Only the first `length` bytes arrive.
    Truncate {
        /// Which message.
        message: usize,
        /// How much of it arrives.
        length: usize,
    },
    /// A bit is flipped; bit 0 is the least significant of the first byte. Beyond the end nothing happens.
    FlipBit {
        /// Which message.
        message: usize,
        /// Which bit.
        bit: usize,
    },
    /// Other bytes arrive instead.
    Replace {
        /// Which message.
        message: usize,
        /// What arrives.
        bytes: Vec<u8>,
    },
    /// The channel is closed before this message: neither it nor any later one arrives.
    Close(usize),
}

/// One direction of a channel of messages.
///
/// ```
/// use countersign_testkit::{Fault, MessagePipe};
///
/// let mut pipe = MessagePipe::new([Fault::Drop(0), Fault::FlipBit { message: 1, bit: 0 }]);
/// pipe.send(vec![1]);
/// pipe.send(vec![2]);
/// assert_eq!(pipe.receive(), Some(vec![3]));
/// assert_eq!(pipe.receive(), None);
/// ```
#[derive(Clone, Debug, Default)]
pub struct MessagePipe {
    faults: Vec<Fault>,
    sent: usize,
    held: VecDeque<Vec<u8>>,
    queue: VecDeque<Vec<u8>>,
    closed: bool,
}

impl MessagePipe {
    /// A channel with these faults; several may befall one message, in the order in which they are listed.
    #[must_use]
    pub fn new(faults: impl IntoIterator<Item = Fault>) -> Self {
        Self {
            faults: faults.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Sends a message. False when the channel is closed.
    pub fn send(&mut self, message: Vec<u8>) -> bool {
        let number = self.sent;
        self.sent = self.sent.saturating_add(1);
        let mut bytes = message;
        let (mut copies, mut hold) = (1, false);
        for fault in &self.faults {
            match fault {
                Fault::Drop(n) if *n == number => copies = 0,
                Fault::Duplicate(n) if *n == number => copies = 2,
                Fault::Reorder(n) if *n == number => hold = true,
                Fault::Truncate { message, length } if *message == number => {
                    bytes.truncate(*length)
                }
                Fault::FlipBit { message, bit } if *message == number => {
                    if let Some(byte) = bytes.get_mut(bit / 8) {
                        *byte ^= 1 << (bit % 8);
                    }
                }
                Fault::Replace {
                    message,
                    bytes: other,
                } if *message == number => bytes.clone_from(other),
                Fault::Close(n) if *n <= number => self.closed = true,
                _ => {}
            }
        }
        if self.closed {
            return false;
        }
        let released = if hold {
            VecDeque::new()
        } else {
            std::mem::take(&mut self.held)
        };
        let target = if hold {
            &mut self.held
        } else {
            &mut self.queue
        };
        target.extend(std::iter::repeat_n(bytes, copies));
        self.queue.extend(released);
        true
    }

    /// The next message that has arrived.
    pub fn receive(&mut self) -> Option<Vec<u8>> {
        self.queue.pop_front().or_else(|| self.held.pop_front())
    }

    /// Closes the channel: what was sent still arrives.
    pub fn close(&mut self) {
        self.closed = true;
    }

    /// Whether the channel is closed and nothing is left in it.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.closed && self.queue.is_empty() && self.held.is_empty()
    }
}

impl Iterator for MessagePipe {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        self.receive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn carry(faults: &[Fault]) -> Vec<Vec<u8>> {
        let mut pipe = MessagePipe::new(faults.iter().cloned());
        for message in [[10, 11], [20, 21], [30, 31]] {
            pipe.send(message.to_vec());
        }
        pipe.collect()
    }

    #[test]
    fn every_fault_does_what_it_says_and_nothing_else() {
        let (a, b, c) = (vec![10, 11], vec![20, 21], vec![30, 31]);
        assert_eq!(carry(&[]), [a.clone(), b.clone(), c.clone()]);
        assert_eq!(carry(&[Fault::Drop(1)]), [a.clone(), c.clone()]);
        assert_eq!(
            carry(&[Fault::Duplicate(1)]),
            [a.clone(), b.clone(), b.clone(), c.clone()]
        );
        assert_eq!(
            carry(&[Fault::Reorder(0)]),
            [b.clone(), a.clone(), c.clone()]
        );
        assert_eq!(
            carry(&[Fault::Reorder(2)]),
            [a.clone(), b.clone(), c.clone()]
        );
        let cut = carry(&[Fault::Truncate {
            message: 1,
            length: 1,
        }]);
        assert_eq!(cut, [a.clone(), vec![20], c.clone()]);
        let flipped = carry(&[Fault::FlipBit { message: 1, bit: 9 }]);
        assert_eq!(flipped, [a.clone(), vec![20, 23], c.clone()]);
        let replaced = carry(&[Fault::Replace {
            message: 1,
            bytes: vec![],
        }]);
        assert_eq!(replaced, [a.clone(), vec![], c.clone()]);
        assert_eq!(carry(&[Fault::Close(1)]), [a]);
    }

    #[test]
    fn a_closed_channel_delivers_what_was_sent() {
        let mut pipe = MessagePipe::default();
        assert!(pipe.send(vec![1]));
        pipe.close();
        assert!(!pipe.send(vec![2]));
        assert!(!pipe.is_finished());
        assert_eq!(pipe.receive(), Some(vec![1]));
        assert!(pipe.is_finished());
    }
}
