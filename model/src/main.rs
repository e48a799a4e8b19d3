//! A model checker for the flight and the state machine of a session, and for the entries of a pool. It runs the crate's own files on a scheduler that tries the
//! orders in which threads can run.
//!
//! `cargo run --release --manifest-path model/Cargo.toml` prints a table. If a schedule violates an assertion or blocks a
//! caller forever, the program ends and prints that schedule. With `-- TEXT`, only the scenarios run whose name contains it.

mod harness;
#[allow(dead_code, reason = "the crate uses what the model does not")]
mod pool;
mod scenarios;
#[allow(dead_code, reason = "the crate uses what the model does not")]
mod session;
mod side_by_side;

use std::time::Instant;

fn main() {
    const SCHEDULES: usize = 300_000;
    println!("{:<24} {:>10} {:>12} {:>8}", "scenario", "schedules", "kind", "seconds");
    let scenarios: [(&str, fn()); 22] = [
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
        ("login beside partitions", side_by_side::login_beside_partitions),
        ("two logins", side_by_side::two_logins),
        ("failed login", side_by_side::failed_login),
        ("login beside logout", side_by_side::login_beside_logout),
        ("logout forgets all", side_by_side::logout_forgets_all),
        ("partitions without room", side_by_side::partitions_without_room),
        ("fresh", side_by_side::fresh),
        ("fresh beside logout", side_by_side::fresh_beside_logout),
        ("fresh in a loop", side_by_side::fresh_in_a_loop),
        ("pool", pool::first_uses),
        ("evictions", pool::evictions),
        ("factory", pool::factory_failure),
    ];
    let text = std::env::args().nth(1).unwrap_or_default();
    for (name, scenario) in scenarios.into_iter().filter(|(name, _)| name.contains(&text)) {
        for kind in ["random", "PCT, depth 3"] {
            let start = Instant::now();
            match kind {
                "random" => shuttle::check_random(scenario, SCHEDULES),
                _ => shuttle::check_pct(scenario, SCHEDULES, 3),
            }
            println!("{name:<24} {SCHEDULES:>10} {kind:>12} {:>8.1}", start.elapsed().as_secs_f32());
        }
    }
}
