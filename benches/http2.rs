//! Ten thousand calls at once over HTTP/2 without TLS, with an expired credential: one connection with a limit of 100 streams
//! carries all of them.
//!
//! `cargo bench -p reqwest-challenge-tests --bench http2` prints the table. The counts have bounds. The times have none, because a
//! loopback connection and its server run on the same processor as the calls.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../tests/it/support/h2_server.rs"]
mod h2_server;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use h2_server::H2Server;
use reqwest_challenge::{BoxError, ChallengeMiddleware, Credential, RefreshContext};
use reqwest_middleware::ClientBuilder;

const CALLERS: usize = 10_000;

/// What a run counts: the calls that failed, the requests, the refreshes and the connections.
type Counts = [usize; 4];

async fn herd(refusal: usize) -> (Counts, Duration) {
    let server = H2Server::start(refusal).await;
    let refreshes = Arc::new(AtomicUsize::new(0));
    let (counted, issuer) = (refreshes.clone(), server.clone());
    let refresh = move |_: RefreshContext| {
        counted.fetch_add(1, Ordering::SeqCst);
        let issuer = issuer.clone();
        async move {
            // Each call has sent its first request, so none begins with the new token.
            issuer.wait_for_requests(CALLERS).await;
            Ok::<_, BoxError>(Credential::bearer(issuer.new_token()))
        }
    };
    let auth = ChallengeMiddleware::builder(server.url(), refresh).initial_credential(Credential::bearer("expired"));
    let http = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    let client = ClientBuilder::new(http).with(auth.build().unwrap()).build();
    let start = Instant::now();
    let calls: Vec<_> = (0..CALLERS).map(|_| tokio::spawn(client.get(server.url()).send())).collect();
    let mut failed = 0;
    for call in calls {
        match call.await.unwrap() {
            Ok(response) if response.status() == 200 => {}
            Ok(_) => failed += 1,
            Err(error) => {
                // The first failure, with its causes, tells most.
                if failed == 0 {
                    println!("{:?}", anyhow::Error::from(error));
                }
                failed += 1;
            }
        }
    }
    let counts = [failed, server.requests(), refreshes.load(Ordering::SeqCst), server.connections()];
    (counts, start.elapsed())
}

fn main() {
    let wanted = [0, 2 * CALLERS, 1, 1];
    println!("{CALLERS} calls at once, 100 streams at a time; wanted: {wanted:?}\n");
    println!(
        "{:<22} {:>7} {:>9} {:>10} {:>12} {:>8}",
        "refusal", "failed", "requests", "refreshes", "connections", "s"
    );
    let mut within = true;
    for refusal in [100, 200_000] {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let (counts, time) = runtime.block_on(herd(refusal));
        let [failed, requests, refreshes, connections] = counts;
        let what = format!("{refusal} bytes");
        println!("{what:<22} {failed:>7} {requests:>9} {refreshes:>10} {connections:>12} {:>8.2}", time.as_secs_f64());
        within &= counts == wanted;
    }
    assert!(within, "a count is not the wanted one");
}
