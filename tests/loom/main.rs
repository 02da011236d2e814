//! What threads share, in every order in which their steps can come.
//!
//! The modules are the library's own files, built once more with the locks of `loom` (`build.rs`
//! says so by `cfg(countersign_loom)`). Each model is run again and again until every interleaving
//! has been seen; a thread that is never woken is a deadlock, which `loom` reports.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where it fails"
)]

#[path = "../../crates/handshake/src/kdc/baton.rs"]
#[allow(dead_code)]
mod baton;
#[path = "../../crates/handshake/src/kdc/tickets/flight.rs"]
#[allow(dead_code)]
mod flight;
#[path = "../../crates/context/src/kerberos/replay.rs"]
#[allow(dead_code, unreachable_pub)]
mod replay;
#[path = "../../crates/context/src/kerberos/kdc/tickets.rs"]
#[allow(dead_code, unreachable_pub)]
mod tickets;

/// Under the names by which the files know them.
mod step {
    pub(crate) use countersign_context::{ReplayQuery, ReplayVerdict};
}
mod policy {
    pub(crate) use countersign_context::EnctypeSet;
}

mod models;
