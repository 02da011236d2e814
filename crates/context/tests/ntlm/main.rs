//! NTLM: both sides against each other and against hostile peers.
//!
//! `forger` and `hostile` are peers that know nothing of the engine; `wire` is what protects their
//! messages.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests are tests too

mod bindings;
mod boundaries;
mod cost;
mod datagrams;
mod flags;
mod forger;
mod handshakes;
mod hostile;
mod logon;
mod matrix;
mod middle;
mod mutations;
mod protection;
mod refusals;
mod servers;
mod states;
mod support;
#[cfg(feature = "ntlm-v1")]
mod v1;
mod vectors;
mod wire;
