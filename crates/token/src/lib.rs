#![doc = include_str!("../README.md")]
#![no_std]
#![cfg_attr(
    not(test),
    warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)
)]

extern crate alloc;

pub mod bindings;
pub mod der;
pub mod describe;
mod error;
pub mod framing;
pub mod kerberos;
pub mod ntlm;
pub mod oid;
pub mod pac;
pub mod spnego;

pub use error::{DecodeError, DecodeErrorKind};
