//! What the middleware costs beside none, beside one that does nothing, and beside fifteen lines that insert a header from a
//! lock.
//!
//! `cargo bench --bench engine` prints the tables. Instructions are counted by valgrind's callgrind, which must be installed;
//! there, and for allocations, a last middleware answers and no network is used. The rest goes over loopback.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "shared/callgrind.rs"]
mod callgrind;

mod engine {
    pub(crate) mod allocator;
    pub(crate) mod herd;
    pub(crate) mod stacks;
}

use std::time::Duration;

use callgrind::collected;
use engine::stacks::{Shape, Stack, run};
use engine::{allocator, herd};

const ROUNDS: u64 = 2_000;
/// What a 401, a refresh and a replay may cost, over two sends with fifteen lines. Neither term parses a URL for its responses, which
/// once made up a fifth of both.
const REFRESHED: f64 = 2.5;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--count") {
        let [stack, shape] = [&arguments[at + 1], &arguments[at + 2]];
        return run(Stack::named(stack), Shape::named(shape), ROUNDS);
    }
    if let Some(at) = arguments.iter().position(|argument| argument == "--serve") {
        return herd::serve_for_ever(&arguments[at + 1], &arguments[at + 2]);
    }
    let within = [costs(), herd::throughput(), herd::herds(), herd::bodies()];
    assert!(within.iter().all(|&within| within), "a figure is above its bound");
}

/// Instructions of one call, counted in a process of its own.
fn instructions(stack: Stack, shape: Shape) -> f64 {
    collected(&["--count", stack.name(), shape.name()]) as f64 / ROUNDS as f64
}

/// Allocations of one call, once everything is warm.
fn allocations(stack: Stack, shape: Shape) -> f64 {
    run(stack, shape, 10);
    let base = allocator::count(|| run(stack, shape, 10));
    let more = allocator::count(|| run(stack, shape, 1_010));
    (more - base) as f64 / 1_000.0
}

fn costs() -> bool {
    println!("one call, over the bare end (ours/15 lines: what ours adds over what fifteen lines add)\n");
    println!(
        "{:<12} {:<12} {:>13} {:>13} {:>13} {:>9}",
        "request", "middleware", "allocations", "instructions", "ours/15 lines", "allowed"
    );
    let mut within = true;
    // More allocations than fifteen lines make, and how many times their instructions. One allocation holds the number of the
    // credential, which every response has, so that its report can be invalidated.
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
    within &= refreshed / sends <= REFRESHED;
    println!(
        "{:<12} {:<12} {:>13} {refreshed:>13.0} {:>13.2} {:>9}",
        "401, replay",
        "ours",
        "",
        refreshed / sends,
        REFRESHED
    );
    let waiting = instructions(Stack::Waiting, Shape::Refused);
    println!("{:<12} {:<12} {:>13} {waiting:>13.0} {:>13.2} {:>9}", "", "that waits", "", waiting / sends, "-");
    println!("{:<12} of two sends with fifteen lines, {sends:.0}; one that waits has a task and timers\n", "");
    within
}

/// Prints a line of a table and says whether its figure is within its bound.
pub(crate) fn row(what: &str, figure: f64, bound: f64, most: bool) -> bool {
    let within = if most { figure <= bound } else { figure >= bound };
    println!(
        "{what:<58} {figure:>9.2} {:>3} {bound:<7} {}",
        if most { "≤" } else { "≥" },
        if within { "" } else { "NO" }
    );
    within
}

pub(crate) const DELAY: Duration = Duration::from_millis(100);
