//! The cost of the middleware, compared with no middleware, with one that does nothing, and with the usual one of 15
//! lines that reads a header value under a lock and inserts it.
//!
//! `cargo bench --bench engine` prints the tables. valgrind's callgrind counts the instructions, so `valgrind` must
//! be installed. Instructions and allocations are counted without a network: the last middleware of the client
//! answers. The other figures are measured over loopback. With `costs` as an argument, it prints only what is
//! measured without a network.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "shared/allocator.rs"]
mod allocator;
#[path = "shared/callgrind.rs"]
mod callgrind;

mod engine {
    pub(crate) mod bodies;
    pub(crate) mod costs;
    pub(crate) mod loopback;
    pub(crate) mod peers;
    pub(crate) mod stacks;
    pub(crate) mod waiters;
}

use std::time::Duration;

use engine::stacks::{Shape, Stack, run};
use engine::{bodies, costs, loopback, waiters};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let after = |name: &str| arguments.iter().position(|argument| argument == name).map(|at| &arguments[at + 1..]);
    if let Some([stack, shape, rounds, ..]) = after("--count") {
        return run(Stack::named(stack), Shape::named(shape), rounds.parse().unwrap());
    }
    if let Some([size, chunked, delay, ..]) = after("--serve") {
        return loopback::serve_for_ever(size, chunked, delay);
    }
    allocator::start();
    let mut within = costs::successes();
    within &= costs::refusals();
    within &= waiters::memory();
    if after("costs").is_none() {
        within &= loopback::throughput();
        within &= loopback::connections();
        within &= loopback::concurrent_refreshes();
        within &= bodies::bodies();
    }
    assert!(within, "a figure is out of its bound");
}

/// Prints a row of a table. Returns whether the figure is within its bound, which is a maximum or a minimum.
pub(crate) fn row(what: &str, figure: f64, bound: f64, is_maximum: bool) -> bool {
    let within = if is_maximum { figure <= bound } else { figure >= bound };
    println!(
        "{what:<58} {figure:>9.2} {:>3} {bound:<7} {}",
        if is_maximum { "≤" } else { "≥" },
        if within { "" } else { "NO" }
    );
    within
}

/// The delay of the token endpoint.
pub(crate) const DELAY: Duration = Duration::from_millis(100);
