//! An API without a network: it answers at once, and accepts the token of each path.

use async_trait::async_trait;
use http::Extensions;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use reqwest::{Request, Response};
use reqwest_challenge::{Builder, MockResponse};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Middleware, Next};

pub(crate) const API: &str = "https://api.example.com";

/// Answers 200 to a request whose token is its path, 401 to any other request, and 401 to every request below `/refused`.
struct Server;

#[async_trait]
impl Middleware for Server {
    async fn handle(&self, request: Request, _: &mut Extensions, _: Next<'_>) -> reqwest_middleware::Result<Response> {
        let token = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        let path = request.url().path();
        let is_accepted = token.is_some_and(|token| token == path || token == "any") && !path.starts_with("/refused");
        let response = http::Response::builder().status(if is_accepted { 200 } else { 401 }).extension(MockResponse);
        let response = if is_accepted { response } else { response.header(WWW_AUTHENTICATE, "Bearer realm=\"a\"") };
        Ok(response.body("").unwrap().into())
    }
}

/// A client of this server.
pub(crate) fn client(builder: Builder) -> ClientWithMiddleware {
    ClientBuilder::new(reqwest::Client::new()).with(builder.build().unwrap()).with(Server).build()
}
