//! The cost of a Digest answer, compared with its hashes and with http-auth.
//!
//! `cargo bench -p reqwest-challenge-tests --bench digest` prints the table. valgrind's callgrind counts the instructions, so
//! `valgrind` must be installed. The bound is on instructions. valgrind has no instructions for SHA-256, so it counts those of a
//! hash in software, and MD5 has the strict bound. A time is the best of many short runs, which alternate, and has no bound.
//!
//! The column `ours` is a request through the middleware with a Digest credential, minus a request with a scheme that inserts a
//! constant. So it measures Digest alone. The column `raw` has the hashes of A1, A2 and the answer.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "shared/callgrind.rs"]
mod callgrind;

use std::hint::black_box;
use std::time::Instant;

use async_trait::async_trait;
use callgrind::collected;
use http::Extensions;
use reqwest::{Request, Response, ResponseBuilderExt};
use reqwest_challenge::{Authorize, BoxError, ChallengeMiddleware, Credential, Password, Refresh, RefreshContext};
use reqwest_middleware::{ClientBuilder, Middleware, Next};
use sha2::Digest;

const ROUNDS: u64 = 2_000;
const URL: &str = "https://api.example.com/dir/index.html";
/// The algorithm, and the highest allowed ratio to the raw hashes.
const ALGORITHMS: [(&str, f64); 2] = [("MD5", 1.6), ("SHA-256", 2.6)];

/// Answers 200 to every request.
struct Last;

#[async_trait]
impl Middleware for Last {
    async fn handle(&self, request: Request, _: &mut Extensions, _: Next<'_>) -> reqwest_middleware::Result<Response> {
        let response = http::Response::builder().url(request.url().clone()).body(reqwest::Body::default());
        Ok(response.map_err(reqwest_middleware::Error::middleware)?.into())
    }
}

/// A scheme that inserts a constant.
struct Constant;

#[async_trait]
impl Authorize for Constant {
    fn scheme(&self) -> &str {
        "Constant"
    }

    async fn authorize(&self, request: &mut Request, _now: std::time::SystemTime) -> Result<(), BoxError> {
        request.headers_mut().insert(http::header::AUTHORIZATION, http::HeaderValue::from_static("Constant x"));
        Ok(())
    }
}

fn challenge(algorithm: &str) -> String {
    format!(
        "Digest realm=\"http-auth@example.org\", nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcC\", qop=\"auth\", algorithm={algorithm}"
    )
}

fn through(credential: Credential, rounds: u64) {
    let auth = ChallengeMiddleware::new(URL.trim_end_matches("/dir/index.html"), credential).unwrap();
    let client = ClientBuilder::new(reqwest::Client::new()).with(auth).with(Last).build();
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        for _ in 0..rounds {
            client.get(URL).send().await.unwrap();
        }
    });
}

fn digest(algorithm: &str) -> Credential {
    let context = RefreshContext::builder(URL).challenge(challenge(algorithm)).build().unwrap();
    let password = Password::new("Mufasa", "Circle of Life");
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(password.refresh(context)).unwrap().unwrap()
}

/// The three hashes of an answer, over inputs of the same length.
fn raw<D: Digest>(hex: usize, rounds: u64) {
    let user = vec![b'c'; "Mufasa:http-auth@example.org:Circle of Life".len()];
    let (first, second) = (vec![b'a'; "GET:/dir/index.html".len()], vec![b'b'; 2 * hex + 32 + 8 + 32 + 4 + 5]);
    for _ in 0..rounds {
        black_box((D::digest(black_box(&user)), D::digest(black_box(&first)), D::digest(black_box(&second))));
    }
}

fn run(what: &str, algorithm: &str, rounds: u64) {
    match (what, algorithm) {
        ("constant", _) => through(Credential::custom(Constant), rounds),
        ("ours", _) => through(digest(algorithm), rounds),
        ("raw", "MD5") => raw::<md5::Md5>(32, rounds),
        ("raw", _) => raw::<sha2::Sha256>(64, rounds),
        ("http-auth", _) => {
            let text = challenge(algorithm);
            let parsed = http_auth::parse_challenges(&text).unwrap();
            let mut client = http_auth::DigestClient::try_from(&parsed[0]).unwrap();
            let params = http_auth::PasswordParams {
                username: "Mufasa",
                password: "Circle of Life",
                uri: "/dir/index.html",
                method: "GET",
                body: Some(&[]),
            };
            (0..rounds).for_each(|_| drop(black_box(client.respond(&params).unwrap())));
        }
        other => panic!("{other:?}"),
    }
}

/// The time of one round of each, in nanoseconds: the best of many runs, which alternate.
fn best<const N: usize>(what: [&str; N], algorithm: &str) -> [f64; N] {
    let mut best = [f64::MAX; N];
    for _ in 0..60 {
        for (best, what) in best.iter_mut().zip(what) {
            let of = |rounds: u64| {
                let start = Instant::now();
                run(what, algorithm, rounds);
                start.elapsed().as_secs_f64() * 1e9
            };
            // Without the time of the setup.
            let setup = of(0).min(of(0));
            *best = best.min((of(2_000) - setup) / 2_000.0);
        }
    }
    best
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--count") {
        return run(&arguments[at + 1], &arguments[at + 2], arguments[at + 3].parse().unwrap());
    }
    let count = |what: &str, algorithm: &str| {
        let of = |rounds: u64| collected(&["--count", what, algorithm, &rounds.to_string()]);
        (of(ROUNDS) - of(0)) as f64 / ROUNDS as f64
    };
    println!("{:<10} {:>45}   {:>20}", "", "instructions", "nanoseconds");
    println!(
        "{:<10} {:>8} {:>8} {:>8} {:>8} {:>9}   {:>6} {:>6} {:>6}",
        "algorithm", "raw", "ours", "h.-auth", "ours/raw", "allowed", "raw", "ours", "h.-auth"
    );
    let mut within = true;
    for (algorithm, allowed) in ALGORITHMS {
        let (raw, theirs) = (count("raw", algorithm), count("http-auth", algorithm));
        let ours = count("ours", algorithm) - count("constant", algorithm);
        let [t_raw, t_theirs, t_ours, t_constant] = best(["raw", "http-auth", "ours", "constant"], algorithm);
        within &= ours / raw <= allowed;
        println!(
            "{algorithm:<10} {raw:>8.0} {ours:>8.0} {theirs:>8.0} {:>8.2} {allowed:>9}   {t_raw:>6.0} {:>6.0} {t_theirs:>6.0}",
            ours / raw,
            t_ours - t_constant
        );
    }
    assert!(within, "a figure is above its bound");
}
