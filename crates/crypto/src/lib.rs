#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

mod cipher;
mod cts;
mod derive;
mod enctype;
mod error;
#[cfg(any(feature = "rc4", feature = "ntlm"))]
mod hmac_md5;
mod key;
mod mac;
#[cfg(feature = "ntlm")]
pub mod ntlm;
mod prf;
mod random;
#[cfg(feature = "rc4")]
pub mod rc4;
mod segment;
mod stack;
#[cfg(any(feature = "rc4", feature = "ntlm"))]
mod stream;
mod string_to_key;
mod suite;
mod usage;

pub use cipher::Cipher;
pub use derive::n_fold;
pub use enctype::{ChecksumType, Enctype};
pub use error::Error;
pub use key::Key;
pub use mac::{Mac, Tag, verify_equal};
pub use prf::combine;
pub use random::{Random, RandomError};
pub use segment::Segment;
pub use stack::wiping_stack;
pub use usage::KeyUsage;
pub use zeroize::Zeroizing;
