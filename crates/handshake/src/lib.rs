#![doc = include_str!("../README.md")]

pub mod blocking;
pub mod cache;
pub mod configuration;
mod error;
pub mod framing;
mod handshake;
pub mod kdc;
mod limits;
mod machine;
#[cfg(feature = "tokio")]
mod nonblocking;
#[cfg(feature = "redis")]
pub mod replay;
mod stream;
mod system;

pub use countersign_context as context;
pub use error::{Error, ErrorKind};
pub use framing::{Framing, GssSample, LengthPrefixed};
pub use handshake::{Direction, Handshake, Leg};
pub use limits::{Deadline, Limits};
pub use stream::{
    AuthenticatedReader, AuthenticatedStream, AuthenticatedWriter, End, StreamOptions,
};
pub use system::{Clock, SystemClock, SystemEnvironment, SystemRandom};
