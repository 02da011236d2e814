//! The GSS-API face, both sides in memory.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where it fails"
)]

mod agreement;
mod contexts;
mod credentials;
mod environment;
mod guide;
mod mechanisms;
mod messages;
mod names;
mod problems;
mod sasl;
mod statuses;
mod support;
