//! Tests how much memory is allocated and that secrets are wiped. The allocator of this binary counts allocations and searches
//! freed blocks. It affects the whole process, so these tests are a separate binary.
#![allow(clippy::unwrap_used)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use http::header::{HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use reqwest_challenge::{Challenges, Secret};

const MARKER: &[u8] = b"hunter2-hunter2-hunter2";

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
    static LEFT_BEHIND: Cell<usize> = const { Cell::new(0) };
    static HELD: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

struct Watching;

// SAFETY: every call is passed to the allocator of the system. A block is read within its layout, before it is freed, and it
// was zeroed when it was allocated.
unsafe impl GlobalAlloc for Watching {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        let held = HELD.with(Cell::get) + layout.size() as isize;
        HELD.with(|count| count.set(held));
        PEAK.with(|peak| peak.set(peak.get().max(held)));
        // SAFETY: the contract of the caller. The block is zeroed, so that `dealloc` reads no uninitialised memory.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        HELD.with(|count| count.set(count.get() - layout.size() as isize));
        // SAFETY: the block has this layout and was zeroed when it was allocated.
        let octets = unsafe { std::slice::from_raw_parts(block, layout.size()) };
        if octets.windows(MARKER.len()).any(|window| window == MARKER) {
            LEFT_BEHIND.with(|count| count.set(count.get() + 1));
        }
        // SAFETY: the contract of the caller.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static WATCHING: Watching = Watching;

/// The number of allocations of the work on this thread, and its result.
fn allocations<T>(work: impl FnOnce() -> T) -> (usize, T) {
    let before = ALLOCATIONS.with(Cell::get);
    let done = work();
    (ALLOCATIONS.with(Cell::get) - before, done)
}

/// How many blocks that the work freed on this thread still contained the marker.
fn left_behind(work: impl FnOnce()) -> usize {
    let before = LEFT_BEHIND.with(Cell::get);
    work();
    LEFT_BEHIND.with(Cell::get) - before
}

/// The largest number of bytes that the work holds at one time.
fn peak<T>(work: impl FnOnce() -> T) -> isize {
    let before = HELD.with(Cell::get);
    PEAK.with(|peak| peak.set(before));
    drop(work());
    PEAK.with(Cell::get) - before
}

const ONE_CHALLENGE: [&str; 3] = [
    r#"Basic realm="x""#,
    r#"Bearer realm="example", error="invalid_token", error_description="The access token expired", scope="read write""#,
    r#"Digest realm="r@example.org", qop="auth, auth-int", algorithm=SHA-256, nonce="7ypf", opaque="FQhe", charset=UTF-8, userhash=true"#,
];

#[test]
fn a_line_with_one_challenge_costs_at_most_one_allocation() {
    for line in ONE_CHALLENGE {
        for value in [HeaderValue::from_static(line), HeaderValue::from_str(line).unwrap()] {
            let headers = HeaderMap::from_iter([(WWW_AUTHENTICATE, value)]);
            let (count, read) = allocations(|| Challenges::from_headers(&headers));
            assert!(count <= 1, "{count} for {line}");
            assert_eq!(read.len(), 1);
        }
        assert_eq!(allocations(|| Challenges::parse(line)).0, 1, "one allocation for the copy of the raw bytes");
    }
}

#[test]
fn values_without_escapes_are_borrowed() {
    let read = Challenges::parse(ONE_CHALLENGE[2]);
    let (count, ()) = allocations(|| {
        for challenge in &read {
            let _ = (challenge.scheme(), challenge.realm(), challenge.param("NONCE"), challenge.params().last());
        }
    });
    assert_eq!(count, 0);
}

#[test]
fn a_secret_is_wiped_when_its_last_clone_is_dropped() {
    let text = || String::from_utf8(MARKER.to_vec()).unwrap();
    assert_eq!(left_behind(|| drop(text())), 1, "the allocator finds a text that is not wiped");
    assert_eq!(left_behind(|| drop(Secret::new(text()))), 0);
    assert_eq!(left_behind(|| drop(vec![Secret::new(text()); 3])), 0);
}

#[test]
fn the_memory_for_a_hostile_line_is_bounded_by_its_length_and_the_limits() {
    let size = 64 << 10;
    let params = (0..2_000).map(|number| format!("p{number}=\"{}\"", "x".repeat(20))).collect::<Vec<_>>().join(",");
    let shapes = [
        ",".repeat(size),
        "\"".repeat(size),
        "\\".repeat(size),
        "A,".repeat(size / 2),
        "A b,".repeat(size / 4),
        "@,".repeat(size / 2),
        format!("A {params}"),
        format!("A b=\"{}\"", "\\x".repeat(size / 2)),
    ];
    for shape in shapes {
        let peak = peak(|| Challenges::parse(&shape));
        // A growing list doubles, and its old and new buffers exist together for a moment.
        assert!(peak <= shape.len() as isize + (100 << 10), "{peak} for {} bytes of {:?}…", shape.len(), &shape[..4]);
    }
}
