//! What is allocated and what is wiped, seen by an allocator that counts and looks. A binary of its own: the allocator
//! is the whole process's.
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

// SAFETY: every call is handed on to the system's allocator; a block is read, within its layout, before it is freed, and
// only in a process whose tests fill their blocks before they free them.
unsafe impl GlobalAlloc for Watching {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        let held = HELD.with(Cell::get) + layout.size() as isize;
        HELD.with(|count| count.set(held));
        PEAK.with(|peak| peak.set(peak.get().max(held)));
        // SAFETY: the caller's own contract. Zeroed, so that `dealloc` reads nothing uninitialised.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        HELD.with(|count| count.set(count.get() - layout.size() as isize));
        // SAFETY: the block is of this layout and was zeroed when it was given out.
        let octets = unsafe { std::slice::from_raw_parts(block, layout.size()) };
        if octets.windows(MARKER.len()).any(|window| window == MARKER) {
            LEFT_BEHIND.with(|count| count.set(count.get() + 1));
        }
        // SAFETY: the caller's own contract.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static WATCHING: Watching = Watching;

/// How many allocations the work makes on this thread.
fn allocations<T>(work: impl FnOnce() -> T) -> (usize, T) {
    let before = ALLOCATIONS.with(Cell::get);
    let done = work();
    (ALLOCATIONS.with(Cell::get) - before, done)
}

/// How many freed blocks of this thread still held the marker.
fn left_behind(work: impl FnOnce()) -> usize {
    let before = LEFT_BEHIND.with(Cell::get);
    work();
    LEFT_BEHIND.with(Cell::get) - before
}

/// How many bytes the work holds at its worst, beyond what was held before.
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
fn a_line_with_one_challenge_costs_one_allocation_at_most() {
    for line in ONE_CHALLENGE {
        for value in [HeaderValue::from_static(line), HeaderValue::from_str(line).unwrap()] {
            let headers = HeaderMap::from_iter([(WWW_AUTHENTICATE, value)]);
            let (count, read) = allocations(|| Challenges::from_headers(&headers));
            assert!(count <= 1, "{count} for {line}");
            assert_eq!(read.len(), 1);
        }
        assert_eq!(allocations(|| Challenges::parse(line)).0, 1, "the copy of raw bytes");
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
fn a_secret_is_wiped_when_the_last_clone_goes() {
    let text = || String::from_utf8(MARKER.to_vec()).unwrap();
    assert_eq!(left_behind(|| drop(text())), 1, "the allocator sees what is not wiped");
    assert_eq!(left_behind(|| drop(Secret::new(text()))), 0);
    assert_eq!(left_behind(|| drop(vec![Secret::new(text()); 3])), 0);
}

#[test]
fn a_hostile_line_costs_its_own_length_and_the_caps() {
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
        // The lists double as they grow, so that the old and the new one are there together for a moment.
        assert!(peak <= shape.len() as isize + (100 << 10), "{peak} for {} bytes of {:?}…", shape.len(), &shape[..4]);
    }
}
