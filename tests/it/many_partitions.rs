//! More partitions than most clients have: how many tokens they cost, and which of them are kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use reqwest_challenge::{Builder, ChallengeMiddleware, Credential, RefreshContext};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};

use crate::pools::answering;
use crate::support::script::API;

/// A client with a partition for each path, the number of its refreshes, and that of its requests.
fn client(limit: impl FnOnce(Builder) -> Builder) -> (ClientWithMiddleware, Arc<AtomicUsize>, Arc<AtomicUsize>) {
    let (refreshes, requests) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (of_refresher, of_server) = (refreshes.clone(), requests.clone());
    let builder = ChallengeMiddleware::builder(API, move |context: RefreshContext| {
        of_refresher.fetch_add(1, Ordering::SeqCst);
        let token = format!("token-of-{}", context.partition().unwrap_or_default());
        async move { Ok::<_, std::io::Error>(Credential::bearer(token)) }
    });
    let auth = limit(builder.partition_by(|_, url| url.path().to_owned())).build().unwrap();
    let server = answering(move |request| {
        of_server.fetch_add(1, Ordering::SeqCst);
        let expected = format!("Bearer token-of-{}", request.url().path());
        let is_known =
            request.headers().get("authorization").is_some_and(|sent| sent.as_bytes() == expected.as_bytes());
        if is_known { 200 } else { 401 }
    });
    (ClientBuilder::new(reqwest::Client::new()).with(auth).with(server).build(), refreshes, requests)
}

async fn get(client: &ClientWithMiddleware, repository: usize) {
    let response = client.get(format!("{API}/{repository}")).send().await.unwrap();
    assert_eq!(response.status(), 200);
}

#[tokio::test]
async fn ten_thousand_repositories_in_turn_cost_ten_thousand_tokens_in_three_rounds() {
    let (client, refreshes, requests) = client(|builder| builder.max_partitions(10_000));
    for _ in 0..3 {
        for repository in 0..10_000 {
            get(&client, repository).await;
        }
    }
    assert_eq!(refreshes.load(Ordering::SeqCst), 10_000);
    // The first round has two sends for each repository.
    assert_eq!(requests.load(Ordering::SeqCst), 40_000);
}

#[tokio::test]
async fn beyond_the_limit_the_partition_that_was_used_least_recently_is_dropped() {
    let (client, refreshes, _) = client(|builder| builder.max_partitions(3));
    for repository in [1, 2, 3, 1, 4, 1, 3] {
        get(&client, repository).await;
    }
    assert_eq!(refreshes.load(Ordering::SeqCst), 4);
    get(&client, 2).await;
    assert_eq!(refreshes.load(Ordering::SeqCst), 5);
}

#[tokio::test]
async fn by_default_two_hundred_and_fifty_six_partitions_are_kept() {
    let (client, refreshes, _) = client(|builder| builder);
    for repository in (0..256).chain(0..256) {
        get(&client, repository).await;
    }
    assert_eq!(refreshes.load(Ordering::SeqCst), 256);
}
