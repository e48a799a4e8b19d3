//! A mock of an OAuth 2 token endpoint.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::gate::Gate;
use crate::journal::Journal;
use crate::server::Server;
use crate::tokens::Tokens;
use reqwest_challenge::Clock;

/// What a token endpoint can do wrong.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Failure {
    /// 400 `invalid_grant`: this refresh token is finished (RFC 6749 §5.2).
    InvalidGrant,
    /// 401 `invalid_client` with a Basic challenge (RFC 6749 §5.2).
    InvalidClient,
    /// 429 with `Retry-After` in seconds.
    TooManyRequests(u64),
    /// 500.
    ServerError,
    /// Nothing, until the gate is opened; then what it would have answered.
    Hang(Gate),
    /// 200 with a body that is no JSON.
    Garbage,
    /// The connection is cut.
    Cut,
}

/// What a login gives.
#[derive(Clone)]
pub struct Issued {
    /// The access token.
    pub access_token: String,
    /// The refresh token.
    pub refresh_token: String,
}

impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issued").finish_non_exhaustive()
    }
}

/// A mock of an OAuth 2 authorization server on loopback: a token endpoint at `/token`, with rotation of refresh tokens, and
/// a reuse that revokes all that came of the same login (RFC 9700 §4.14.2); and revocation at `/revoke` (RFC 7009).
///
/// What a grant says of its user is believed: a code, an assertion, a password is looked at for being there, and no more.
///
/// With the feature `dpop` it looks at the proof of a key that comes with a token request, and binds what it gives to that key
/// (RFC 9449 §5).
///
/// It also serves metadata (RFC 8414), registration (RFC 7591), a login page with PKCE on which every user agrees at once, and device
/// codes (RFC 8628). It checks the codes that it gave out.
///
/// It stops when it is dropped.
pub struct MockIdentityProvider {
    server: Server,
    pub(super) state: Arc<State>,
}

pub(super) struct State {
    pub(super) tokens: Tokens,
    pub(super) inner: Mutex<Inner>,
}

pub(super) struct Inner {
    pub(super) grants: HashMap<String, Grant>,
    pub(super) families: usize,
    pub(super) refreshes: usize,
    pub(super) rotates: bool,
    pub(super) lifetime: Duration,
    pub(super) client: Option<KnownClient>,
    /// What the proofs of keys are to have.
    #[cfg(feature = "dpop")]
    pub(super) nonce: Option<String>,
    pub(super) next: VecDeque<Failure>,
    pub(super) down: Option<Failure>,
    pub(super) reused: usize,
    pub(super) counts: HashMap<String, usize>,
    pub(super) logins: crate::login::Logins,
}

/// The client that it asks for, and what that one has.
pub(super) enum KnownClient {
    Secret(String, String),
    #[cfg(feature = "dpop")]
    Key(String, serde_json::Value),
}

pub(super) struct Grant {
    pub(super) family: usize,
    pub(super) scopes: Vec<String>,
    pub(super) used: bool,
    /// The thumbprint of the key without which it is of no use.
    pub(super) bound: Option<String>,
}

impl MockIdentityProvider {
    /// A provider of its own, of the name `identity`, by the system's clock.
    ///
    /// # Errors
    /// If there is no port to listen on.
    pub async fn start() -> io::Result<Self> {
        Self::start_with(Tokens::new(), &Journal::new()).await
    }

    /// A provider of its own with that clock, such as a [`ManualClock`](crate::ManualClock) that a test moves past the lifetime
    /// of a token.
    ///
    /// # Errors
    /// If there is no port to listen on.
    pub async fn start_with_clock(clock: impl Clock) -> io::Result<Self> {
        Self::start_with(Tokens::with_clock(clock), &Journal::new()).await
    }

    /// A provider that issues into that table and writes into that journal.
    ///
    /// # Errors
    /// If there is no port to listen on.
    pub async fn start_with(tokens: Tokens, journal: &Journal) -> io::Result<Self> {
        let inner = Inner {
            grants: HashMap::new(),
            families: 0,
            refreshes: 0,
            rotates: true,
            lifetime: Duration::from_secs(3600),
            client: None,
            #[cfg(feature = "dpop")]
            nonce: None,
            next: VecDeque::new(),
            down: None,
            reused: 0,
            counts: HashMap::new(),
            logins: crate::login::Logins::default(),
        };
        let state = Arc::new(State { tokens, inner: Mutex::new(inner) });
        let server = Server::start("identity", journal.clone(), state.clone()).await?;
        Ok(Self { server, state })
    }

