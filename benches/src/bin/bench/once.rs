//! Asks other libraries' programs for every operation once: that they answer, not how fast.

use countersign_benches::{Result, operations};

use crate::contest::{self, Source};
use crate::lab::{Lab, Library};
use crate::options::Options;

/// Whether every program that is there gave an answer, timed and counted, to all that it was told.
pub(crate) fn run(options: &Options, lab: &mut Lab) -> Result<bool> {
    let (mut right, mut failed) = (0, 0);
    let mut absent: Vec<&str> = Vec::new();
    let contests = contest::all(operations(), options);
    options.require_any(!contests.is_empty())?;
    for contest in contests {
        for contender in &contest.contenders {
            let Source::Peer(library, kind, told) = &contender.source else {
                continue;
            };
            if !lab.has(*library)? {
                let program = library.program();
                if !absent.contains(&program) {
                    absent.push(program);
                }
                continue;
            }
            match answered(lab, *library, kind, told)? {
                Some(true) => right += 1,
                None => {}
                Some(false) => {
                    failed += 1;
                    println!("failed: {}: {}", contest.name, contender.name);
                }
            }
        }
    }
    for program in &absent {
        println!("skipped: {program} is not built");
    }
    let skipped = absent.len();
    println!("bench: {right} passed, {failed} failed, {skipped} skipped");
    Ok(failed == 0 && right > 0)
}

/// What a library cannot do it says: `sspi` much, gss-ntlmssp no message that is signed and not sealed.
fn is_whole(library: Library, kind: &str) -> bool {
    library != Library::Sspi && !kind.ends_with("ntlm")
}

/// `None` where the library does not have the operation.
fn answered(lab: &mut Lab, library: Library, kind: &str, told: &str) -> Result<Option<bool>> {
    let problems = lab.problems.len();
    let timed = lab.ask(library, kind, &format!("{told} 1"))?;
    // Ours for this processor counts nothing.
    let counted = match library {
        Library::Native => lab.count(told)?,
        _ => lab.ask(library, kind, &format!("count {told} 1"))?,
    };
    if lab.problems.len() > problems {
        return Ok(Some(false));
    }
    Ok(match (timed, counted) {
        // These have all that they are asked for.
        (None, None) if is_whole(library, kind) => Some(false),
        (None, None) => None,
        (Some(timed), Some(counted)) => {
            let is_apart = timed.nanoseconds > 0 && timed.allocations == 0;
            Some(is_apart && (counted.allocations > 0) == (counted.peak > 0))
        }
        _ => Some(false),
    })
}
