//! Negotiate over Kerberos, NTLM and a third mechanism: what honest sides come to, what each rule of
//! RFC 4178 and MS-SPNG asks for, and what somebody between or a hostile peer can try.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests are tests too

mod between;
mod fallback;
mod faults;
mod fields;
mod foreign;
mod handshakes;
mod lab;
mod offered;
mod owed;
mod raw;
mod reject;
mod scenarios;
mod states;
mod suspicions;
mod third;
mod toy;
