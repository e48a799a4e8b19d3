//! The cost of the lint for one response, and for a call that is refused, renewed and sent again.
//!
//! `cargo bench --bench lint --features lint` prints the tables. valgrind's callgrind counts the instructions, so `valgrind` must be
//! installed. A time is the best of many runs, and has no bound. The call is the one of the benchmark `engine`, which this
//! benchmark builds with the feature and without it.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "shared/callgrind.rs"]
#[allow(dead_code, reason = "the benchmark `engine` uses the rest")]
mod callgrind;

use std::hint::black_box;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use callgrind::{collected, collected_of};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use reqwest_challenge::lint::{Exchange, Presented, check};
use url::Url;

const ROUNDS: u64 = 10_000;
/// The highest allowed instructions for one response.
const ALLOWED: u64 = 16_000;
/// The highest allowed instructions of a call with a 401, as a multiple of those without the lint.
const MAX_RATIO: f64 = 1.4;

/// Name, status, `WWW-Authenticate`, media type and body.
const RESPONSES: [(&str, u16, &[&str], &str, &str); 6] = [
    ("200", 200, &[], "text/plain", ""),
    ("200 with a JSON body", 200, &[], "application/json", "{\"reports\": [1, 2, 3], \"next\": null}"),
    ("401 Bearer", 401, &["Bearer realm=\"a\", error=\"invalid_token\", error_description=\"it expired\""], "", ""),
    (
        "401 Basic and Digest",
        401,
        &["Basic realm=\"a\"", "Digest realm=\"a\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c0\", qop=\"auth\""],
        "",
        "",
    ),
    (
        "403 with a problem",
        403,
        &[],
        "application/problem+json",
        "{\"title\": \"only for admins\", \"detail\": \"ask Bob\"}",
    ),
    ("401 without anything", 401, &[], "text/html", "<html>Unauthorized</html>"),
];

fn run(index: usize, rounds: u64) {
    let (_, status, challenges, media, body) = RESPONSES[index];
    let url = Url::parse("https://api.example.com/reports").unwrap();
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static(media));
    for line in challenges {
        headers.append("www-authenticate", HeaderValue::from_static(line));
    }
    let status = StatusCode::from_u16(status).unwrap();
    for _ in 0..rounds {
        let exchange = Exchange::new(&Method::GET, black_box(&url), status, black_box(&headers));
        black_box(check(&exchange.body(body.as_bytes()).presented(Presented::Token)));
    }
}

fn best(index: usize) -> Duration {
    let time = |_| {
        let start = Instant::now();
        run(index, 200);
        start.elapsed() / 200
    };
    (0..500).map(time).min().unwrap()
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--count") {
        return run(arguments[at + 1].parse().unwrap(), arguments[at + 2].parse().unwrap());
    }
    let within = [responses(), calls()];
    assert!(within.iter().all(|&within| within), "a figure is above its bound");
}

fn responses() -> bool {
    println!("{:<24} {:>8} {:>13} {:>9}", "response", "µs", "instructions", "allowed");
    let mut within = true;
    for (index, (name, ..)) in RESPONSES.iter().enumerate() {
        let count = |rounds: u64| collected(&["--count", &index.to_string(), &rounds.to_string()]);
        let instructions = (count(ROUNDS) - count(0)) / ROUNDS;
        let micros = best(index).as_secs_f64() * 1e6;
        within &= instructions <= ALLOWED;
        println!("{name:<24} {micros:>8.2} {instructions:>13} {ALLOWED:>9}");
    }
    within
}

/// The benchmark `engine`, built with these features.
fn engine(features: &[&str]) -> PathBuf {
    let build = ["bench", "--bench", "engine", "--no-run", "--message-format", "json"];
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let output =
        Command::new(env!("CARGO")).args(build).args(["--manifest-path", manifest]).args(features).output().unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    let messages = lines.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let mut binaries = messages.filter_map(|message| message["executable"].as_str().map(PathBuf::from));
    binaries.next_back().unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

fn calls() -> bool {
    let of_call = |features: &[&str]| {
        let binary = engine(features);
        let count = |calls: &str| collected_of(&binary, &["--count", "Ours", "Refused", calls], &[]);
        (count("1500") - count("500")) as f64 / 1_000.0
    };
    let (without, with) = (of_call(&[]), of_call(&["--features", "lint"]));
    let ratio = with / without;
    println!(
        "\n401, refresh, second send: {without:.0} instructions, {with:.0} with the lint, ratio {ratio:.2}, allowed {MAX_RATIO}"
    );
    ratio <= MAX_RATIO
}
