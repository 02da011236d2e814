//! Each fault of a KDC, over each transport, by both drivers, in each exchange: alone, the exchange
//! ends with an error that says what happened; beside a KDC that behaves, with the ticket. The
//! reports of `soak --only KDC` are made by more of them, and in time.
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
mod exchange;
mod password;
mod replies;
