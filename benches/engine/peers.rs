//! The middlewares that this crate is compared with.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Extensions;
use http::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Request, Response, StatusCode};
use reqwest_middleware::{Error, Middleware, Next, Result};

/// The value of the credential header that all peers send.
const VALUE: &str = "Bearer 3Yt0w7fAbCdEfGh1JkLmNoPq";

pub(super) struct Nothing;

#[async_trait]
impl Middleware for Nothing {
    async fn handle(&self, request: Request, extensions: &mut Extensions, next: Next<'_>) -> Result<Response> {
        next.run(request, extensions).await
    }
}

/// The usual middleware of 15 lines: it reads a text under a lock, and makes the header field from it.
pub(super) struct Insert(RwLock<String>);

impl Insert {
    pub(super) fn new() -> Self {
        Self(RwLock::new(VALUE.to_owned()))
    }
}

#[async_trait]
impl Middleware for Insert {
    async fn handle(&self, mut request: Request, extensions: &mut Extensions, next: Next<'_>) -> Result<Response> {
        let value = HeaderValue::from_str(&self.0.read().unwrap()).map_err(Error::middleware)?;
        request.headers_mut().insert(AUTHORIZATION, value);
        next.run(request, extensions).await
    }
}

/// The code of `reqwest-auth` 1.0, which is for an earlier version of `reqwest-middleware`: a source gives the whole header value.
pub(super) struct OfSource(Arc<dyn TokenSource>);

#[async_trait]
trait TokenSource: Send + Sync {
    async fn token(&self) -> std::result::Result<String, Box<dyn std::error::Error + Send + Sync>>;
}

struct Held(RwLock<String>);

#[async_trait]
impl TokenSource for Held {
    async fn token(&self) -> std::result::Result<String, Box<dyn std::error::Error + Send + Sync>> {
        Ok(self.0.read().unwrap().clone())
    }
}

impl OfSource {
    pub(super) fn new() -> Self {
        Self(Arc::new(Held(RwLock::new(VALUE.to_owned()))))
    }
}

#[async_trait]
impl Middleware for OfSource {
    async fn handle(&self, mut request: Request, extensions: &mut Extensions, next: Next<'_>) -> Result<Response> {
        let token = self.0.token().await.map_err(|error| anyhow::anyhow!("{error}"))?;
        let value = HeaderValue::from_str(&token).map_err(Error::middleware)?;
        request.headers_mut().insert(AUTHORIZATION, value);
        next.run(request, extensions).await
    }
}

/// What `reqwest-chain` 2.0 does if it is used as its documentation shows: it copies the request before each send, and after a
/// 401 puts another token on it. It reads no challenge and shares no refresh. The crate itself needs a newer `http` than this
/// one.
pub(super) struct Chain(Box<dyn Link>);

/// What a chain does with the result of a send.
#[async_trait]
trait Link: Send + Sync {
    async fn next(&self, sent: Result<Response>, request: &mut Request) -> Result<Option<Response>>;
}

struct Replaced;

#[async_trait]
impl Link for Replaced {
    async fn next(&self, sent: Result<Response>, request: &mut Request) -> Result<Option<Response>> {
        let response = sent?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return Ok(Some(response));
        }
        let value = HeaderValue::from_str(VALUE).map_err(Error::middleware)?;
        request.headers_mut().insert(AUTHORIZATION, value);
        Ok(None)
    }
}

impl Chain {
    pub(super) fn new() -> Self {
        Self(Box::new(Replaced))
    }
}

#[async_trait]
impl Middleware for Chain {
    async fn handle(&self, mut request: Request, extensions: &mut Extensions, next: Next<'_>) -> Result<Response> {
        for _ in 0..7 {
            let copy = request.try_clone().ok_or_else(|| anyhow::anyhow!("the body is a stream"))?;
            let sent = next.clone().run(copy, extensions).await;
            if let Some(response) = self.0.next(sent, &mut request).await? {
                return Ok(response);
            }
        }
        Err(anyhow::anyhow!("too many sends").into())
    }
}

/// As uv does it: the realm of the URL finds the credential in a map, the header value is encoded for each request, and the
/// request is copied before the first send.
pub(super) struct OfRealm(RwLock<HashMap<String, Arc<(String, String)>>>);

impl OfRealm {
    pub(super) fn new(origin: &str) -> Self {
        let credential = Arc::new(("user".to_owned(), "3Yt0w7fAbCdEfGh1Jk".to_owned()));
        Self(RwLock::new([(format!("{origin}:443"), credential)].into()))
    }
}

#[async_trait]
impl Middleware for OfRealm {
    async fn handle(&self, mut request: Request, extensions: &mut Extensions, next: Next<'_>) -> Result<Response> {
        let url = request.url();
        let port = url.port_or_known_default().unwrap_or(0);
        let realm = format!("{}://{}:{port}", url.scheme(), url.host_str().unwrap_or_default());
        let credential = self.0.read().unwrap().get(&realm).cloned();
        if let Some(credential) = credential {
            let encoded = STANDARD.encode(format!("{}:{}", credential.0, credential.1));
            let mut value = HeaderValue::from_str(&format!("Basic {encoded}")).map_err(Error::middleware)?;
            value.set_sensitive(true);
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        let retry = request.try_clone();
        let response = next.clone().run(request, extensions).await?;
        match retry {
            Some(retry) if response.status() == StatusCode::UNAUTHORIZED => next.run(retry, extensions).await,
            _ => Ok(response),
        }
    }
}
