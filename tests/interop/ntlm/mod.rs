//! NTLM between implementations, raw and within SPNEGO: every pair that can speak with each other is asked the
//! same questions.
//!
//! One more implementation, ours too, is an implementation of `side::NtlmSide` and a variant of `rows::Peer`
//! with its arm in `Peer::start` and its place in `rows::SIDES`: the pairs, the questions and the table are
//! made of that, those with curl and Apache among them.

mod helper;
mod http;
mod known;
mod lab;
mod ntlm_auth;
mod ours;
mod program;
mod questions;
mod rows;
mod side;
mod verifier;

pub(crate) use ntlm_auth::{Client, Server};
pub(crate) use questions::QUESTIONS;
pub(crate) use rows::{Row, rows, run};
pub(crate) use verifier::Verifier;
