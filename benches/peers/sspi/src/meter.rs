//! What is counted: nanoseconds, allocations, bytes allocated.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::{Duration, Instant};

thread_local! {
    // Of this thread: `sspi` starts no other for what is measured here, and a counter that threads share
    // would cost more than the allocations that it counts.
    static COUNTED: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
}

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn count(size: usize) {
    COUNTED.with(|counted| {
        let (allocations, bytes) = counted.get();
        counted.set((allocations + 1, bytes + size as u64));
    });
}

// SAFETY: every call goes to the system's allocator unchanged; counting touches a cell that needs neither
// an allocation nor a destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }

    /// One that grows or shrinks is one more, of its new size.
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        // SAFETY: the caller's promise.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// The sum of what was measured.
#[derive(Default)]
pub struct Meter {
    pub elapsed: Duration,
    pub allocations: u64,
    pub bytes: u64,
}

impl Meter {
    /// Does `work` and adds what it took.
    pub fn measure<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let (allocations, bytes) = COUNTED.get();
        let start = Instant::now();
        let result = work();
        self.elapsed += start.elapsed();
        let after = COUNTED.get();
        self.allocations += after.0 - allocations;
        self.bytes += after.1 - bytes;
        result
    }

    pub fn add(&mut self, other: &Self) {
        self.elapsed += other.elapsed;
        self.allocations += other.allocations;
        self.bytes += other.bytes;
    }
}
