//! Responses that many tests use, and a client whose requests reach the server late.

use async_trait::async_trait;
use http::Extensions;
use http::header::WWW_AUTHENTICATE;
use reqwest::{Body, Request, Response};
use reqwest_challenge::ChallengeMiddleware;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Middleware, Next};

pub(crate) use reqwest_challenge_testing::{Answer, Gate, ReceivedRequest, Script};

pub(crate) const API: &str = "https://api.example.com";

/// A client whose requests wait at the gate before they reach the server.
pub(crate) fn slow_client(server: &Script, auth: &ChallengeMiddleware, gate: &Gate) -> ClientWithMiddleware {
    let client = ClientBuilder::new(reqwest::Client::new()).with(auth.clone());
    client.with(Slow(gate.clone())).with(server.clone()).build()
}

/// Holds each request until the gate lets it through.
struct Slow(Gate);

#[async_trait]
impl Middleware for Slow {
    async fn handle(
        &self,
        request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<Response> {
        self.0.pass().await;
        next.run(request, extensions).await
    }
}

pub(crate) fn status(status: u16) -> Answer {
    Answer::new(status)
}

pub(crate) const CHALLENGE: &str = "Bearer realm=\"api\"";

pub(crate) fn challenged() -> Answer {
    challenged_with(CHALLENGE)
}

pub(crate) fn challenged_with(challenge: &str) -> Answer {
    respond(401, &[(WWW_AUTHENTICATE.as_str(), challenge)], "who are you?")
}

pub(crate) fn respond(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
    let answer = Answer::new(status).body(body.to_owned());
    headers.iter().fold(answer, |answer, (name, value)| answer.header(name, value))
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
