//! What can happen to a message on its way.

use core::ops::ControlFlow;

/// One fault, for whoever looks for the defect that it found.
#[derive(Debug, Clone, Copy)]
#[expect(dead_code, reason = "the numbers are for what is printed of a defect")]
pub(crate) enum Fault {
    /// Nothing: the control.
    None,
    Drop,
    Empty,
    Duplicate,
    /// An earlier message in the place of this one, before it, or after it.
    Exchanged(usize),
    Before(usize),
    After(usize),
    /// The same, of another session: 0 is the same client's, 1 another's.
    OfAnother(usize),
    BeforeOfAnother(usize),
    AfterOfAnother(usize),
    /// That message of another session, which the acceptor has seen already.
    SeenOfAnother(usize),
    Truncated(usize),
    Flipped(usize),
    /// An octet, and its new value.
    Octet(usize, u8),
    Without(usize),
    Inserted(usize, u8),
    /// From there on another session's.
    Spliced(usize, usize),
    /// Followed by so many octets.
    Longer(usize),
    /// That many octets of nonsense.
    Oversize(usize),
    /// Several at once, at random: the seed and the number there.
    Random(u64, u64),
}

/// The values that are inserted: tags and lengths, and both ends.
const INSERTED: [u8; 5] = [0x00, 0x30, 0x60, 0x80, 0xff];

/// Lengths beyond and at the limit of 64 KiB.
const OVERSIZE: [usize; 5] = [65_535, 65_536, 65_537, 100_000, 1 << 20];

type Case<'a> = &'a mut dyn FnMut(Fault, &[&[u8]]) -> ControlFlow<()>;

/// What every message suffers: each call has what arrives in its place. `others` are the same message
/// of other sessions, `own` all of this one.
pub(crate) fn each(
    own: &[Vec<u8>],
    number: usize,
    others: [&[Vec<u8>]; 2],
    octets: bool,
    case: Case<'_>,
) -> ControlFlow<()> {
    let Some(message) = own.get(number).map(Vec::as_slice) else {
        return ControlFlow::Continue(());
    };
    case(Fault::None, &[message])?;
    case(Fault::Drop, &[])?;
    case(Fault::Empty, &[b""])?;
    case(Fault::Duplicate, &[message, message])?;
    // What comes later is the answer to this one: nobody has it yet.
    for (at, wrong) in own.iter().enumerate().take(number) {
        case(Fault::Exchanged(at), &[wrong])?;
        case(Fault::Before(at), &[wrong, message])?;
        case(Fault::After(at), &[message, wrong])?;
    }
    for (which, other) in others.iter().enumerate() {
        let Some(other) = other.get(number) else {
            continue;
        };
        case(Fault::OfAnother(which), &[other])?;
        case(Fault::BeforeOfAnother(which), &[other, message])?;
        case(Fault::AfterOfAnother(which), &[message, other])?;
        for at in 1..message.len().min(other.len()) {
            let spliced = [&message[..at], &other[at..]].concat();
            case(Fault::Spliced(which, at), &[&spliced])?;
        }
    }
    altered(message, octets, case)
}

fn altered(message: &[u8], octets: bool, case: Case<'_>) -> ControlFlow<()> {
    for length in 0..message.len() {
        case(Fault::Truncated(length), &[&message[..length]])?;
    }
    let mut copy = message.to_vec();
    for at in 0..message.len() {
        let octet = message[at];
        for bit in 0..8 {
            copy[at] = octet ^ (1 << bit);
            case(Fault::Flipped(at * 8 + bit), &[&copy])?;
        }
        for value in 0..=u8::MAX {
            if octets && (value ^ octet).count_ones() > 1 {
                copy[at] = value;
                case(Fault::Octet(at, value), &[&copy])?;
            }
        }
        copy[at] = octet;
    }
    for at in 0..message.len() {
        copy.clone_from_slice(message);
        copy.remove(at);
        case(Fault::Without(at), &[&copy])?;
        for value in INSERTED {
            copy.clear();
            copy.extend_from_slice(message);
            copy.insert(at, value);
            case(Fault::Inserted(at, value), &[&copy])?;
        }
        copy.truncate(message.len());
    }
    for more in [1, 2, 8, 1000] {
        copy.clear();
        copy.extend_from_slice(message);
        copy.resize(message.len() + more, 0);
        case(Fault::Longer(more), &[&copy])?;
    }
    for length in OVERSIZE {
        copy.clear();
        copy.extend_from_slice(message);
        copy.resize(length, 0x30);
        case(Fault::Oversize(length), &[&copy])?;
    }
    ControlFlow::Continue(())
}
