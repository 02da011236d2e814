//! NTLM: MS-NLMP §2.2.

#![allow(clippy::unwrap_used, reason = "it is a test")]

#[path = "../common/mod.rs"]
mod common;

mod examples;
mod hostile;
mod layouts;
mod pairs;
mod responses;
