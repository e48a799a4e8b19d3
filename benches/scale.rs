//! The cost of many: tenants of a pool.
//!
//! `cargo bench --bench scale` prints the table. Bytes are counted by the allocator.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "shared/allocator.rs"]
#[allow(dead_code, reason = "the benchmark `engine` uses the rest")]
mod allocator;

mod scale {
    pub(crate) mod tenants;
}

fn main() {
    allocator::start();
    println!("{:<62} {:>10}   {:<9}", "what", "measured", "allowed");
    assert!(scale::tenants::memory(), "a figure is out of its bound");
}

/// Prints a row of the table. Returns whether the figure is at most its bound.
pub(crate) fn row(what: &str, figure: f64, bound: f64) -> bool {
    let within = figure <= bound;
    println!("{what:<62} {figure:>10.2} ≤ {bound:<9} {}", if within { "" } else { "NO" });
    within
}
