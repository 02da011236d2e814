//! Sequence numbers: never one twice when sending, every replay told apart when receiving.
//!
//! ```text
//!        first            last - 63        last   last + 1
//!  ────────┼──────────────────┼──────────────┼───────┼──────────────▶ sequence number
//!    Old   │       Old        │  Duplicate,  │InOrder│     Gap
//!          │                  │  Unsequenced │       │
//! ```

use crate::error::{Error, ErrorKind};
use crate::flags::Flags;

/// How many sequence numbers before the last one are remembered, itself included.
pub(crate) const WINDOW: u64 = 64;

/// Where a message stands among those that came before it (RFC 2743 §1.2.3).
///
/// Only what the context's flags ask for is told: duplicates and old messages with
/// [`Flags::REPLAY`], all of it with [`Flags::SEQUENCE`], nothing with neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[must_use = "a duplicate or a gap is told here and nowhere else"]
pub enum Order {
    /// The message that was due.
    InOrder,
    /// It has been received before.
    Duplicate,
    /// It is too old to tell whether it has been received before.
    Old,
    /// A later message has been received already.
    Unsequenced,
    /// At least one message before it has not been received.
    Gap,
}

impl Order {
    /// Nothing, or the error that a strict receiver makes of it.
    pub(crate) fn strict(self) -> Result<(), Error> {
        Err(Error::from(match self {
            Self::InOrder => return Ok(()),
            Self::Duplicate => ErrorKind::MessageDuplicate,
            Self::Old => ErrorKind::MessageOld,
            Self::Unsequenced => ErrorKind::MessageUnsequenced,
            Self::Gap => ErrorKind::MessageGap,
        }))
    }
}

/// How many bits of a sequence number the tokens carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Width {
    /// RFC 4121 §4.2.1: the number starts from the 32 bits of the AP exchange and runs on.
    Bits64,
    /// RFC 1964 §1.2.1.2: the number wraps.
    Bits32,
}

/// The sequence numbers of sent messages. None is used twice: at the end of the range sending
/// ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SendSequence {
    pub(super) first: u64,
    /// `None` once the range is used up.
    pub(super) next: Option<u64>,
    pub(super) width: Width,
}

impl SendSequence {
    pub(crate) fn new(first: u64, width: Width) -> Self {
        Self {
            first,
            next: Some(first),
            width,
        }
    }

    /// The number for the next message, not yet spent. With [`Width::Bits32`] its low 32 bits go
    /// on the wire, and those never repeat either.
    pub(crate) fn peek(&self) -> Result<u64, Error> {
        let next = self.next.ok_or(ErrorKind::Overflow)?;
        let used = next.wrapping_sub(self.first);
        if self.width == Width::Bits32 && used > u64::from(u32::MAX) {
            return Err(ErrorKind::Overflow.into());
        }
        Ok(next)
    }

    /// Goes on with a number that was not used yet.
    #[cfg(feature = "ntlm")]
    pub(crate) fn skip_to(&mut self, number: u64) -> Result<(), Error> {
        match self.next {
            Some(next) if next <= number => {
                self.next = Some(number);
                Ok(())
            }
            _ => Err(ErrorKind::NumberSpent.into()),
        }
    }

    /// Spends the number that [`peek`](Self::peek) told.
    pub(crate) fn advance(&mut self) {
        self.next = self.next.and_then(|next| next.checked_add(1));
    }

    /// Whether the fields fit together; what an import checks.
    pub(crate) fn is_consistent(&self) -> bool {
        let used = self.next.map(|next| next.checked_sub(self.first));
        match (self.width, used) {
            (_, Some(None)) => false,
            (Width::Bits64, _) => true,
            (Width::Bits32, Some(Some(used))) => used <= 1 << 32,
            (Width::Bits32, None) => false,
        }
    }
}

/// What has been received: the last number and the 64 up to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ReceiveWindow {
    pub(super) first: u64,
    pub(super) last: Option<u64>,
    /// Bit `n` stands for `last - n`.
    pub(super) seen: u64,
    pub(super) width: Width,
}

