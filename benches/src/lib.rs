//! The operations that are measured. `benches/operations.rs` times them with criterion,
//! `figures` counts their instructions and allocations; `docs/BENCHMARKS.md` has the results.

mod contexts;
mod decode;
mod messages;

use std::hint::black_box;

/// Any failure of a preparation.
pub type Result<T, E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

/// Something that is done over and over.
pub struct Operation {
    /// `group/what/how`, unique.
    pub name: String,
    /// The bytes that one run works on, where throughput says something.
    pub bytes: Option<u64>,
    /// Does it once.
    pub run: Box<dyn FnMut()>,
}

impl Operation {
    fn new<T>(name: impl Into<String>, mut run: impl FnMut() -> T + 'static) -> Self {
        Self {
            name: name.into(),
            bytes: None,
            run: Box::new(move || {
                black_box(run());
            }),
        }
    }

    fn with_bytes(mut self, bytes: usize) -> Self {
        self.bytes = u64::try_from(bytes).ok();
        self
    }
}

/// Operations by name, prepared only when they are asked for.
pub struct Prepared {
    /// The name of the operation.
    pub name: String,
    prepare: Box<dyn Fn() -> Result<Operation>>,
}

impl Prepared {
    fn new(name: String, prepare: impl Fn(&str) -> Result<Operation> + 'static) -> Self {
        let known = name.clone();
        let prepare = Box::new(move || prepare(&known));
        Self { name, prepare }
    }

    /// The operation, ready to run.
    ///
    /// # Errors
    /// What it works on could not be made.
    pub fn operation(&self) -> Result<Operation> {
        (self.prepare)()
    }
}

/// All of them.
#[must_use]
pub fn operations() -> Vec<Prepared> {
    let mut all = decode::operations();
    all.extend(contexts::operations());
    all.extend(messages::operations());
    all
}

/// The operating system's randomness, as a server has it.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl countersign_crypto::Random for SystemRandom {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), countersign_crypto::RandomError> {
        getrandom::fill(out).map_err(|_| countersign_crypto::RandomError)
    }
}
