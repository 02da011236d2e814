//! One operation, however often.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::Result;

/// Something that is done over and over. What it needs anew each time is made before, and is no part
/// of what is measured.
pub struct Operation {
    /// `group/what/how`, unique.
    pub name: String,
    /// The bytes that one run works on, where throughput says something.
    pub bytes: Option<u64>,
    /// How many inputs may wait.
    at_once: u32,
    /// How many deeds one run is.
    many: u32,
    work: Box<dyn Work>,
}

trait Work {
    /// Makes inputs for so many runs.
    fn prepare(&mut self, times: u32);
    fn run(&mut self);
}

/// Needs nothing anew.
struct Plain<F>(F);

impl<T, F: FnMut() -> T> Work for Plain<F> {
    fn prepare(&mut self, _times: u32) {}

    fn run(&mut self) {
        black_box((self.0)());
    }
}

struct Prepares<I, P, F> {
    prepare: P,
    run: F,
    /// The next one is the last.
    waiting: Vec<I>,
}

impl<I, T, P: FnMut() -> I, F: FnMut(I) -> T> Work for Prepares<I, P, F> {
    fn prepare(&mut self, times: u32) {
        self.waiting.clear();
        self.waiting.extend((0..times).map(|_| (self.prepare)()));
        // They are taken in the order in which they were made.
        self.waiting.reverse();
    }

    fn run(&mut self) {
        if let Some(input) = self.waiting.pop() {
            black_box((self.run)(input));
        }
    }
}

/// At most so many bytes of inputs wait.
const WAITING: usize = 4 << 20;
const MOST: u32 = 256;

impl Operation {
    /// So many inputs wait at most.
    pub(crate) const MOST: usize = MOST as usize;

    pub(crate) fn new<T>(name: impl Into<String>, run: impl FnMut() -> T + 'static) -> Self {
        Self {
            name: name.into(),
            bytes: None,
            at_once: u32::MAX,
            many: 1,
            work: Box::new(Plain(run)),
        }
    }

    /// `run` takes what `prepare` made.
    pub(crate) fn prepared<I: 'static, T>(
        name: impl Into<String>,
        prepare: impl FnMut() -> I + 'static,
        run: impl FnMut(I) -> T + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            bytes: None,
            at_once: MOST,
            many: 1,
            work: Box::new(Prepares {
                prepare,
                run,
                waiting: Vec::new(),
            }),
        }
    }

    pub(crate) fn with_bytes(mut self, bytes: usize) -> Self {
        self.bytes = u64::try_from(bytes).ok();
        if self.at_once == MOST {
            let many = WAITING / bytes.max(1);
            self.at_once = u32::try_from(many).unwrap_or(MOST).clamp(1, MOST);
        }
        self
    }

    /// One run does it so often; its time is divided.
    pub(crate) fn of_many(mut self, many: u32) -> Self {
        (self.many, self.at_once) = (many, 1);
        self
    }

    /// Makes ready for one [`run`](Self::run).
    pub fn prepare(&mut self) {
        self.work.prepare(1);
    }

    /// Does it once.
    pub fn run(&mut self) {
        self.work.run();
    }

    /// How long so many runs take.
    pub fn time(&mut self, times: u32) -> Duration {
        let mut took = Duration::ZERO;
        let mut left = times;
        while left > 0 {
            let count = left.min(self.at_once);
            left -= count;
            self.work.prepare(count);
            let start = Instant::now();
            (0..count).for_each(|_| self.work.run());
            took += start.elapsed();
        }
        took / self.many
    }
}

/// Makes the operation of a name.
type Prepare = dyn Fn(&str) -> Result<Operation>;

/// Operations by name, made only when they are asked for.
pub struct Prepared {
    /// The name of the operation.
    pub name: String,
    prepare: Box<Prepare>,
}

impl Prepared {
    pub(crate) fn new(
        name: impl Into<String>,
        prepare: impl Fn(&str) -> Result<Operation> + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            prepare: Box::new(prepare),
        }
    }

    /// The operation, ready to run.
    ///
    /// # Errors
    /// What it works on could not be made.
    pub fn operation(&self) -> Result<Operation> {
        (self.prepare)(&self.name)
    }
}
