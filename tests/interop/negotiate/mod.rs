//! Negotiate with Kerberos inside, and with NTLM beside it: every pair of implementations is asked which mechanism
//! comes out, and what it protects.
//!
//! One more implementation is an implementation of `side::NegotiateSide` and a variant of `rows::Peer`, in the way
//! of the folder `ntlm`.

mod known;
mod lab;
mod meet;
mod ours;
mod program;
mod questions;
mod rows;
mod side;

pub(crate) use questions::QUESTIONS;
pub(crate) use rows::{Row, rows, run};