impl ReceiveWindow {
    pub(crate) fn new(first: u64, width: Width) -> Self {
        let first = match width {
            Width::Bits64 => first,
            // Room below the first number, so that one that wrapped backwards stays below it.
            Width::Bits32 => first.saturating_add(1 << 32),
        };
        Self {
            first,
            last: None,
            seen: 0,
            width,
        }
    }

    /// The number that comes next where none is missing.
    pub(crate) fn due(&self) -> u64 {
        self.last.map_or(self.first, |last| last.wrapping_add(1))
    }

    /// The 64-bit number that a 32-bit number on the wire stands for: the one nearest to the
    /// number that is due.
    #[cfg_attr(
        not(any(test, feature = "ntlm", feature = "rc4")),
        expect(dead_code, reason = "tokens with 32 bits of number only")
    )]
    pub(crate) fn widen(&self, wire: u32) -> u64 {
        let due = self.due();
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the low 32 bits are compared"
        )]
        let distance = wire.wrapping_sub(due as u32).cast_signed();
        due.saturating_add_signed(i64::from(distance))
    }

    /// Where an authentic message stands. Records nothing.
    pub(crate) fn judge(&self, sequence: u64, flags: Flags) -> Order {
        let order = self.place(sequence);
        match order {
            Order::Duplicate | Order::Old if enforced(flags) => order,
            Order::Unsequenced | Order::Gap if flags.contains(Flags::SEQUENCE) => order,
            _ => Order::InOrder,
        }
    }

    fn place(&self, sequence: u64) -> Order {
        let Some(distance) = sequence.checked_sub(self.first) else {
            return Order::Old;
        };
        // No sender gets there (`SendSequence::peek`): it is the number of an early message, whose
        // repetition would be taken for a later one half way around.
        if self.width == Width::Bits32 && distance > u64::from(u32::MAX) {
            return Order::Old;
        }
        let Some(last) = self.last else {
            return if sequence == self.first {
                Order::InOrder
            } else {
                Order::Gap
            };
        };
        match last.checked_sub(sequence) {
            None if last.checked_add(1) == Some(sequence) => Order::InOrder,
            None => Order::Gap,
            Some(age) if age >= WINDOW => Order::Old,
            Some(age) if self.seen & bit(age) != 0 => Order::Duplicate,
            Some(_) => Order::Unsequenced,
        }
    }

    /// Records an authentic message that was taken.
    pub(crate) fn record(&mut self, sequence: u64) {
        if sequence < self.first {
            return;
        }
        match self.last {
            Some(last) if sequence <= last => self.seen |= bit(last.wrapping_sub(sequence)),
            last => {
                // A gap of 64 or more leaves nothing of the window (MIT's shift was undefined).
                let shift = last.and_then(|last| u32::try_from(sequence.wrapping_sub(last)).ok());
                let kept = shift
                    .and_then(|shift| self.seen.checked_shl(shift))
                    .unwrap_or(0);
                self.seen = kept | 1;
                self.last = Some(sequence);
            }
        }
    }

    /// Whether the fields fit together; what an import checks.
    pub(crate) fn is_consistent(&self) -> bool {
        match self.last {
            None => self.seen == 0,
            Some(last) => {
                let Some(span) = last.checked_sub(self.first) else {
                    return false;
                };
                let impossible = u32::try_from(span)
                    .ok()
                    .and_then(|span| span.checked_add(1))
                    .and_then(|span| u64::MAX.checked_shl(span))
                    .unwrap_or(0);
                self.seen & 1 == 1 && self.seen & impossible == 0
            }
        }
    }
}

fn bit(age: u64) -> u64 {
    u32::try_from(age)
        .ok()
        .and_then(|age| 1u64.checked_shl(age))
        .unwrap_or(0)
}

