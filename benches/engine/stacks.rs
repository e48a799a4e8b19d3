//! The same calls through each middleware, to a last middleware that answers.

use std::sync::RwLock;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use http::Extensions;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use reqwest::{Body, Method, Request, Response, ResponseBuilderExt, Url};
use reqwest_challenge::{BoxError, ChallengeMiddleware, Credential, RefreshContext};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Middleware, Next, Result};

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Stack {
    Bare,
    Nothing,
    Fifteen,
    Ours,
    /// Ours, with a refresher that waits once, like a refresher that sends a request.
    Waiting,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Shape {
    Get,
    /// Five headers and a body of bytes.
    Post,
    /// A GET whose first answer is a 401 with a challenge.
    Refused,
}

impl Stack {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Nothing => "nothing",
            Self::Fifteen => "fifteen",
            Self::Ours => "ours",
            Self::Waiting => "waiting",
        }
    }

    pub(crate) fn named(name: &str) -> Self {
        let all = [Self::Bare, Self::Nothing, Self::Fifteen, Self::Ours, Self::Waiting];
        all.into_iter().find(|stack| stack.name() == name).unwrap()
    }

    /// A client with this middleware, and with the last middleware if there is one.
    pub(crate) fn client(self, origin: &str, http: reqwest::Client, last: Option<Last>) -> ClientWithMiddleware {
        let client = ClientBuilder::new(http);
        let client = match self {
            Self::Bare => client,
            Self::Nothing => client.with(Nothing),
            Self::Fifteen => client.with(Fifteen(RwLock::new(HeaderValue::from_static("Bearer t0")))),
            Self::Ours => client.with(ours(origin, false)),
            Self::Waiting => client.with(ours(origin, true)),
        };
        match last {
            Some(last) => client.with(last).build(),
            None => client.build(),
        }
    }
}

impl Shape {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Refused => "refused",
        }
    }

    pub(crate) fn named(name: &str) -> Self {
        [Self::Get, Self::Post, Self::Refused].into_iter().find(|shape| shape.name() == name).unwrap()
    }

    fn request(self, url: &Url) -> Request {
        if self != Self::Post {
            return Request::new(Method::GET, url.clone());
        }
        let mut request = Request::new(Method::POST, url.clone());
        for name in ["accept", "content-type", "x-request-id", "traceparent", "user-agent"] {
            // A constant, because each clone of a name that is made from text costs an allocation.
            request.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static("value"));
        }
        *request.body_mut() = Some(Body::from(bytes::Bytes::from_static(b"{\"name\": \"value\"}")));
        request
    }
}

fn ours(origin: &str, waits: bool) -> ChallengeMiddleware {
    static NUMBER: AtomicU64 = AtomicU64::new(1);
    // The two tokens alternate, so the count does not include the formatting of a number.
    let refresh = move |_: RefreshContext| async move {
        if waits {
            tokio::task::yield_now().await;
        }
        let token = if NUMBER.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) { "t0" } else { "t1" };
        Ok::<_, BoxError>(Credential::bearer(token))
    };
    ChallengeMiddleware::builder(origin, refresh).initial_credential(Credential::bearer("t0")).build().unwrap()
}

struct Nothing;

#[async_trait]
impl Middleware for Nothing {
    async fn handle(&self, request: Request, extensions: &mut Extensions, next: Next<'_>) -> Result<Response> {
        next.run(request, extensions).await
    }
}

/// The usual middleware of 15 lines: it inserts a header field that it reads from a lock.
struct Fifteen(RwLock<HeaderValue>);

#[async_trait]
impl Middleware for Fifteen {
    async fn handle(&self, mut request: Request, extensions: &mut Extensions, next: Next<'_>) -> Result<Response> {
        let value = self.0.read().unwrap().clone();
        request.headers_mut().insert(AUTHORIZATION, value);
        next.run(request, extensions).await
    }
}

/// Answers each request with 200, or every second request with 401.
pub(crate) struct Last {
    refuses: bool,
    count: AtomicU64,
}

#[async_trait]
impl Middleware for Last {
    async fn handle(&self, request: Request, _: &mut Extensions, _: Next<'_>) -> Result<Response> {
        let response = http::Response::builder().url(request.url().clone()).body(Body::default());
        let mut response = response.map_err(reqwest_middleware::Error::middleware)?;
        if self.refuses && self.count.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) {
            *response.status_mut() = http::StatusCode::UNAUTHORIZED;
            let challenge = HeaderValue::from_static("Bearer realm=\"example\", error=\"invalid_token\"");
            response.headers_mut().insert(http::header::WWW_AUTHENTICATE, challenge);
        }
        Ok(response.into())
    }
}

/// Makes that many calls, one after the other.
pub(crate) fn run(stack: Stack, shape: Shape, rounds: u64) {
    let url = Url::parse("https://api.example.com/reports").unwrap();
    let last = Last { refuses: shape == Shape::Refused, count: AtomicU64::new(0) };
    let client = stack.client("https://api.example.com", reqwest::Client::new(), Some(last));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        for _ in 0..rounds {
            let response = client.execute(shape.request(&url)).await.unwrap();
            assert_eq!(response.status(), 200);
        }
    });
}
