//! What is measured: nanoseconds, and on demand allocations.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What is counted.
#[derive(Clone, Copy, Default)]
pub struct Counted {
    pub allocations: u64,
    pub bytes: u64,
    /// Bytes; what is freed may have been there before.
    held: i64,
    /// The most that was held at once above what was held before.
    pub peak: i64,
}

/// Whether what is measured is counted too.
static COUNTS: AtomicBool = AtomicBool::new(false);

/// Whether that runs now. All that the allocator costs what is timed is to look here.
static COUNTING: AtomicBool = AtomicBool::new(false);

thread_local! {
    // Of this thread: `sspi` starts no other for what is measured here.
    static COUNTED: Cell<Counted> = const { Cell::new(Counted { allocations: 0, bytes: 0, held: 0, peak: 0 }) };
}

/// Whether what is measured from now on is counted.
pub fn count(counts: bool) {
    COUNTS.store(counts, Ordering::Relaxed);
}

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn took(size: usize) {
    if COUNTING.load(Ordering::Relaxed) {
        let mut counted = COUNTED.get();
        counted.allocations += 1;
        counted.bytes += size as u64;
        counted.held += size as i64;
        counted.peak = counted.peak.max(counted.held);
        COUNTED.set(counted);
    }
}

fn freed(size: usize) {
    if COUNTING.load(Ordering::Relaxed) {
        let mut counted = COUNTED.get();
        counted.held -= size as i64;
        COUNTED.set(counted);
    }
}

// SAFETY: every call goes to the system's allocator unchanged; counting touches a cell that needs neither
// an allocation nor a destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        took(layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        took(layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }

    /// One that grows or shrinks is one more, of its new size.
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        freed(layout.size());
        took(size);
        // SAFETY: the caller's promise.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        freed(layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// The sum of what was measured.
#[derive(Default)]
pub struct Meter {
    pub elapsed: Duration,
    pub counted: Counted,
}

impl Meter {
    /// Does `work` and adds what it took.
    pub fn measure<T>(&mut self, work: impl FnOnce() -> T) -> T {
        COUNTED.set(self.counted);
        COUNTING.store(COUNTS.load(Ordering::Relaxed), Ordering::Relaxed);
        let start = Instant::now();
        let result = work();
        self.elapsed += start.elapsed();
        COUNTING.store(false, Ordering::Relaxed);
        self.counted = COUNTED.get();
        result
    }

    pub fn add(&mut self, other: &Self) {
        self.elapsed += other.elapsed;
        let (all, other) = (&mut self.counted, &other.counted);
        all.allocations += other.allocations;
        all.bytes += other.bytes;
        all.peak = all.peak.max(all.held + other.peak);
        all.held += other.held;
    }
}
