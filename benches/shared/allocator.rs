//! An allocator that counts allocations and allocated bytes.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};

/// Whether allocations are counted. A process whose instructions are counted does not count allocations too.
static IS_ON: AtomicBool = AtomicBool::new(false);
static COUNT: AtomicU64 = AtomicU64::new(0);
static HELD: AtomicI64 = AtomicI64::new(0);
static PEAK: AtomicI64 = AtomicI64::new(0);

struct Counting;

fn hold(bytes: usize) {
    if !IS_ON.load(Relaxed) {
        return;
    }
    COUNT.fetch_add(1, Relaxed);
    let held = HELD.fetch_add(bytes as i64, Relaxed) + bytes as i64;
    PEAK.fetch_max(held, Relaxed);
}

fn release(bytes: usize) {
    if IS_ON.load(Relaxed) {
        HELD.fetch_sub(bytes as i64, Relaxed);
    }
}

// SAFETY: each call is passed to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        hold(layout.size());
        // SAFETY: the caller keeps the contract of this function, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        release(layout.size());
        // SAFETY: the caller keeps the contract of this function, which is the same.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        release(layout.size());
        hold(size);
        // SAFETY: the caller keeps the contract of this function, which is the same.
        unsafe { System.realloc(block, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Begins to count.
pub(crate) fn start() {
    IS_ON.store(true, Relaxed);
}

/// How many allocations the work makes.
pub(crate) fn count(work: impl FnOnce()) -> u64 {
    let before = COUNT.load(Relaxed);
    work();
    COUNT.load(Relaxed) - before
}

/// How many bytes are allocated now.
pub(crate) fn held() -> i64 {
    HELD.load(Relaxed)
}

/// Starts to measure the peak of the allocated bytes. The returned function gives the peak above the present level, in MiB.
pub(crate) fn peak() -> impl FnOnce() -> f64 {
    let before = HELD.load(Relaxed);
    PEAK.store(before, Relaxed);
    move || (PEAK.load(Relaxed) - before) as f64 / f64::from(1 << 20)
}
