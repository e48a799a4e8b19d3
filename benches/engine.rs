//! The cost of the middleware, compared with no middleware, with one that does nothing, and with the usual one of 15 lines that
//! inserts a header field from a lock.
//!
//! `cargo bench -p reqwest-challenge-tests --bench engine` prints the tables. valgrind's callgrind counts the instructions, so
//! `valgrind` must be installed. Instructions and allocations are counted without a network: a last middleware answers. The other
//! figures are measured over loopback.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "shared/callgrind.rs"]
mod callgrind;

mod engine {
    pub(crate) mod allocator;
    pub(crate) mod loopback;
    pub(crate) mod stacks;
}

use std::time::Duration;

use callgrind::collected;
use engine::stacks::{Shape, Stack, run};
use engine::{allocator, loopback};

const ROUNDS: u64 = 2_000;
/// The highest allowed cost of a 401, a refresh and a replay, as a multiple of two sends with the 15 lines.
const MAX_REFRESH_RATIO: f64 = 2.5;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--count") {
        let [stack, shape] = [&arguments[at + 1], &arguments[at + 2]];
        return run(Stack::named(stack), Shape::named(shape), ROUNDS);
    }
    if let Some(at) = arguments.iter().position(|argument| argument == "--serve") {
        return loopback::serve_for_ever(&arguments[at + 1], &arguments[at + 2]);
    }
    let results = [costs(), loopback::throughput(), loopback::concurrent_refreshes(), loopback::bodies()];
    assert!(results.iter().all(|&is_within| is_within), "a figure is out of its bound");
}

/// Instructions of one call, counted in a separate process.
fn instructions(stack: Stack, shape: Shape) -> f64 {
    collected(&["--count", stack.name(), shape.name()]) as f64 / ROUNDS as f64
}

/// Allocations of one call after a warm-up.
fn allocations(stack: Stack, shape: Shape) -> f64 {
    run(stack, shape, 10);
    let base = allocator::count(|| run(stack, shape, 10));
    let more = allocator::count(|| run(stack, shape, 1_010));
    (more - base) as f64 / 1_000.0
}

fn costs() -> bool {
    println!("cost of one call above a client without middleware (ours/15 lines: the ratio of the two costs)\n");
    println!(
        "{:<12} {:<12} {:>13} {:>13} {:>13} {:>9}",
        "request", "middleware", "allocations", "instructions", "ours/15 lines", "allowed"
    );
    let mut within = true;
    // The highest allowed number of allocations above those of the 15 lines, and the highest allowed ratio of the instructions.
    // One allocation of each response has the number of its credential, so that the caller can report it as invalid.
    for (shape, allocations_allowed, times_allowed) in [(Shape::Get, 2.0, 2.1), (Shape::Post, 4.0, f64::MAX)] {
        let bare = (allocations(Stack::Bare, shape), instructions(Stack::Bare, shape));
        let over = |stack| (allocations(stack, shape) - bare.0, instructions(stack, shape) - bare.1);
        let [nothing, fifteen, ours] = [Stack::Nothing, Stack::Fifteen, Stack::Ours].map(over);
        for (name, (allocations, instructions)) in [("nothing", nothing), ("15 lines", fifteen), ("ours", ours)] {
            print!("{:<12} {name:<12} {allocations:>13.1} {instructions:>13.0}", shape.name());
            if name == "ours" {
                let times = instructions / fifteen.1;
                within &= times <= times_allowed && allocations - fifteen.0 <= allocations_allowed;
                let bound = if times_allowed < f64::MAX { format!("{times_allowed}") } else { "-".to_owned() };
                print!(" {times:>13.2} {bound:>9}");
            }
            println!();
        }
        println!("{:<12} allocations over 15 lines: {:+.1}, allowed {allocations_allowed:+.0}", "", ours.0 - fifteen.0);
    }
    let sends = 2.0 * instructions(Stack::Fifteen, Shape::Get);
    let refreshed = instructions(Stack::Ours, Shape::Refused);
    within &= refreshed / sends <= MAX_REFRESH_RATIO;
    println!(
        "{:<12} {:<12} {:>13} {refreshed:>13.0} {:>13.2} {:>9}",
        "401, replay",
        "ours",
        "",
        refreshed / sends,
        MAX_REFRESH_RATIO
    );
    let waiting = instructions(Stack::Waiting, Shape::Refused);
    println!("{:<12} {:<12} {:>13} {waiting:>13.0} {:>13.2} {:>9}", "", "slow refresh", "", waiting / sends, "-");
    println!("{:<12} ratio to two sends with 15 lines ({sends:.0}); a slow refresh needs a task and timers\n", "");
    within
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
