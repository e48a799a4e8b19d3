//! A mock of an API, which decides by the credential that is presented.

use crate::util::lock;
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{HeaderName, StatusCode};

use crate::answer::Answer;
use crate::arrived::Arrived;
use crate::at::At;
use crate::gate::Gate;
use crate::journal::Journal;
use crate::protection::Protection;
use crate::provider::MockIdentityProvider;
use crate::purpose::Purpose;
use crate::server::{Decide, Server};
use crate::tokens::{Judgement, Tokens};

/// A mock of an API on loopback. It decides by the credential that a request presents, never by the number of the request,
/// so that a client which sends once too often is not let in by that.
///
/// It stops when it is dropped; an [`answers_by`](At::answers_by) that holds it keeps it for ever. Under tokio's paused time a socket's answer comes too late for any timeout: there
/// [`Script`](super::Script) is the server.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use reqwest_challenge_testing::{MockApi, Protection};
///
/// let api = MockApi::start().await?;
/// api.at("/reports").takes(Protection::bearer()).requires("reports:read");
/// api.tokens().accept_with("t1", ["reports:read"], None);
///
/// let client = reqwest::Client::new();
/// assert_eq!(client.get(api.url("/reports/7")).send().await?.status(), 401);
/// let response = client.get(api.url("/reports/7")).header("authorization", "Bearer t1").send().await?;
/// assert_eq!(response.status(), 200);
/// api.journal().assert_sends("/reports/7", 2);
/// # Ok(()) }
/// ```
pub struct MockApi {
    server: Server,
    state: Arc<State>,
}

pub(super) struct State {
    routes: Mutex<BTreeMap<String, Route>>,
    tokens: Tokens,
}

type Answers = dyn Fn(&Arrived) -> Answer + Send + Sync;

#[derive(Clone, Default)]
pub(super) struct Route {
    /// `None` within: it was said that it is open.
    pub(super) protection: Option<Option<Protection>>,
    pub(super) scope: Option<String>,
    pub(super) challenges: Option<Vec<String>>,
    pub(super) expired_is_forbidden: bool,
    pub(super) answers: Option<Arc<Answers>>,
    pub(super) delay: Option<Duration>,
    pub(super) gate: Option<Gate>,
    pub(super) echoes: bool,
}

impl MockApi {
    /// A mock of its own, of the name `api`: everything is open and answers 200 until [`at`](Self::at) says otherwise.
    ///
    /// # Errors
    /// If there is no port to listen on.
    pub async fn start() -> io::Result<Self> {
        Self::start_with("api", Tokens::new(), &Journal::new()).await
    }

    /// A mock that takes the tokens of that provider, in one journal with it.
    ///
    /// # Errors
    /// If there is no port to listen on.
    pub async fn trusting(provider: &MockIdentityProvider) -> io::Result<Self> {
        Self::start_with("api", provider.tokens().clone(), provider.journal()).await
    }

    /// Another server beside this one, in one journal with it, which takes none of its tokens.
    ///
    /// # Errors
    /// If there is no port to listen on.
    pub async fn another(&self, name: &str) -> io::Result<Self> {
        Self::start_with(name, Tokens::new(), self.journal()).await
    }

    /// A mock of that name, with these tokens, in that journal.
    ///
    /// # Errors
    /// If there is no port to listen on.
    pub async fn start_with(name: &str, tokens: Tokens, journal: &Journal) -> io::Result<Self> {
        let state = Arc::new(State { routes: Mutex::default(), tokens });
        let server = Server::start(name, journal.clone(), state.clone()).await?;
        Ok(Self { server, state })
    }

