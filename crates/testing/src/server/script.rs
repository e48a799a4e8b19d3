//! A server without a socket.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use http::Extensions;
use reqwest::{Body, Request, Response, ResponseBuilderExt};
use reqwest_challenge::{ChallengeMiddleware, MockResponse};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Error, Middleware, Next, Result};

use super::body::read;
use crate::journal::Journal;
use crate::message::{Answer, Purpose, ReceivedRequest};
use crate::util::lock;

type Answers = dyn Fn(&ReceivedRequest, usize) -> Answer + Send + Sync;

/// A server without a socket: a last middleware that answers instead of the network. It also works while tokio's time is
/// paused.
///
/// All clones refer to one server. Its name in the journal is `script`.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use reqwest_challenge::{ChallengeMiddleware, Credential};
/// use reqwest_challenge_testing::{Answer, Script};
///
/// let script = Script::sequence([Answer::unauthorized(["Bearer realm=\"a\""]), Answer::ok("in")]);
/// let auth = ChallengeMiddleware::new("https://api.example.com", async |_| {
///     Ok::<_, std::io::Error>(Credential::bearer("t1"))
/// })?;
/// let response = script.client(&auth).get("https://api.example.com/reports").send().await?;
/// assert_eq!(response.status(), 200);
/// script.journal().assert_sends("/reports", 2);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Script {
    answers: Arc<Answers>,
    sends: Arc<AtomicUsize>,
    journal: Journal,
}

impl Script {
    /// Answers with the result of the function. Its arguments are the request and the number of earlier requests.
    #[must_use]
    pub fn new(answers: impl Fn(&ReceivedRequest, usize) -> Answer + Send + Sync + 'static) -> Self {
        let script = Self { answers: Arc::new(answers), sends: Arc::default(), journal: Journal::new() };
        script.journal.add_server("script");
        script
    }

    /// Gives these answers in order, one per request. Further requests get 500 with a body that says so.
    #[must_use]
    pub fn sequence(answers: impl IntoIterator<Item = Answer>) -> Self {
        let left: Mutex<VecDeque<Answer>> = Mutex::new(answers.into_iter().collect());
        Self::new(move |_, _| {
            let next = lock(&left).pop_front();
            next.unwrap_or_else(|| Answer::new(500).body("the script has no more answers"))
        })
    }

    /// Gives the same answer to every request.
    #[must_use]
    pub fn always(answer: Answer) -> Self {
        Self::new(move |_, _| answer.clone())
    }

    /// Answers 200 to requests with this bearer token, and 401 with a challenge to all others.
    #[must_use]
    pub fn accepting(token: impl Into<String>) -> Self {
        let token = token.into();
        Self::new(move |request, _| {
            let refused = || Answer::unauthorized(["Bearer realm=\"script\""]).body("who are you?");
            if request.token() == token { Answer::ok("") } else { refused() }
        })
    }

    /// Records into this journal.
    #[must_use]
    pub fn with_journal(mut self, journal: &Journal) -> Self {
        self.journal = journal.clone();
        journal.add_server("script");
        self
    }

    /// A client with this middleware, and with this server instead of the network.
    #[must_use]
    pub fn client(&self, auth: &ChallengeMiddleware) -> ClientWithMiddleware {
        ClientBuilder::new(reqwest::Client::new()).with(auth.clone()).with(self.clone()).build()
    }

    /// The journal.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// The requests that the server received, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<ReceivedRequest> {
        let all = self.journal.exchanges().into_iter().map(|exchange| exchange.request);
        all.filter(|request| request.server() == "script").collect()
    }

    /// How many requests the server received.
    #[must_use]
    pub fn sends(&self) -> usize {
        self.sends.load(Ordering::SeqCst)
    }

    /// The bearer token of each request, in order. Empty for a request without one.
    #[must_use]
    pub fn tokens(&self) -> Vec<String> {
        self.requests().iter().map(|request| request.token().to_owned()).collect()
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Script").field("journal", &self.journal).finish_non_exhaustive()
    }
}

#[async_trait]
impl Middleware for Script {
    async fn handle(&self, request: Request, _: &mut Extensions, _: Next<'_>) -> Result<Response> {
        // Like a network, this lets other tasks run before the answer arrives.
        tokio::task::yield_now().await;
        let request = receive(request).await?;
        let before = self.sends.fetch_add(1, Ordering::SeqCst);
        let index = self.journal.add_request(request.clone(), Purpose::at_any(&request));
        let answer = (self.answers)(&request, before);
        answer.wait().await;
        self.journal.add_answer(index, &answer);
        if answer.is_cut {
            let cut = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
            return Err(Error::Middleware(cut.into()));
        }
        let url = answer.url.clone().unwrap_or(request.url);
        let (head, payload) = answer.into_response().into_parts();
        let body = if payload.is_complete() { Body::from(payload.bytes) } else { Body::wrap(payload) };
        let response = http::Response::builder().status(head.status).url(url).body(body);
        let mut response = response.map_err(|error| Error::Middleware(error.into()))?;
        *response.headers_mut() = head.headers;
        response.extensions_mut().insert(MockResponse);
        Ok(response.into())
    }
}

/// Reads the request as a server receives it.
async fn receive(mut request: Request) -> Result<ReceivedRequest> {
    let body = request.body_mut().take().unwrap_or_default();
    Ok(ReceivedRequest {
        server: "script".into(),
        method: request.method().clone(),
        url: request.url().clone(),
        headers: std::mem::take(request.headers_mut()),
        body: read(body).await.map_err(|error| Error::Middleware(error.into()))?,
        version: request.version(),
        timeout: request.timeout().copied(),
        connection: None,
        key_header: None,
    })
}
