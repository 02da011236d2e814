//! NTLM between implementations, raw and within SPNEGO: every pair that can speak with each other is asked the
//! same questions.
//!
//! Our own sides belong into a file `ours.rs` beside this one: an implementation of [`NtlmSide`] and a variant
//! of `rows::Peer`; the pairs, the questions and the table are then made of it. Where a program of ours speaks
//! HTTP, `http` has the other end.

mod apache;
mod base64;
mod http;
mod known;
mod lab;
mod ntlm_auth;
mod program;
mod questions;
mod rows;
mod side;

pub(crate) use ntlm_auth::{Client, Server, Verifier};
pub(crate) use questions::QUESTIONS;
pub(crate) use rows::{Row, rows, run};
