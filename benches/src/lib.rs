//! The operations that are measured. `cargo xtask bench` times them beside those of other
//! libraries, `benches/operations.rs` with criterion; `docs/BENCHMARKS.md` has the results.

pub mod answer;
pub mod callgrind;
mod floors;
mod growth;
pub mod half_open;
mod kerberos;
mod limits;
mod messages;
mod negotiate;
mod ntlm;
mod operation;
mod random;
mod streams;
mod tokens;

pub use operation::{Operation, Prepared};
pub use random::SystemRandom;

/// Any failure of a preparation.
pub type Result<T, E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

/// All of them.
#[must_use]
pub fn operations() -> Vec<Prepared> {
    [
        tokens::operations(),
        kerberos::operations(),
        ntlm::operations(),
        negotiate::operations(),
        messages::operations(),
        streams::operations(),
        growth::operations(),
        limits::operations(),
        floors::operations(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
