//! The cost of parsing a challenge, compared with http-auth, and the cost of 64 KiB of each hostile shape.
//!
//! `cargo bench -p reqwest-challenge-tests --bench challenges` prints the tables. valgrind's callgrind counts the instructions of
//! this binary, so `valgrind` must be installed. A time is the best of many runs.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "shared/callgrind.rs"]
mod callgrind;

use std::hint::black_box;
use std::time::{Duration, Instant};

use callgrind::collected;
use http::header::{HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use reqwest_challenge::Challenges;

/// Name, value, and the highest allowed share of the instructions of http-auth.
const VALUES: [(&str, &str, f64); 4] = [
    (
        "Bearer, 4 parameters",
        r#"Bearer realm="https://auth.example.com/", error="invalid_token", error_description="The access token expired", scope="read write admin:org x""#,
        0.25,
    ),
    (
        "Digest, 7 parameters",
        r#"Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS", charset=UTF-8, userhash=true"#,
        0.25,
    ),
    (
        "a list of three",
        r#"Bearer realm="https://auth.example.com/", error="invalid_token", scope="read write", Digest realm="api@example.org", qop="auth", algorithm=SHA-256, nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", opaque="HRPCssKJSGjCrkzDg8OhwpzC", Basic realm="api""#,
        0.25,
    ),
    ("Basic realm", r#"Basic realm="foo""#, 0.5),
];

const ROUNDS: u64 = 1_000;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--shape") {
        let [shape, size, readings] = [1, 2, 3].map(|next| arguments[at + next].parse().unwrap());
        return counted_shape(shape, size, readings);
    }
    match arguments.iter().position(|argument| argument == "--count") {
        Some(at) => counted(&arguments[at + 1], arguments[at + 2].parse().unwrap()),
        None => {
            let results = [instructions(), hostile()];
            assert!(results.iter().all(|&is_within| is_within), "a figure is above its bound");
        }
    }
}

/// The work of the first table that callgrind counts.
fn counted(reader: &str, index: usize) {
    let value = HeaderValue::from_static(VALUES[index].1);
    let headers = HeaderMap::from_iter([(WWW_AUTHENTICATE, value.clone())]);
    for _ in 0..ROUNDS {
        // By reference, because a move would cost instructions too.
        match reader {
            "nothing" => black_box(&headers).len(),
            "value" => black_box(&Challenges::from_values([black_box(&value)])).len(),
            "headers" => black_box(&Challenges::from_headers(black_box(&headers))).len(),
            "parse" => black_box(&Challenges::parse(black_box(VALUES[index].1))).len(),
            "http-auth" => black_box(&http_auth::parse_challenges(black_box(VALUES[index].1)).unwrap()).len(),
            other => panic!("no reader {other}"),
        };
    }
}

fn count(reader: &str, index: usize) -> u64 {
    collected(&["--count", reader, &index.to_string()])
}

fn instructions() -> bool {
    println!("instructions to parse one challenge (callgrind, {ROUNDS} rounds, without the empty loop)");
    println!(
        "share: `value` over `http-auth`, which both parse a header value; `from_headers` also finds the header field,"
    );
    println!("and `parse` also copies the bytes\n");
    println!(
        "{:<22} {:>5} {:>10} {:>8} {:>13} {:>8} {:>7} {:>8}",
        "input", "bytes", "http-auth", "value", "from_headers", "parse", "share", "allowed"
    );
    let mut is_within = true;
    for (index, (name, text, allowed)) in VALUES.iter().enumerate() {
        let base = count("nothing", index);
        let [theirs, value, headers, parse] =
            ["http-auth", "value", "headers", "parse"].map(|reader| (count(reader, index) - base) / ROUNDS);
        let share = value as f64 / theirs as f64;
        is_within &= share <= *allowed;
        println!(
            "{name:<22} {:>5} {theirs:>10} {value:>8} {headers:>13} {parse:>8} {share:>7.3} {allowed:>8}",
            text.len()
        );
    }
    is_within
}

/// A name, and a function that makes an input of about that many bytes.
type Shape = (&'static str, fn(usize) -> String);

const SHAPES: [Shape; 12] = [
    ("commas", |size| ",".repeat(size)),
    ("quotes", |size| "\"".repeat(size)),
    ("quotes in a value", |size| format!("A b={}", "\"".repeat(size))),
    ("backslashes in a value", |size| format!("A b=\"{}", "\\".repeat(size))),
    ("A,A,A…", |size| "A,".repeat(size / 2)),
    ("1,000 parameters", |size| {
        let params: Vec<_> =
            (0..1_000).map(|number| format!("p{number:04}=\"{}\"", "x".repeat(size / 1_000 - 10))).collect();
        format!("A {}", params.join(","))
    }),
    ("30,000 schemes", |size| "A b,".repeat(size / 4)),
    ("spaces", |size| format!("A{}b", " ".repeat(size))),
    ("words in a value", |size| format!("A b=c/{}", " d".repeat(size / 2))),
    ("equals signs", |size| format!("A {}", "=".repeat(size))),
    ("semicolons", |size| format!("A b=c/{}", ";d".repeat(size / 2))),
    ("one long value", |size| format!("A b=\"{}\"", "x".repeat(size))),
];

const ALLOWED: Duration = Duration::from_micros(300);
const EXPONENT: f64 = 1.1;

/// The best of many runs, because noise only adds time.
fn best(line: &str) -> Duration {
    let one = || {
        let start = Instant::now();
        drop(black_box(Challenges::parse(black_box(line))));
        start.elapsed()
    };
    (0..200).map(|_| one()).min().unwrap()
}

/// The work of the second table that callgrind counts: making the line, and parsing it that many times.
fn counted_shape(shape: usize, size: usize, readings: usize) {
    let line = SHAPES[shape].1(size);
    for _ in 0..readings {
        drop(black_box(Challenges::parse(black_box(&line))));
    }
}

fn hostile() -> bool {
    println!(
        "\nhostile shapes (time: best of 200; exponent: growth of the instructions from 16 to 64 KiB, 1 is linear)\n"
    );
    println!(
        "{:<24} {:>9} {:>12} {:>9} {:>11} {:>8}",
        "shape", "64 KiB", "instructions", "exponent", "challenges", "defects"
    );
    let mut is_within = true;
    for (index, (name, shape)) in SHAPES.iter().enumerate() {
        let sizes = [16 << 10, 64 << 10];
        let counts = sizes.map(|size| {
            let count = |readings: &str| collected(&["--shape", &index.to_string(), &size.to_string(), readings]);
            (count("11") - count("1")) as f64 / 10.0
        });
        let grown = (counts[1] / counts[0]).ln() / 4_f64.ln();
        let large = shape(sizes[1]);
        let (time, read) = (best(&large), Challenges::parse(&large));
        is_within &= time <= ALLOWED && grown <= EXPONENT;
        let micros = format!("{:.1} µs", time.as_nanos() as f64 / 1e3);
        println!(
            "{name:<24} {micros:>9} {:>12.0} {grown:>9.2} {:>11} {:>8}",
            counts[1],
            read.len(),
            read.defects().len()
        );
    }
    println!("\nallowed: {} µs for 64 KiB, exponent {EXPONENT}", ALLOWED.as_micros());
    is_within
}
