//! A server without a socket: the last middleware answers, and remembers what it was asked.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use http::Extensions;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use reqwest::{Body, Request, Response, ResponseBuilderExt, Url};
use reqwest_challenge::ChallengeMiddleware;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Middleware, Next};
use tokio::sync::Semaphore;

pub(crate) const API: &str = "https://api.example.com";

/// What arrived at the server.
#[derive(Clone, Debug)]
pub(crate) struct Arrived {
    pub(crate) method: http::Method,
    pub(crate) path: String,
    pub(crate) authorization: Option<String>,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Option<Vec<u8>>,
    pub(crate) version: http::Version,
    pub(crate) timeout: Option<std::time::Duration>,
}

impl Arrived {
    /// The bearer token that it came with; nothing if there was none.
    pub(crate) fn token(&self) -> &str {
        self.authorization.as_deref().and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default()
    }
}

type Answer = dyn Fn(&Arrived, usize) -> Response + Send + Sync;

/// A server that answers by what arrived and by how many requests came before.
#[derive(Clone)]
pub(crate) struct Script {
    answer: Arc<Answer>,
    arrived: Arc<Mutex<Vec<Arrived>>>,
}

impl Script {
    pub(crate) fn new(answer: impl Fn(&Arrived, usize) -> Response + Send + Sync + 'static) -> Self {
        crate::support::traced::install();
        Self { answer: Arc::new(answer), arrived: Arc::default() }
    }

    /// A server that takes that token and says 401 to any other.
    pub(crate) fn takes(token: &'static str) -> Self {
        Self::new(move |arrived, _| if arrived.token() == token { status(200) } else { challenged() })
    }

    /// A server that says the same to everybody.
    pub(crate) fn says(answer: impl Fn() -> Response + Send + Sync + 'static) -> Self {
        Self::new(move |_, _| answer())
    }

    pub(crate) fn client(&self, auth: &ChallengeMiddleware) -> ClientWithMiddleware {
        ClientBuilder::new(reqwest::Client::new()).with(auth.clone()).with(self.clone()).build()
    }

    /// A client whose way to the server is slow.
    pub(crate) fn slow_client(&self, auth: &ChallengeMiddleware, gate: &Arc<Semaphore>) -> ClientWithMiddleware {
        let client = ClientBuilder::new(reqwest::Client::new()).with(auth.clone());
        client.with(Slow(gate.clone())).with(self.clone()).build()
    }

    pub(crate) fn arrived(&self) -> Vec<Arrived> {
        self.arrived.lock().unwrap().clone()
    }

    pub(crate) fn sends(&self) -> usize {
        self.arrived.lock().unwrap().len()
    }

    /// The tokens in the order in which they came.
    pub(crate) fn tokens(&self) -> Vec<String> {
        self.arrived().iter().map(|arrived| arrived.token().to_owned()).collect()
    }
}

#[async_trait]
impl Middleware for Script {
    async fn handle(&self, request: Request, _: &mut Extensions, _: Next<'_>) -> reqwest_middleware::Result<Response> {
        // What a network does: others run before the answer is there.
        tokio::task::yield_now().await;
        let authorization = request.headers().get(AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned());
        let arrived = Arrived {
            method: request.method().clone(),
            path: request.url().path().to_owned(),
            authorization,
            headers: request.headers().clone(),
            body: request.body().and_then(Body::as_bytes).map(<[u8]>::to_vec),
            version: request.version(),
            timeout: request.timeout().copied(),
        };
        let number = {
            let mut all = self.arrived.lock().unwrap();
            all.push(arrived.clone());
            all.len() - 1
        };
        Ok((self.answer)(&arrived, number))
    }
}

/// Holds each request until it is let through: a slow way to the server.
pub(crate) struct Slow(pub(crate) Arc<Semaphore>);

#[async_trait]
impl Middleware for Slow {
    async fn handle(
        &self,
        request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<Response> {
        self.0.acquire().await.unwrap().forget();
        next.run(request, extensions).await
    }
}

pub(crate) fn status(status: u16) -> Response {
    respond(status, &[], "")
}

pub(crate) const CHALLENGE: &str = "Bearer realm=\"api\"";

pub(crate) fn challenged() -> Response {
    respond(401, &[(WWW_AUTHENTICATE.as_str(), CHALLENGE)], "who are you?")
}

pub(crate) fn challenged_with(challenge: &str) -> Response {
    respond(401, &[(WWW_AUTHENTICATE.as_str(), challenge)], "who are you?")
}

pub(crate) fn respond(status: u16, headers: &[(&str, &str)], body: &str) -> Response {
    headers
        .iter()
        .fold(http::Response::builder().status(status), |response, (name, value)| response.header(*name, *value))
        .body(Body::from(body.to_owned()))
        .unwrap()
        .into()
}

/// The same as if that URL had answered, after a redirect.
pub(crate) fn from_url(response: Response, url: &str) -> Response {
    let (status, headers) = (response.status(), response.headers().clone());
    let mut moved =
        http::Response::builder().status(status).url(Url::parse(url).unwrap()).body(Body::from("moved")).unwrap();
    *moved.headers_mut() = headers;
    moved.into()
}

/// A body that is a stream.
pub(crate) fn stream(text: &'static str) -> Body {
    Body::wrap_stream(tokio_stream(text))
}

fn tokio_stream(text: &'static str) -> impl futures_core::Stream<Item = Result<&'static str, std::io::Error>> {
    struct Once(Option<&'static str>);
    impl futures_core::Stream for Once {
        type Item = Result<&'static str, std::io::Error>;

        fn poll_next(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Self::Item>> {
            std::task::Poll::Ready(self.0.take().map(Ok))
        }
    }
    Once(Some(text))
}
