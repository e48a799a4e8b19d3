//! A server without a socket.

use crate::util::lock;
use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use http::Extensions;
use reqwest::{Body, Request, Response, ResponseBuilderExt};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Middleware, Next, Result};

use crate::answer::Answer;
use crate::arrived::Arrived;
use crate::journal::Journal;
use crate::purpose::Purpose;
use crate::server::read;
use reqwest_challenge::{ChallengeMiddleware, MockResponse};

type Answers = dyn Fn(&Arrived, usize) -> Answer + Send + Sync;

/// A server without a socket: the last middleware, which answers in place of the network, under tokio's paused time too.
///
/// Clones are the same server. Its name in the journal is `script`.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use reqwest_challenge_testing::{Answer, Script};
/// use reqwest_challenge::{ChallengeMiddleware, Credential};
///
/// let script = Script::of([Answer::unauthorized(["Bearer realm=\"a\""]), Answer::ok("in")]);
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
    /// Answers by the request, and by how many came before it.
    #[must_use]
    pub fn new(answers: impl Fn(&Arrived, usize) -> Answer + Send + Sync + 'static) -> Self {
        let script = Self { answers: Arc::new(answers), sends: Arc::default(), journal: Journal::new() };
        script.journal.server("script");
        script
    }

    /// Answers these, one after the other; whoever comes after the last gets 500 and a body that says so.
    #[must_use]
    pub fn of(answers: impl IntoIterator<Item = Answer>) -> Self {
        let left: Mutex<VecDeque<Answer>> = Mutex::new(answers.into_iter().collect());
        Self::new(move |_, _| {
            let next = lock(&left).pop_front();
            next.unwrap_or_else(|| Answer::new(500).body("the script is over"))
        })
    }

    /// Answers the same to everybody.
    #[must_use]
    pub fn says(answer: Answer) -> Self {
        Self::new(move |_, _| answer.clone())
    }

    /// Lets in whoever has that bearer token, and challenges everybody else.
    #[must_use]
    pub fn takes(token: impl Into<String>) -> Self {
        let token = token.into();
        Self::new(move |arrived, _| {
            let refused = || Answer::unauthorized(["Bearer realm=\"script\""]).body("who are you?");
            if arrived.token() == token { Answer::ok("") } else { refused() }
        })
    }

    /// The same server with that journal.
    #[must_use]
    pub fn with_journal(mut self, journal: &Journal) -> Self {
        self.journal = journal.clone();
        journal.server("script");
        self
    }

    /// A client with that middleware, and this server in place of the network.
    #[must_use]
    pub fn client(&self, auth: &ChallengeMiddleware) -> ClientWithMiddleware {
        ClientBuilder::new(reqwest::Client::new()).with(auth.clone()).with(self.clone()).build()
    }

    /// What happened.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// The requests that it got, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<Arrived> {
        let all = self.journal.exchanges().into_iter().map(|exchanged| exchanged.request().clone());
        all.filter(|arrived| arrived.server() == "script").collect()
    }

    /// How many requests it got.
    #[must_use]
    pub fn sends(&self) -> usize {
        self.sends.load(Ordering::SeqCst)
    }

    /// The bearer tokens in the order in which they came; nothing stands for none.
    #[must_use]
    pub fn tokens(&self) -> Vec<String> {
        self.requests().iter().map(|arrived| arrived.token().to_owned()).collect()
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Script").field("journal", &self.journal).finish_non_exhaustive()
    }
}

#[async_trait]
impl Middleware for Script {
    async fn handle(&self, mut request: Request, _: &mut Extensions, _: Next<'_>) -> Result<Response> {
        // What a network does: others run before the answer is there.
        tokio::task::yield_now().await;
        let url = request.url().clone();
        let body = request.body_mut().take().unwrap_or_default();
        let arrived = Arrived {
            server: "script".into(),
            method: request.method().clone(),
            url: url.clone(),
            headers: std::mem::take(request.headers_mut()),
            body: read(body).await.map_err(|error| reqwest_middleware::Error::Middleware(error.into()))?,
            version: request.version(),
            timeout: request.timeout().copied(),
            connection: None,
            key: None,
        };
        let before = self.sends.fetch_add(1, Ordering::SeqCst);
        let place = self.journal.arrived(arrived.clone(), Purpose::at_any(&arrived));
        let answer = (self.answers)(&arrived, before);
        answer.due().await;
        self.journal.answered(place, &answer);
        if answer.cut {
            let cut = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
            return Err(reqwest_middleware::Error::Middleware(cut.into()));
        }
        let answered = answer.url.clone().unwrap_or(url);
        let (head, payload) = answer.into_response().into_parts();
        let body = if payload.is_at_hand() { Body::from(payload.bytes) } else { Body::wrap(payload) };
        let response = http::Response::builder().status(head.status).url(answered).body(body);
        let mut response = response.map_err(|error| reqwest_middleware::Error::Middleware(error.into()))?;
        *response.headers_mut() = head.headers;
        response.extensions_mut().insert(MockResponse);
        Ok(response.into())
    }
}
