//! The functions of `sspi.h`, called as its documentation calls them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends where it fails"
)]

mod attributes;
mod credentials;
mod guide;
mod impersonation;
mod messages;
mod parameters;
mod password;
mod sequences;
mod service;
mod statuses;
mod support;