    /// The URL of a path: `http://127.0.0.1:…/reports` of `/reports`.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        self.server.url(path)
    }

    /// Its origin.
    #[must_use]
    pub fn origin(&self) -> String {
        self.server.url("")
    }

    /// Its name in the journal.
    #[must_use]
    pub fn name(&self) -> &str {
        self.server.name()
    }

    /// What it does at that path and all below it. What was said of a path holds below it too, unless something else is said
    /// there.
    ///
    /// # Panics
    /// If it is no path: without a slash at its beginning, with a query or a fragment.
    #[must_use]
    #[track_caller]
    pub fn at(&self, path: &str) -> At<'_> {
        assert!(path.starts_with('/') && !path.contains(['?', '#']), "`{path}` is no path: write `/reports`");
        // As it stands in a request: a blank is `%20` there.
        let url = url::Url::parse("http://127.0.0.1").and_then(|url| url.join(path));
        let path = url.map_or_else(|_| path.to_owned(), |url| url.path().to_owned());
        At { state: &self.state, path: path.trim_end_matches('/').to_owned() }
    }

    /// Lets that path ask for that scope: 403 for a token that lacks it.
    #[track_caller]
    pub fn forbid(&self, path: &str, scope: &str) {
        self.at(path).requires(scope);
    }

    /// The tokens that it takes: to accept, to expire, to revoke.
    #[must_use]
    pub fn tokens(&self) -> &Tokens {
        &self.state.tokens
    }

    /// What happened.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        self.server.journal()
    }

    /// The requests that it got, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<Arrived> {
        let all = self.journal().exchanges().into_iter().map(|exchanged| exchanged.request().clone());
        all.filter(|arrived| arrived.server() == self.name()).collect()
    }

    /// How many requests came to that path.
    #[must_use]
    pub fn requests_to(&self, path: &str) -> usize {
        self.requests().iter().filter(|arrived| arrived.path() == path).count()
    }

    /// How many requests presented that credential: a token, or the whole value of the header.
    #[must_use]
    pub fn requests_with(&self, credential: &str) -> usize {
        let presents = |arrived: &&Arrived| {
            let tokens = ["bearer", "dpop"].map(|scheme| arrived.token_by(scheme));
            tokens.contains(&Some(credential)) || arrived.credential() == Some(credential)
        };
        self.requests().iter().filter(presents).count()
    }

    /// How many connections were made to it.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.server.connections()
    }
}

impl fmt::Debug for MockApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MockApi").field("server", &self.server).finish_non_exhaustive()
    }
}

impl State {
    pub(super) fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Route>> {
        lock(&self.routes)
    }

    pub(super) fn route(&self, path: &str) -> Route {
        let routes = self.lock();
        let above = |named: &str| path.strip_prefix(named).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        // The map is in the order of the paths, so that what is said further down comes later.
        let all = routes.iter().filter(|(named, _)| above(named)).map(|(_, route)| route.clone());
        all.fold(Route::default(), Route::below)
    }
}

impl Route {
    /// What holds where that is said below this.
    fn below(self, said: Self) -> Self {
        // A protection of its own asks for no scope that was said of another.
        let scope = if said.protection.is_some() { said.scope } else { said.scope.or(self.scope) };
        Self {
            protection: said.protection.or(self.protection),
            scope,
            challenges: said.challenges.or(self.challenges),
            expired_is_forbidden: said.expired_is_forbidden || self.expired_is_forbidden,
            answers: said.answers.or(self.answers),
            delay: said.delay.or(self.delay),
            gate: said.gate.or(self.gate),
            echoes: said.echoes || self.echoes,
        }
    }
}

impl Decide for State {
    fn answer(&self, arrived: &Arrived) -> Answer {
        if arrived.headers.get_all(AUTHORIZATION).iter().count() > 1 {
            return Answer::new(400).body("there are two credentials");
        }
        let route = self.route(arrived.path());
        let refusal = route.protection.iter().flatten().next().and_then(|protection| {
            let judgement = protection.judge(arrived, &self.tokens, route.scope.as_deref());
            let spent = matches!(judgement, Judgement::Unknown | Judgement::Expired | Judgement::Revoked);
            if spent && route.expired_is_forbidden {
                return Some(Answer::new(403).body("the token expired"));
            }
            let answer = protection.refusal(&judgement)?;
            match &route.challenges {
                Some(lines) if answer.status == StatusCode::UNAUTHORIZED => {
                    Some(Answer::unauthorized(lines.iter().map(String::as_str)))
                }
                _ => Some(answer),
            }
        });
        let mut answer = refusal.unwrap_or_else(|| route.answers.map_or_else(|| Answer::ok("ok"), |by| by(arrived)));
        if route.echoes {
            let lines = arrived
                .headers
                .iter()
                .map(|(name, value)| [name.as_str().as_bytes(), b": ", value.as_bytes()].concat());
            answer = answer.body(lines.collect::<Vec<_>>().join(&b'\n'));
        }
        #[cfg(feature = "dpop")]
        if let Some(nonce) = route.protection.iter().flatten().next().and_then(Protection::nonce) {
            answer.headers.remove("dpop-nonce");
            answer = answer.header("dpop-nonce", nonce);
        }
        answer.delay = answer.delay.or(route.delay);
        answer.gate = answer.gate.or(route.gate);
        answer
    }

    fn key(&self, path: &str) -> Option<HeaderName> {
        self.route(path).protection??.key()
    }

    fn purpose(&self, arrived: &Arrived) -> Purpose {
        Purpose::at_any(arrived)
    }
}
