//! After everything is dropped, no secret is left in the process's memory.
//!
//! Linux shows a process its own memory as a file, so safe code can search all of it: the heap, freed pieces of
//! it included, the stack, statics and anonymous mappings. Secrets are remembered masked, so that the search does
//! not find itself. The KDC, whose code keeps no such promise, runs in a process of its own.
//!
//! The program has one thread and no harness: other tests' memory would be searched too. Elsewhere than on Linux
//! it does nothing.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests are tests too

#[cfg(target_os = "linux")]
mod cancelled;
#[cfg(target_os = "linux")]
mod crypto;
#[cfg(target_os = "linux")]
mod domain;
#[cfg(target_os = "linux")]
mod ends;
#[cfg(target_os = "linux")]
mod files;
#[cfg(target_os = "linux")]
mod kerberos;
#[cfg(target_os = "linux")]
mod memory;
#[cfg(target_os = "linux")]
mod ntlm;
#[cfg(target_os = "linux")]
mod search;
#[cfg(target_os = "linux")]
mod sides;

/// The name of a test, and the test.
#[cfg(target_os = "linux")]
type Claim = (&'static str, fn(&mut search::Search));

#[cfg(target_os = "linux")]
fn main() {
    if std::env::args().nth(1).as_deref() == Some(domain::ARGUMENT) {
        return domain::serve();
    }
    let mut search = search::Search::new();
    let claims = [
        search::CLAIM,
        crypto::CLAIM,
        ntlm::CLAIM,
        kerberos::CLAIM,
        files::CLAIM,
        sides::CLAIM,
        cancelled::CLAIM,
    ];
    for (name, claim) in claims {
        claim(&mut search);
        println!("test {name} ... ok ({})", search.counts());
    }
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("skipped: a process reads its own memory on Linux alone");
}
