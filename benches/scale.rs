//! The cost of many: tenants of a pool, origins, and paths that refuse each credential.
//!
//! `cargo bench --bench scale` prints the table. Bytes are counted by the allocator, and instructions by valgrind's callgrind, so
//! `valgrind` must be installed.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "shared/allocator.rs"]
#[allow(dead_code, reason = "the benchmark `engine` uses the rest")]
mod allocator;

#[path = "shared/callgrind.rs"]
mod callgrind;

mod scale {
    pub(crate) mod requests;
    pub(crate) mod tenants;
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--count") {
        return scale::requests::count(&arguments[at + 1..]);
    }
    allocator::start();
    println!("{:<62} {:>10}   {:<9}", "what", "measured", "allowed");
    let within = [scale::tenants::memory(), scale::requests::costs()];
    assert!(within.iter().all(|&within| within), "a figure is out of its bound");
}

/// Prints a row of the table. Returns whether the figure is at most its bound.
pub(crate) fn row(what: &str, figure: f64, bound: f64) -> bool {
    let within = figure <= bound;
    println!("{what:<62} {figure:>10.2} ≤ {bound:<9} {}", if within { "" } else { "NO" });
    within
}
