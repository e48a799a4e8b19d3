//! A mock API that a test configures and observes.

use std::fmt;
use std::io;
use std::sync::Arc;

use url::Url;

use super::at::At;
use super::route::State;
use crate::journal::Journal;
use crate::message::ReceivedRequest;
use crate::protection::Tokens;
use crate::provider::MockIdentityProvider;
use crate::server::Listener;

/// A mock of an API on loopback. It stops when it is dropped.
///
/// The API decides by the credential of a request, never by the number of the request. So a client does not succeed by
/// sending a request too often.
///
/// If an [`answers_with`](At::answers_with) function owns the `MockApi`, the API never stops. While tokio's time is paused,
/// a timeout ends before a socket can answer: use [`Script`](crate::Script) instead.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use reqwest_challenge_testing::{MockApi, Protection};
///
/// let api = MockApi::start().await?;
/// api.at("/reports").accepts(Protection::bearer()).requires("reports:read");
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
    server: Listener,
    state: Arc<State>,
}

impl MockApi {
    /// Starts an API. Its name in the journal is `api`. Each path is open and answers 200 until [`at`](Self::at) configures
    /// it.
    ///
    /// # Errors
    /// If no loopback port is free.
    pub async fn start() -> io::Result<Self> {
        Self::start_with("api", Tokens::new(), &Journal::new()).await
    }

    /// Starts an API that accepts the tokens of this provider, and records into the provider's journal.
    ///
    /// # Errors
    /// If no loopback port is free.
    pub async fn trusting(provider: &MockIdentityProvider) -> io::Result<Self> {
        Self::start_with("api", provider.tokens().clone(), provider.journal()).await
    }

    /// Starts another API with this name. It records into the same journal, and accepts none of this API's tokens.
    ///
    /// # Errors
    /// If no loopback port is free.
    pub async fn another(&self, name: &str) -> io::Result<Self> {
        Self::start_with(name, Tokens::new(), self.journal()).await
    }

    /// Starts an API with this name, these tokens and this journal.
    ///
    /// # Errors
    /// If no loopback port is free.
    pub async fn start_with(name: &str, tokens: Tokens, journal: &Journal) -> io::Result<Self> {
        let state = Arc::new(State::new(tokens));
        let server = Listener::start(name, journal.clone(), state.clone()).await?;
        Ok(Self { server, state })
    }

    /// The URL of a path: `http://127.0.0.1:<port>/reports` for `/reports`.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        self.server.url(path)
    }

    /// The origin.
    #[must_use]
    pub fn origin(&self) -> String {
        self.server.url("")
    }

    /// The name in the journal.
    #[must_use]
    pub fn name(&self) -> &str {
        self.server.name()
    }

    /// Configures this path and all paths below it. A path below can be configured differently.
    ///
    /// # Panics
    /// If the text is not a path: it has no slash at its beginning, or it has a query or a fragment.
    #[must_use]
    #[track_caller]
    pub fn at(&self, path: &str) -> At<'_> {
        let is_path = path.starts_with('/') && !path.contains(['?', '#']);
        assert!(is_path, "`{path}` is not a path without a query: write for example `/reports`");
        // A request has the encoded path: a space is `%20` there.
        let url = Url::parse("http://127.0.0.1").and_then(|url| url.join(path));
        let path = url.map_or_else(|_| path.to_owned(), |url| url.path().to_owned());
        At::new(&self.state, path.trim_end_matches('/').to_owned())
    }

    /// Requires this scope at this path: 403 for a token that lacks it.
    #[track_caller]
    pub fn forbid(&self, path: &str, scope: &str) {
        self.at(path).requires(scope);
    }

    /// The tokens that the API accepts. The test adds, expires and revokes them there.
    #[must_use]
    pub fn tokens(&self) -> &Tokens {
        &self.state.tokens
    }

    /// The journal.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        self.server.journal()
    }

    /// The requests that the API received, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<ReceivedRequest> {
        let all = self.journal().exchanges().into_iter().map(|exchange| exchange.request);
        all.filter(|request| request.server() == self.name()).collect()
    }

    /// How many requests the API received for this path.
    #[must_use]
    pub fn requests_to(&self, path: &str) -> usize {
        self.requests().iter().filter(|request| request.path() == path).count()
    }

    /// How many requests presented this credential: a token, or the whole value of the header field.
    #[must_use]
    pub fn requests_with(&self, credential: &str) -> usize {
        let presents = |request: &&ReceivedRequest| {
            let tokens = ["bearer", "dpop"].map(|scheme| request.token_by(scheme));
            tokens.contains(&Some(credential)) || request.credential() == Some(credential)
        };
        self.requests().iter().filter(presents).count()
    }

    /// How many connections the API accepted.
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
