//! The instructions of either class of a case, counted while [`counted`] runs.

use std::hint::black_box;

use countersign_benches::{Result, callgrind};

use crate::cases::{Case, Subject};

/// The argument of the process that valgrind runs.
pub(crate) const INSIDE: &str = "--inside";

/// How often each class is counted, of which the least counts: an allocator may have to look for
/// a piece of the size.
const ROUNDS: usize = 32;

/// Neither class always comes after the other.
fn order(round: usize) -> [usize; 2] {
    [round % 2, 1 - round % 2]
}

/// What callgrind knows the function by.
const COUNTED: &str = "timing::instructions::counted";

/// The instructions of either class, by case.
pub(crate) fn of(cases: &[Case], wanted: &str) -> Result<Vec<[u64; 2]>> {
    let arguments = [INSIDE, wanted];
    let given = arguments
        .into_iter()
        .filter(|argument| !argument.is_empty());
    let sums = callgrind::sums(COUNTED, given)?;
    if sums.len() != cases.len() * ROUNDS * 2 {
        return Err("valgrind counted another number of rounds".into());
    }
    let case = |sums: &[u64]| {
        let mut least = [u64::MAX; 2];
        for (class, count) in (0..ROUNDS).flat_map(order).zip(sums) {
            least[class] = least[class].min(*count);
        }
        least
    };
    Ok(sums.chunks(ROUNDS * 2).map(case).collect())
}

/// What valgrind looks at.
pub(crate) fn inside(cases: &[Case]) -> Result<()> {
    for case in cases {
        let mut subject = case.subject()?;
        for class in (0..ROUNDS).flat_map(order) {
            subject.prepare(class);
            black_box(counted(&mut *subject));
        }
    }
    Ok(())
}

/// Its last deed is its own: of a jump into the subject valgrind would see no end.
#[inline(never)]
fn counted(subject: &mut dyn Subject) -> u64 {
    subject.run();
    black_box(1)
}