/// Whether duplicates are detected: with either flag (RFC 2743 §1.2.3).
fn enforced(flags: Flags) -> bool {
    flags.contains(Flags::REPLAY) || flags.contains(Flags::SEQUENCE)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: Flags = Flags::REPLAY.union(Flags::SEQUENCE);

    fn received(first: u64, numbers: &[u64]) -> ReceiveWindow {
        let mut window = ReceiveWindow::new(first, Width::Bits64);
        for number in numbers {
            window.record(*number);
            assert!(window.is_consistent(), "{window:?}");
        }
        window
    }

    #[test]
    fn each_place_relative_to_the_last_number_is_told_apart() {
        let window = received(100, &[100, 101, 103]);
        assert_eq!(window.judge(104, BOTH), Order::InOrder);
        assert_eq!(window.judge(105, BOTH), Order::Gap);
        assert_eq!(window.judge(103, BOTH), Order::Duplicate);
        assert_eq!(window.judge(102, BOTH), Order::Unsequenced);
        assert_eq!(window.judge(101, BOTH), Order::Duplicate);
        assert_eq!(window.judge(99, BOTH), Order::Old);
    }

    #[test]
    fn a_number_that_was_recorded_twice_is_still_a_duplicate() {
        for twice in [5, 7] {
            let window = received(0, &[5, 7, twice]);
            assert_eq!(window.judge(5, BOTH), Order::Duplicate);
            assert_eq!(window.judge(7, BOTH), Order::Duplicate);
            assert_eq!(window.judge(8, BOTH), Order::InOrder);
        }
    }

    #[test]
    fn fields_that_no_sender_has_do_not_fit_together() {
        let fits = |first, next, width| SendSequence { first, next, width }.is_consistent();
        for width in [Width::Bits64, Width::Bits32] {
            assert!(fits(5, Some(5), width) && fits(5, Some(9), width));
            assert!(!fits(5, Some(4), width));
        }
        // All numbers of 32 bits may be spent, and none beyond.
        assert!(fits(5, Some(5 + (1 << 32)), Width::Bits32));
        assert!(!fits(5, Some(6 + (1 << 32)), Width::Bits32));
        assert!(fits(5, Some(6 + (1 << 32)), Width::Bits64));
        assert!(fits(5, None, Width::Bits64) && !fits(5, None, Width::Bits32));
    }

    #[test]
    fn fields_that_no_receiver_has_do_not_fit_together() {
        let fits = |last, seen| {
            let window = ReceiveWindow {
                last,
                seen,
                ..ReceiveWindow::new(10, Width::Bits64)
            };
            window.is_consistent()
        };
        assert!(fits(None, 0) && !fits(None, 1));
        // The last number has been seen, and none before the first.
        assert!(fits(Some(12), 0b1) && fits(Some(12), 0b111));
        assert!(!fits(Some(12), 0b110) && !fits(Some(12), 0b1001));
        assert!(!fits(Some(9), 0b1));
    }

    #[test]
    fn the_first_message_is_due_at_the_first_number_only() {
        let window = received(7, &[]);
        assert_eq!(window.judge(7, BOTH), Order::InOrder);
        assert_eq!(window.judge(8, BOTH), Order::Gap);
        assert_eq!(window.judge(6, BOTH), Order::Old);
        assert_eq!(window.judge(u64::MAX, BOTH), Order::Gap);
    }

    #[test]
    fn the_window_is_of_64_numbers() {
        let window = received(0, &[0, 1, 64]);
        assert_eq!(window.judge(1, BOTH), Order::Duplicate);
        assert_eq!(window.judge(2, BOTH), Order::Unsequenced);
        assert_eq!(window.judge(0, BOTH), Order::Old);
    }

    #[test]
    fn gaps_around_64_and_far_beyond_shift_without_overflow() {
        for gap in [
            1,
            2,
            62,
            63,
            64,
            65,
            66,
            1 << 31,
            1 << 32,
            1 << 40,
            u64::MAX - 10,
        ] {
            let window = received(10, &[10, 10 + gap]);
            assert_eq!(window.judge(10 + gap, BOTH), Order::Duplicate);
            let first = if gap < 64 {
                Order::Duplicate
            } else {
                Order::Old
            };
            assert_eq!(window.judge(10, BOTH), first, "gap {gap}");
        }
    }

    #[test]
    fn replay_detection_tells_duplicates_and_old_ones_and_sequencing_tells_all() {
        let window = received(0, &[100, 102]);
        for (number, order) in [
            (100, Order::Duplicate),
            (1, Order::Old),
            (101, Order::Unsequenced),
            (104, Order::Gap),
        ] {
            let told = matches!(order, Order::Duplicate | Order::Old);
            let expected = if told { order } else { Order::InOrder };
            assert_eq!(window.judge(number, Flags::REPLAY), expected);
            assert_eq!(window.judge(number, Flags::SEQUENCE), order);
            assert_eq!(window.judge(number, Flags::NONE), Order::InOrder);
        }
    }

    #[cfg(feature = "ntlm")]
    #[test]
    fn a_number_that_was_used_or_passed_is_not_gone_on_with() {
        let mut sequence = SendSequence::new(7, Width::Bits32);
        sequence.skip_to(9).unwrap();
        assert_eq!(sequence.peek(), Ok(9));
        sequence.skip_to(9).unwrap();
        sequence.advance();
        for spent in [0, 7, 8, 9] {
            let refused = sequence.skip_to(spent).unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::NumberSpent, "{spent}");
            assert_eq!(sequence.peek(), Ok(10));
        }
        sequence.skip_to(10).unwrap();
    }

    #[test]
    fn numbers_run_through_32_bits_and_end_at_64() {
        let mut sequence = SendSequence::new(u64::from(u32::MAX), Width::Bits64);
        assert_eq!(sequence.peek(), Ok(0xffff_ffff));
        sequence.advance();
        assert_eq!(sequence.peek(), Ok(0x1_0000_0000));

        let mut sequence = SendSequence::new(u64::MAX, Width::Bits64);
        assert_eq!(sequence.peek(), Ok(u64::MAX));
        sequence.advance();
        for _ in 0..3 {
            assert_eq!(
                sequence.peek().map_err(|error| error.kind()),
                Err(ErrorKind::Overflow)
            );
            sequence.advance();
        }

        let window = received(u64::MAX - 1, &[u64::MAX - 1, u64::MAX]);
        assert_eq!(window.judge(u64::MAX, BOTH), Order::Duplicate);
        assert_eq!(window.judge(0, BOTH), Order::Old);
    }

    #[test]
    fn numbers_of_32_bits_wrap_once_and_never_repeat() {
        let mut sequence = SendSequence::new(0xffff_ffff, Width::Bits32);
        sequence.advance();
        assert_eq!(sequence.peek(), Ok(0x1_0000_0000));
        sequence.next = Some(0xffff_ffff + 0xffff_ffff);
        assert!(sequence.peek().is_ok());
        sequence.advance();
        assert_eq!(
            sequence.peek().map_err(|error| error.kind()),
            Err(ErrorKind::Overflow)
        );

        let mut window = ReceiveWindow::new(0xffff_fffe, Width::Bits32);
        for wire in [0xffff_fffe, 0xffff_ffff, 0, 1] {
            let wide = window.widen(wire);
            assert_eq!(window.judge(wide, BOTH), Order::InOrder);
            window.record(wide);
        }
        assert_eq!(
            window.judge(window.widen(0xffff_ffff), BOTH),
            Order::Duplicate
        );

        // An early message again, when more than half of the numbers are used up.
        let mut window = ReceiveWindow::new(0, Width::Bits32);
        window.record(window.widen(5));
        window.record((1 << 32) + (1 << 31) - 1);
        assert_eq!(window.judge(window.widen(5), BOTH), Order::Old);
        window.record((1 << 32) + (1 << 31) + 10);
        assert_eq!(window.judge(window.widen(5), BOTH), Order::Old);
        assert_eq!(
            window.judge(window.widen((1 << 31) + 11), BOTH),
            Order::InOrder
        );
        assert_eq!(window.judge(window.widen(u32::MAX), BOTH), Order::Gap);

        let window = ReceiveWindow::new(0, Width::Bits32);
        assert_eq!(window.judge(window.widen(0xffff_ffff), BOTH), Order::Old);
        assert_eq!(window.judge(window.widen(0), BOTH), Order::InOrder);
        assert_eq!(window.judge(window.widen(1), BOTH), Order::Gap);
    }
}
