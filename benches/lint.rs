//! The cost of the lint for one response, with the feature `lint`.
//!
//! `cargo bench -p reqwest-challenge-tests --bench lint` prints the table. valgrind's callgrind counts the instructions, so
//! `valgrind` must be installed. A time is the best of many runs. Without the feature, the crate calls an empty function, whose
//! cost is part of `--bench engine`.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "shared/callgrind.rs"]
mod callgrind;

use std::hint::black_box;
use std::time::{Duration, Instant};

use callgrind::collected;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use reqwest_challenge::lint::{Exchange, Presented, check};
use url::Url;

const ROUNDS: u64 = 10_000;
/// The highest allowed time for one response, in microseconds.
const ALLOWED: f64 = 3.0;

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
    println!("{:<24} {:>13} {:>8} {:>9}", "response", "instructions", "µs", "allowed");
    let mut within = true;
    for (index, (name, ..)) in RESPONSES.iter().enumerate() {
        let count = |rounds: u64| collected(&["--count", &index.to_string(), &rounds.to_string()]);
        let instructions = (count(ROUNDS) - count(0)) / ROUNDS;
        let micros = best(index).as_secs_f64() * 1e6;
        within &= micros <= ALLOWED;
        println!("{name:<24} {instructions:>13} {micros:>8.2} {ALLOWED:>9}");
    }
    assert!(within, "a figure is above its bound");
}
