//! The memory of a tenant in a pool.

use std::sync::Arc;

use async_trait::async_trait;
use http::Extensions;
use reqwest::{Request, Response};
use reqwest_challenge::{
    CallOptions, ChallengeMiddleware, Credential, MockResponse, Refresh, RefreshContext, RefreshError, SessionPool,
};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Middleware, Next};

use crate::{allocator, row};

const TENANTS: u64 = 10_000;
/// The bytes of a bearer token of these tenants, and of the memory that holds it.
const TOKEN: usize = 40;
const API: &str = "https://api.example.com";

/// Answers 401 to a request without a credential, and 200 to one with a credential.
struct Server;

#[async_trait]
impl Middleware for Server {
    async fn handle(&self, request: Request, _: &mut Extensions, _: Next<'_>) -> reqwest_middleware::Result<Response> {
        let status = if request.headers().contains_key("authorization") { 200 } else { 401 };
        let response = http::Response::builder().status(status).header("www-authenticate", "Bearer");
        Ok(response.extension(MockResponse).body("").unwrap().into())
    }
}

/// Returns a token of the same length for each tenant. All tenants share it.
struct Tokens;

#[async_trait]
impl Refresh for Tokens {
    async fn refresh(&self, _: RefreshContext) -> Result<Option<Credential>, RefreshError> {
        Ok(Some(Credential::bearer("t".repeat(TOKEN))))
    }
}

/// Prints how many bytes a tenant needs beyond its credential, and whether that grows with the number of calls.
pub(crate) fn memory() -> bool {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let tokens = Arc::new(Tokens);
        let settings = ChallengeMiddleware::new(API, tokens.clone()).unwrap();
        let pool = SessionPool::builder(move |_: u64| {
            let made = settings.with_refresher(tokens.clone());
            async move { Ok::<_, RefreshError>(made) }
        })
        .capacity(2 * TENANTS as usize)
        .build();
        let client = ClientBuilder::new(reqwest::Client::new()).with(pool.clone()).with(Server).build();
        // The first tenant pays for what all share.
        calls(&client, 0..1).await;
        let credential = held_by(|| (0..TENANTS).map(|_| Credential::bearer("t".repeat(TOKEN))).collect::<Vec<_>>());
        let before = allocator::held();
        calls(&client, 1..TENANTS + 1).await;
        let first = allocator::held() - before;
        for _ in 0..9 {
            calls(&client, 1..TENANTS + 1).await;
        }
        let tenth = allocator::held() - before;
        assert_eq!(pool.len() as u64, TENANTS + 1);
        let of_tenant = |bytes: i64| bytes as f64 / TENANTS as f64 - credential;
        println!("{:<62} {credential:>10.2}", "bytes of a credential");
        let memory = row("bytes of a tenant beyond its credential, 10,000 tenants", of_tenant(first), 1024.0);
        row("the same after ten calls, over one call", of_tenant(tenth) / of_tenant(first), 1.01) && memory
    })
}

/// The bytes of each of these values.
fn held_by<T>(make: impl FnOnce() -> Vec<T>) -> f64 {
    let before = allocator::held();
    let values = make();
    (allocator::held() - before) as f64 / values.len() as f64
}

/// One call of each tenant.
async fn calls(client: &ClientWithMiddleware, tenants: std::ops::Range<u64>) {
    for tenant in tenants {
        let request = client.get(API).with_extension(CallOptions::new().tenant(tenant));
        assert_eq!(request.send().await.unwrap().status(), 200);
    }
}
