//! Attacks that cross the two sides, or that need what only a client or a KDC has; each beside a
//! control that succeeds.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests are tests too

mod acceptor;
mod caller;
mod initiator;
mod services;
#[path = "../support/mod.rs"]
mod support;
mod third_leg;
