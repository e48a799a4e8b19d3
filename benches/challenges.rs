//! The cost of parsing a challenge, compared with http-auth and with one pass over the octets, and the cost of each hostile
//! shape.
//!
//! `cargo bench -p reqwest-challenge-tests --bench challenges` prints the tables. valgrind's callgrind counts the instructions of
//! this binary, so `valgrind` must be installed. A time is the best of many runs, and has no bound.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "shared/callgrind.rs"]
mod callgrind;
#[path = "challenges/shapes.rs"]
mod shapes;

use std::hint::black_box;
use std::time::{Duration, Instant};

use callgrind::collected;
use http::header::{HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use reqwest_challenge::Challenges;
use shapes::SHAPES;

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
    ("Basic realm", r#"Basic realm="foo""#, 0.35),
];

const ROUNDS: u64 = 1_000;
/// The highest allowed instructions of the first value, as a multiple of one pass with a table.
const MAX_PASSES: f64 = 2.0;

/// A bit for each octet that a field value may have.
static TABLE: [u8; 256] = {
    let mut table = [1; 256];
    let mut octet = 0;
    while octet < 32 {
        table[octet] = (octet == 9) as u8;
        octet += 1;
    }
    table[127] = 0;
    table
};

/// One pass with a table of 256 entries: the place of the first octet that a field value must not have.
#[inline(never)]
fn table_pass(octets: &[u8]) -> usize {
    let mut at = 0;
    while at < octets.len() && TABLE[octets[at] as usize] != 0 {
        at += 1;
    }
    at
}

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
            "pass" => black_box(table_pass(black_box(VALUES[index].1.as_bytes()))),
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
    println!("and `parse` also copies the bytes; passes: `value` over one pass over the octets with a table\n");
    println!(
        "{:<22} {:>5} {:>6} {:>10} {:>8} {:>13} {:>8} {:>7} {:>8} {:>7} {:>8}",
        "input",
        "bytes",
        "pass",
        "http-auth",
        "value",
        "from_headers",
        "parse",
        "share",
        "allowed",
        "passes",
        "allowed"
    );
    let mut is_within = true;
    for (index, (name, text, allowed)) in VALUES.iter().enumerate() {
        let base = count("nothing", index);
        let [pass, theirs, value, headers, parse] =
            ["pass", "http-auth", "value", "headers", "parse"].map(|reader| (count(reader, index) - base) / ROUNDS);
        let (share, passes) = (value as f64 / theirs as f64, value as f64 / pass as f64);
        // A short value has fixed costs: the copy of a header value, the list of lines.
        let max_passes = if text.len() > 100 { MAX_PASSES } else { f64::INFINITY };
        is_within &= share <= *allowed && passes <= max_passes;
        println!(
            "{name:<22} {:>5} {pass:>6} {theirs:>10} {value:>8} {headers:>13} {parse:>8} {share:>7.3} {allowed:>8} {passes:>7.2} {max_passes:>8}",
            text.len()
        );
    }
    is_within
}

/// The highest allowed instructions for 64 KiB, which take less than 150 µs.
const ALLOWED: f64 = 3.5e6;
/// The highest allowed growth of the instructions beyond the growth of the input.
const GROWTH: f64 = 1.1;

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

/// The instructions to parse one line of this shape and size.
fn shape_count(shape: usize, size: usize) -> f64 {
    let readings = if size > 64 << 10 { 1 } else { 5 };
    let count = |readings: usize| collected(&["--shape", &shape.to_string(), &size.to_string(), &readings.to_string()]);
    (count(1 + readings) - count(1)) as f64 / readings as f64
}

fn hostile() -> bool {
    println!("\nhostile shapes (time: best of 200; growth: ratio of the instructions of two sizes)\n");
    println!(
        "{:<30} {:>9} {:>12} {:>10} {:>11} {:>11} {:>8}",
        "shape", "64 KiB", "instructions", "64/16 KiB", "1 MiB/64", "challenges", "defects"
    );
    let mut is_within = true;
    for (index, (name, shape)) in SHAPES.iter().enumerate() {
        let [small, medium, large] = [16 << 10, 64 << 10, 1 << 20].map(|size| shape_count(index, size));
        let line = shape(64 << 10);
        let (time, read) = (best(&line), Challenges::parse(&line));
        let row_is_within = medium <= ALLOWED && medium <= 4.0 * GROWTH * small && large <= 16.0 * GROWTH * medium;
        is_within &= row_is_within;
        let micros = format!("{:.1} µs", time.as_nanos() as f64 / 1e3);
        println!(
            "{name:<30} {micros:>9} {medium:>12.0} {:>10.2} {:>11.2} {:>11} {:>8} {}",
            medium / small,
            large / medium,
            read.len(),
            read.defects().len(),
            if row_is_within { "" } else { "NO" }
        );
    }
    println!("\nallowed: {ALLOWED} instructions for 64 KiB, growth {:.1} and {:.1}", 4.0 * GROWTH, 16.0 * GROWTH);
    is_within
}
