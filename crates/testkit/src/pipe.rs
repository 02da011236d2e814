//! In-memory channels that misbehave on command.
//!
//! [`MessagePipe`] carries whole tokens, for programs that call a step function by hand. [`pair`] gives the two ends
//! of a byte stream, for programs that read and write.

mod message;
mod stream;

pub use message::{Fault, MessagePipe};
pub use stream::{StreamEnd, StreamFault, pair, pair_with};
