//! The memory of many callers that wait for one refresh, without a network.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use http::Extensions;
use http::header::{HeaderValue, WWW_AUTHENTICATE};
use reqwest::{Method, Request, Response, ResponseBuilderExt, StatusCode, Url};
use reqwest_challenge::{BoxError, ChallengeMiddleware, Credential, RefreshContext};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Middleware, Next, Result};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::super::row;
use crate::allocator;

const CALLERS: usize = 100_000;

/// Answers with 401 until all callers are refused, and then with 200.
struct RefuseFirst {
    refused: AtomicUsize,
}

#[async_trait]
impl Middleware for RefuseFirst {
    async fn handle(&self, request: Request, _: &mut Extensions, _: Next<'_>) -> Result<Response> {
        let is_first = self.refused.fetch_add(1, Ordering::SeqCst) < CALLERS;
        let response = http::Response::builder().url(request.url().clone());
        let response = if is_first {
            let challenge = HeaderValue::from_static("Bearer realm=\"example\", error=\"invalid_token\"");
            response.status(StatusCode::UNAUTHORIZED).header(WWW_AUTHENTICATE, challenge)
        } else {
            response
        };
        Ok(response.body("").map_err(reqwest_middleware::Error::middleware)?.into())
    }
}

fn spawn_call(client: &ClientWithMiddleware, url: &Url) -> JoinHandle<Result<Response>> {
    let (client, request) = (client.clone(), Request::new(Method::GET, url.clone()));
    tokio::spawn(async move { client.execute(request).await })
}

/// Bytes that each waiting caller holds: its task, its response and its place in the flight.
pub(crate) fn memory() -> bool {
    let gate = Arc::new(Semaphore::new(0));
    let opened = gate.clone();
    let refresh = move |_: RefreshContext| {
        let opened = opened.clone();
        async move {
            opened.acquire().await?.forget();
            Ok::<_, BoxError>(Credential::bearer("t1"))
        }
    };
    let origin = "https://api.example.com";
    let auth = ChallengeMiddleware::builder(origin, refresh).initial_credential(Credential::bearer("t0")).build();
    let last = Arc::new(RefuseFirst { refused: AtomicUsize::new(0) });
    let client = ClientBuilder::new(reqwest::Client::new()).with(auth.unwrap()).with_arc(last.clone()).build();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let url = Url::parse(origin).unwrap().join("/reports").unwrap();
    let held = runtime.block_on(async {
        let before = allocator::held();
        let calls: Vec<_> = (0..CALLERS).map(|_| spawn_call(&client, &url)).collect();
        // Each task runs until it waits.
        while last.refused.load(Ordering::SeqCst) < CALLERS {
            tokio::task::yield_now().await;
        }
        tokio::task::yield_now().await;
        let held = allocator::held() - before;
        gate.add_permits(1);
        for call in calls {
            assert_eq!(call.await.unwrap().unwrap().status(), 200);
        }
        held
    });
    let each = held as f64 / CALLERS as f64 / 1_000.0;
    row("100,000 callers wait for one refresh: kB for each", each, 3.5, true)
}
