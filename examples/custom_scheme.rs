//! A custom scheme that signs the request with its body. `cargo run --example custom_scheme`

use std::hash::{DefaultHasher, Hash, Hasher};

use http::header::{AUTHORIZATION, HeaderValue};
use http::{Extensions, Response};
use reqwest_challenge::reqwest::{self, Body, Client, Request};
use reqwest_challenge::{Authorize, BoxError, ChallengeMiddleware, Credential, MockResponse, Secret};
use reqwest_middleware::{ClientBuilder, Middleware, Next};

/// The scheme, with its key.
struct Signed(Secret);

/// The signature of a request. A real scheme uses a keyed hash such as HMAC.
fn sign(key: &str, request: &Request) -> String {
    let mut hasher = DefaultHasher::new();
    let body = request.body().and_then(Body::as_bytes).unwrap_or_default();
    (key, request.method().as_str(), request.url().path(), body).hash(&mut hasher);
    format!("Signed {:016x}", hasher.finish())
}

#[async_trait::async_trait]
impl Authorize for Signed {
    fn scheme(&self) -> &str {
        "Signed"
    }

    async fn authorize(&self, request: &mut Request, _now: std::time::SystemTime) -> Result<(), BoxError> {
        let mut value = HeaderValue::try_from(sign(self.0.expose(), request))?;
        value.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, value);
        Ok(())
    }
}

/// An API that checks the signature. It has no socket.
struct Api;

#[async_trait::async_trait]
impl Middleware for Api {
    async fn handle(
        &self,
        mut request: Request,
        _: &mut Extensions,
        _: Next<'_>,
    ) -> reqwest_middleware::Result<reqwest::Response> {
        let sent = request.headers_mut().remove(AUTHORIZATION);
        let is_valid = sent.is_some_and(|sent| sent == sign("k3y", &request).as_str());
        let text = if is_valid { "the signature is valid" } else { "the signature is not valid" };
        let mut response = Response::new(Body::from(text));
        response.extensions_mut().insert(MockResponse);
        Ok(response.into())
    }
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let signed = Credential::custom(Signed(Secret::new("k3y")));
    let auth = ChallengeMiddleware::new("https://api.example.com", signed)?;
    let client = ClientBuilder::new(Client::new()).with(auth).with(Api).build();
    println!("{}", client.post("https://api.example.com/orders").body("one").send().await?.text().await?);
    Ok(())
}