    /// The URL of its token endpoint.
    #[must_use]
    pub fn token_url(&self) -> String {
        self.server.url("/token")
    }

    /// The URL of its revocation endpoint.
    #[must_use]
    pub fn revocation_url(&self) -> String {
        self.server.url("/revoke")
    }

    /// The tokens that it issued: an API that trusts it takes them.
    #[must_use]
    pub fn tokens(&self) -> &Tokens {
        &self.state.tokens
    }

    /// What happened.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        self.server.journal()
    }

    /// Somebody logged in before the test began: tokens with these scopes.
    #[must_use]
    pub fn log_in<S: Into<String>>(&self, scopes: impl IntoIterator<Item = S>) -> Issued {
        let scopes = scopes.into_iter().map(Into::into).collect();
        let mut inner = self.state.lock();
        inner.families += 1;
        let family = inner.families;
        self.state.issue(&mut inner, family, scopes, None)
    }

    /// Whether each refresh gives a new refresh token and ends the old one. It does unless it is told not to.
    pub fn rotates(&self, rotates: bool) {
        self.state.lock().rotates = rotates;
    }

    /// How long the tokens live that it issues from now on. An hour unless it is told otherwise.
    pub fn lifetime(&self, lifetime: Duration) {
        self.state.lock().lifetime = lifetime;
    }

    /// It asks for that client and secret from now on, by Basic or in the body (RFC 6749 §2.3.1).
    pub fn requires_client(&self, id: &str, secret: &str) {
        self.state.lock().client = Some(KnownClient::Secret(id.to_owned(), secret.to_owned()));
    }

    /// It asks for that client from now on, and for an assertion that it signed with the key of this JWK by ES256
    /// (`private_key_jwt`, RFC 7523 §3).
    ///
    /// # Panics
    /// If it is no JSON.
    #[cfg(feature = "dpop")]
    #[track_caller]
    pub fn requires_signed_client(&self, id: &str, public_jwk: &str) {
        let jwk = serde_json::from_str(public_jwk).unwrap_or_else(|error| panic!("the JWK is no JSON: {error}"));
        self.state.lock().client = Some(KnownClient::Key(id.to_owned(), jwk));
    }

    /// The proofs of keys are to have that nonce from now on, at its token endpoint (RFC 9449 §8).
    ///
    /// # Panics
    /// If it cannot stand in a header.
    #[cfg(feature = "dpop")]
    #[track_caller]
    pub fn wants_nonce(&self, nonce: &str) {
        assert!(http::HeaderValue::from_str(nonce).is_ok(), "`{}` is no nonce", nonce.escape_debug());
        self.state.lock().nonce = Some(nonce.to_owned());
    }

    /// Makes the next request to the token endpoint fail like this. Further calls make later requests fail. Requests
    /// for metadata, a registration, a page, a code or a revocation are answered as before.
    pub fn fail_next(&self, failure: Failure) {
        self.state.lock().next.push_back(failure);
    }

    /// Makes every request fail like this until [`end_outage`](Self::end_outage). [`InvalidGrant`](Failure::InvalidGrant) and
    /// [`InvalidClient`](Failure::InvalidClient) are errors of the token endpoint and do not affect other requests.
    pub fn begin_outage(&self, failure: Failure) {
        self.state.lock().down = Some(failure);
    }

    /// Ends the outage.
    pub fn end_outage(&self) {
        self.state.lock().down = None;
    }

    /// How many token requests arrived, polls for a device code included.
    #[must_use]
    pub fn token_requests(&self) -> usize {
        self.journal().exchanges().iter().filter(|exchanged| exchanged.is_token_request()).count()
    }

    /// How many tokens were given out for that `grant_type`.
    #[must_use]
    pub fn grants(&self, grant_type: &str) -> usize {
        self.state.lock().counts.get(grant_type).copied().unwrap_or(0)
    }

    /// How often a refresh token came that had been rotated away.
    #[must_use]
    pub fn reused(&self) -> usize {
        self.state.lock().reused
    }
}

impl fmt::Debug for MockIdentityProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MockIdentityProvider").field("server", &self.server).finish_non_exhaustive()
    }
}
