//! Many contexts, and for a long time.

mod abandoned;
mod day;
mod half_open;
mod memory;
mod replays;

use crate::Options;
use crate::report::Report;

type Part = fn(&Options, &mut Report);

/// First those that look at what the process has grown by: memory that others gave back would hide it.
const PARTS: [(&str, Part); 6] = [
    ("abandoned", abandoned::run),
    ("replay entries", replays::entries),
    ("half-open", half_open::run),
    ("replayed contexts", replays::accepted),
    ("race", replays::race),
    ("day", day::run),
];

/// What there is to select.
pub(crate) fn titles() -> Vec<String> {
    PARTS.iter().map(|(title, _)| (*title).to_owned()).collect()
}

pub(crate) fn run(options: &Options, report: &mut Report) {
    for (title, part) in PARTS {
        if options.selects("load", title) {
            part(options, report);
        }
    }
}
