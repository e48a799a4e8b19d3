//! The metadata of one issuer are read once for all its clones.

use reqwest_challenge::{Refresh, RefreshContext, RefreshReason};
use reqwest_challenge_login::oauth::{Client, ClientCredentials, Issuer, OAuth};
use reqwest_challenge_testing::{Answer, Gate, MockApi};
use serde_json::json;
use tokio::task::JoinSet;

const METADATA: &str = "/.well-known/oauth-authorization-server";
const TENANTS: usize = 300;

/// An authorization server without metadata.
async fn server() -> MockApi {
    let server = MockApi::start().await.unwrap();
    server.at("/token").answers(Answer::json(json!({ "access_token": "t1", "token_type": "Bearer" })));
    server
}

fn metadata(server: &MockApi) -> Answer {
    Answer::json(json!({ "issuer": server.origin(), "token_endpoint": server.url("/token") }))
}

fn tenant(issuer: &Issuer, number: usize) -> OAuth {
    let client = Client::secret_basic(format!("tenant-{number}"), "hunter2");
    OAuth::new(issuer.clone(), client, ClientCredentials).unwrap()
}

fn context(server: &MockApi) -> RefreshContext {
    RefreshContext::builder(server.origin()).reason(RefreshReason::Login).build().unwrap()
}

#[tokio::test]
async fn three_hundred_tenants_read_the_metadata_of_their_issuer_once() {
    let server = server().await;
    server.at(METADATA).answers(metadata(&server));
    let issuer = Issuer::new(server.origin()).unwrap();
    for number in 0..TENANTS {
        tenant(&issuer, number).refresh(context(&server)).await.unwrap().unwrap();
    }
    assert_eq!((server.requests_to(METADATA), server.requests_to("/token")), (1, TENANTS));
}

#[tokio::test]
async fn three_hundred_tenants_that_start_at_once_share_one_metadata_request() {
    let (server, gate) = (server().await, Gate::closed());
    server.at(METADATA).answers(metadata(&server).hold_until(&gate));
    let issuer = Issuer::new(server.origin()).unwrap();
    let mut tenants = JoinSet::new();
    for number in 0..TENANTS {
        let (oauth, context) = (tenant(&issuer, number), context(&server));
        tenants.spawn(async move { oauth.refresh(context).await });
    }
    gate.reached_by(1).await;
    // Each tenant is polled once more, so each one waits for the metadata.
    for _ in 0..TENANTS {
        tokio::task::yield_now().await;
    }
    gate.open();
    assert!(tenants.join_all().await.into_iter().all(|outcome| outcome.unwrap().is_some()));
    assert_eq!((server.requests_to(METADATA), server.requests_to("/token")), (1, TENANTS));
}

#[tokio::test]
async fn tenants_that_wait_for_metadata_share_a_failure_and_the_next_one_tries_again() {
    let (server, gate) = (server().await, Gate::closed());
    server.at(METADATA).answers(Answer::new(503).hold_until(&gate));
    server.at("/.well-known/openid-configuration").answers(Answer::new(503));
    let issuer = Issuer::new(server.origin()).unwrap();
    let mut tenants = JoinSet::new();
    for number in 0..20 {
        let (oauth, context) = (tenant(&issuer, number), context(&server));
        tenants.spawn(async move { oauth.refresh(context).await });
    }
    gate.reached_by(1).await;
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    gate.open();
    assert!(tenants.join_all().await.into_iter().all(|outcome| outcome.unwrap_err().is_transient()));
    assert_eq!(server.requests_to(METADATA), 1);
    server.at(METADATA).answers(metadata(&server));
    tenant(&issuer, 20).refresh(context(&server)).await.unwrap().unwrap();
    assert_eq!(server.requests_to(METADATA), 2);
}

#[tokio::test]
async fn if_the_tenant_that_reads_the_metadata_is_dropped_another_one_reads_them() {
    let (server, gate) = (server().await, Gate::closed());
    server.at(METADATA).answers(metadata(&server).hold_until(&gate));
    let issuer = Issuer::new(server.origin()).unwrap();
    let (first, first_context) = (tenant(&issuer, 0), context(&server));
    let reading = tokio::spawn(async move { first.refresh(first_context).await });
    gate.reached_by(1).await;
    let (second, second_context) = (tenant(&issuer, 1), context(&server));
    let waiting = tokio::spawn(async move { second.refresh(second_context).await });
    tokio::task::yield_now().await;
    reading.abort();
    assert!(reading.await.unwrap_err().is_cancelled());
    gate.reached_by(2).await;
    gate.open();
    assert!(waiting.await.unwrap().unwrap().is_some());
    assert_eq!(server.requests_to(METADATA), 2);
}

#[tokio::test]
async fn issuers_that_are_not_clones_of_each_other_share_nothing() {
    let server = server().await;
    server.at(METADATA).answers(metadata(&server));
    let issuer = Issuer::new(server.origin()).unwrap();
    let other = Issuer::new(server.origin()).unwrap();
    // A clone that trusts more than the original reads the metadata by its own rules.
    let trusting = issuer.clone().also("https://login.example.com").unwrap();
    for (issuer, requests) in [(&issuer, 1), (&other, 2), (&trusting, 3), (&issuer, 3)] {
        tenant(issuer, 0).refresh(context(&server)).await.unwrap().unwrap();
        assert_eq!(server.requests_to(METADATA), requests);
    }
}
