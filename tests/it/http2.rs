//! Many calls over HTTP/2: one connection with a limit of streams carries all of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use reqwest_challenge::{BoxError, ChallengeMiddleware, Credential, Error, RefreshContext};
use reqwest_middleware::ClientBuilder;

use crate::support::h2_server::H2Server;

const CALLERS: usize = 1_000;

/// The calls that ended with 200, the requests of the API, the refreshes and the connections, for a 401 with a body of that length.
async fn herd(refusal: usize) -> [usize; 4] {
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
    // A machine that runs many tests at once may need longer than the defaults for 200 MB.
    let auth = auth.body_timeout(Duration::from_secs(300)).refresh_timeout(Duration::from_secs(300));
    let http = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    let client = ClientBuilder::new(http).with(auth.build().unwrap()).build();
    let calls: Vec<_> = (0..CALLERS).map(|_| tokio::spawn(client.get(server.url()).send())).collect();
    let mut good = 0;
    for call in calls {
        match call.await.unwrap() {
            Ok(response) => good += usize::from(response.status() == 200),
            Err(error) => panic!("{:?}", Error::from_middleware(error)),
        }
    }
    [good, server.requests(), refreshes.load(Ordering::SeqCst), server.connections()]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_calls_over_a_hundred_streams_cost_one_refresh_and_two_requests_each() {
    assert_eq!(herd(100).await, [CALLERS, 2 * CALLERS, 1, 1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_refusals_of_200_kb_do_not_end_the_connection() {
    assert_eq!(herd(200_000).await, [CALLERS, 2 * CALLERS, 1, 1]);
}
