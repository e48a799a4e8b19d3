//! Together with `reqwest-retry`: it retries a 503, it does not retry a 403, and there is one refresh.
//!
//! `cargo run -p reqwest-challenge-testing --example with_retry`

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::{Extensions, Response};
use reqwest_challenge::reqwest::{self, Body, Client, Request, ResponseBuilderExt};
use reqwest_challenge::{BoxError, ChallengeMiddleware, Credential, Forbidden, RefreshContext};
use reqwest_middleware::{ClientBuilder, Middleware, Next};
use reqwest_retry::{RetryTransientMiddleware, policies::ExponentialBackoff};

/// An API without a socket. The first response is 503. Then it answers 401 without a token, and 403 at `/secret`.
#[derive(Default)]
struct Api(AtomicUsize);

#[async_trait::async_trait]
impl Middleware for Api {
    async fn handle(
        &self,
        request: Request,
        _: &mut Extensions,
        _: Next<'_>,
    ) -> reqwest_middleware::Result<reqwest::Response> {
        let status = match self.0.fetch_add(1, Ordering::SeqCst) {
            0 => 503,
            _ if request.url().path() == "/secret" => 403,
            _ if request.headers().contains_key("authorization") => 200,
            _ => 401,
        };
        println!("  {} {} → {status}", request.method(), request.url().path());
        // A response from a server has a URL, so this one has one too.
        let answer = Response::builder().status(status).url(request.url().clone()).body(Body::default());
        Ok(answer.map_err(reqwest_middleware::Error::middleware)?.into())
    }
}

async fn log_in(_: RefreshContext) -> Result<Credential, BoxError> {
    println!("  refresh");
    Ok(Credential::bearer("token"))
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let policy = ExponentialBackoff::builder().retry_bounds(Duration::ZERO, Duration::from_millis(10));
    let retry = RetryTransientMiddleware::new_with_policy(policy.build_with_max_retries(3));
    let auth = ChallengeMiddleware::new("https://api.example.com", log_in)?;
    // The retry middleware is outside, so each retry is a complete call, which can refresh.
    let client = ClientBuilder::new(Client::new()).with(retry).with(auth).with(Api::default()).build();

    println!("{}", client.get("https://api.example.com/data").send().await?.status());
    let error = client.get("https://api.example.com/secret").send().await.expect_err("the API refuses it");
    println!("not retried: {}", Forbidden::find(&error).ok_or("another error")?);
    Ok(())
}
