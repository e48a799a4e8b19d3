//! The cost of many: partitions, origins, refusing paths, tenants of a pool.
//!
//! `cargo bench --bench scale` prints the table. valgrind's callgrind counts the instructions, so `valgrind` must be
//! installed. Bytes are counted by the allocator. No network is measured: the last middleware of the client answers.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "shared/allocator.rs"]
#[allow(dead_code, reason = "the benchmark `engine` uses the rest")]
mod allocator;

#[path = "shared/callgrind.rs"]
#[allow(dead_code, reason = "the benchmark `engine` uses the rest")]
mod callgrind;

mod scale {
    pub(crate) mod partitions;
    pub(crate) mod server;
    pub(crate) mod successes;
    pub(crate) mod tenants;
}

use scale::{partitions, successes, tenants};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let after = |name: &str| arguments.iter().position(|argument| argument == name).map(|at| &arguments[at + 1..]);
    let number = |text: &str| text.parse::<usize>().unwrap();
    if let Some([partitions, ..]) = after("--partitions") {
        return partitions::counted(number(partitions));
    }
    if let Some([origins, refusing, url, calls, ..]) = after("--successes") {
        return successes::counted(number(origins), number(refusing), url, number(calls));
    }
    allocator::start();
    println!("{:<62} {:>10}   {:<9}", "what", "measured", "allowed");
    let rows = [
        partitions::side_by_side,
        partitions::repositories,
        partitions::flights,
        successes::origins,
        successes::refusing_paths,
        tenants::memory,
    ];
    // Each row is printed, also after one that is out of its bound.
    let outside = rows.iter().filter(|row| !row()).count();
    assert!(outside == 0, "a figure is out of its bound");
}

/// Prints a row of the table. Returns whether the figure is at most its bound.
pub(crate) fn row(what: &str, figure: f64, bound: f64) -> bool {
    let within = figure <= bound;
    println!("{what:<62} {figure:>10.2} ≤ {bound:<9} {}", if within { "" } else { "NO" });
    within
}
