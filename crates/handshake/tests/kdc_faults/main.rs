//! Each fault of a KDC, over each transport, by both drivers, in each exchange: alone, the exchange
//! ends with an error that says what happened; beside a KDC that behaves, with the ticket. What takes time is
//! in `soak --only KDC:`.
#![cfg(feature = "tokio")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where it fails"
)]

#[path = "../support/mod.rs"]
mod support;

mod alone;
mod beside;
mod deadline;
mod exchange;
mod password;
#[cfg(feature = "https")]
mod proxy;
mod replies;
