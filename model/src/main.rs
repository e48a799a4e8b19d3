//! A model checker for the flight and the state machine of a session, and for the entries of a pool. It runs the crate's own files on a scheduler that tries the
//! orders in which threads can run.
//!
//! `cargo run --release --manifest-path model/Cargo.toml` prints a table. If a schedule violates an assertion or blocks a
//! caller forever, the program ends and prints that schedule.

mod harness;
#[allow(dead_code, reason = "the crate uses what the model does not")]
mod pool;
mod scenarios;
#[allow(dead_code, reason = "the crate uses what the model does not")]
mod session;

use std::time::Instant;

fn main() {
    const SCHEDULES: usize = 300_000;
    println!("{:<10} {:>10} {:>12} {:>8}", "scenario", "schedules", "kind", "seconds");
    let scenarios: [(&str, fn()); 13] = [
        ("shared", scenarios::shared_refresh),
        ("dropped", scenarios::dropped),
        ("failure", scenarios::failure),
        ("demands", scenarios::demands),
        ("logout", scenarios::logout),
        ("partitions", scenarios::partitions),
        ("login", scenarios::login),
        ("beginning", scenarios::beginning),
        ("budget", scenarios::budget),
        ("everything", scenarios::everything),
        ("pool", pool::first_uses),
        ("evictions", pool::evictions),
        ("factory", pool::factory_failure),
    ];
    for (name, scenario) in scenarios {
        for kind in ["random", "PCT, depth 3"] {
            let start = Instant::now();
            match kind {
                "random" => shuttle::check_random(scenario, SCHEDULES),
                _ => shuttle::check_pct(scenario, SCHEDULES, 3),
            }
            println!("{name:<10} {SCHEDULES:>10} {kind:>12} {:>8.1}", start.elapsed().as_secs_f32());
        }
    }
}
