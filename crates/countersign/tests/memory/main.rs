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
mod crypto;
#[cfg(target_os = "linux")]
mod domain;
#[cfg(target_os = "linux")]
mod kerberos;
#[cfg(target_os = "linux")]
mod memory;
#[cfg(target_os = "linux")]
mod ntlm;
#[cfg(target_os = "linux")]
mod search;

#[cfg(target_os = "linux")]
fn main() {
    if std::env::args().nth(1).as_deref() == Some(domain::ARGUMENT) {
        return domain::serve();
    }
    let mut search = search::Search::new();
    let claims: &[(&str, fn(&mut search::Search))] = &[
        ("search", search::what_is_in_memory_is_found),
        ("passwords", crypto::keys_of_passwords_are_wiped),
        ("ntlm", ntlm::secrets_of_ntlm_are_wiped),
        ("kerberos", kerberos::secrets_of_kerberos_are_wiped),
    ];
    for (name, claim) in claims {
        claim(&mut search);
        println!("{name} ... ok");
    }
}

#[cfg(not(target_os = "linux"))]
fn main() {}
