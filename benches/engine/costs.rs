//! The cost of one call: instructions and allocations, which do not vary from run to run. The last middleware of the
//! client answers, so no network is measured.

use super::super::row;
use super::stacks::{Shape, Stack, run};
use crate::allocator;
use crate::callgrind::{collected, collected_with};

/// How many calls the shorter of two runs makes.
const ROUNDS: u64 = 500;

/// Instructions of one call, counted in separate processes.
fn instructions(stack: Stack, shape: Shape) -> f64 {
    per_call(stack, shape, collected)
}

/// The difference of two runs does not include the start of the process.
fn per_call(stack: Stack, shape: Shape, count: impl Fn(&[&str]) -> u64) -> f64 {
    let (stack, shape) = (format!("{stack:?}"), format!("{shape:?}"));
    let [few, many] =
        [ROUNDS, 3 * ROUNDS].map(|rounds| count(&["--count", &stack, &shape, &rounds.to_string()]) as f64);
    (many - few) / (2 * ROUNDS) as f64
}

/// Allocations of one call after a warm-up.
fn allocations(stack: Stack, shape: Shape) -> f64 {
    run(stack, shape, 10);
    let base = allocator::count(|| run(stack, shape, 10));
    let more = allocator::count(|| run(stack, shape, 1_010));
    (more - base) as f64 / 1_000.0
}

/// Successes: the cost above a client without middleware, as a multiple of the cost of the usual middleware of 15
/// lines.
pub(crate) fn successes() -> bool {
    println!("cost of a success above a client without middleware\n");
    println!("{:<6} {:<28} {:>13} {:>13} {:>12}", "call", "middleware", "allocations", "instructions", "/ 15 lines");
    let names = [
        (Stack::Nothing, "nothing"),
        (Stack::Insert, "15 lines"),
        (Stack::Source, "as reqwest-auth"),
        (Stack::Chain, "reqwest-chain and 15 lines"),
        (Stack::Realm, "as uv"),
        (Stack::Ours, "ours"),
    ];
    let mut within = true;
    for (shape, most_instructions, most_allocations) in [(Shape::Get, 1.5, 1.0), (Shape::Post, 2.5, 3.0)] {
        let bare = (allocations(Stack::Bare, shape), instructions(Stack::Bare, shape));
        let over = |stack| (allocations(stack, shape) - bare.0, instructions(stack, shape) - bare.1);
        let insert = over(Stack::Insert);
        let mut ours = insert;
        for (stack, name) in names {
            ours = over(stack);
            let ratio = ours.1 / insert.1;
            println!("{:<6} {name:<28} {:>13.1} {:>13.0} {ratio:>12.2}", format!("{shape:?}"), ours.0, ours.1);
        }
        within &= row("  instructions, ratio to the 15 lines", ours.1 / insert.1, most_instructions, true);
        within &= row("  allocations above the 15 lines", ours.0 - insert.0, most_allocations, true);
    }
    println!();
    within
}

/// Refusals: all instructions of a call, as a multiple of the instructions of the same work without this crate.
pub(crate) fn refusals() -> bool {
    let sends = 2.0 * instructions(Stack::Insert, Shape::Get);
    println!("401, refresh, second send; two sends with the 15 lines take {sends:.0} instructions");
    let of = |stack| instructions(stack, Shape::Refused);
    let (chain, ready, waiting) = (of(Stack::Chain), of(Stack::Ours), of(Stack::Waiting));
    println!("  reqwest-chain, without challenge and shared refresh: {chain:.0}, {:.2}", chain / sends);
    println!("  ours: {ready:.0}; if the refresher waits, which needs a task and timers: {waiting:.0}");
    let mut within = row("  refresher answers at once, ratio to two sends", ready / sends, 1.8, true);
    within &= row("  refresher waits, ratio to two sends", waiting / sends, 2.3, true);
    let (hand, ours) = (instructions(Stack::Insert, Shape::Forbidden), instructions(Stack::Ours, Shape::Forbidden));
    let explained = instructions(Stack::Ours, Shape::Explained);
    println!("403 as a typed error: {ours:.0} instructions; code, text and scopes read by hand: {hand:.0}");
    within &= row("  ratio to reading by hand", ours / hand, 1.6, true);
    // The reader of this crate knows the formats of many servers, and masks the credential in what it finds.
    println!("  with code, text and scopes, found by the table and masked: {explained:.0}, {:.2}", explained / hand);
    // `anyhow` captures a stack for each error of a middleware. Stable Rust has no way to prevent it, so this row has no bound.
    let with = |environment: &[(&str, &str)]| {
        per_call(Stack::Ours, Shape::Forbidden, |arguments| collected_with(arguments, environment)) - ours
    };
    let traced = with(&[("RUST_BACKTRACE", "1")]);
    let quiet = with(&[("RUST_BACKTRACE", "1"), ("RUST_LIB_BACKTRACE", "0")]);
    println!("  with RUST_BACKTRACE=1: {:+.0}; and RUST_LIB_BACKTRACE=0: {:+.0}\n", traced, quiet);
    within
}
