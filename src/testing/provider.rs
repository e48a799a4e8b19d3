//! A mock of an OAuth 2 token endpoint.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::{HeaderName, Method};

use super::answer::Answer;
use super::arrived::Arrived;
use super::gate::Gate;
use super::journal::Journal;
use super::protection::basic;
use super::server::{Decide, Server};
use super::tokens::Tokens;
use crate::refresh::Clock;

/// The grants that it knows, and the parameters that each must have beside it.
const GRANTS: [(&str, &[&str]); 7] = [
    ("client_credentials", &[]),
    ("refresh_token", &["refresh_token"]),
    ("password", &["username", "password"]),
    ("authorization_code", &["code"]),
    ("urn:ietf:params:oauth:grant-type:device_code", &["device_code"]),
    ("urn:ietf:params:oauth:grant-type:jwt-bearer", &["assertion"]),
    ("urn:ietf:params:oauth:grant-type:token-exchange", &["subject_token", "subject_token_type"]),
];

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
/// It stops when it is dropped.
pub struct MockIdentityProvider {
    server: Server,
    state: Arc<State>,
}

struct State {
    tokens: Tokens,
    inner: Mutex<Inner>,
}

struct Inner {
    grants: HashMap<String, Grant>,
    families: usize,
    refreshes: usize,
    rotates: bool,
    lifetime: Duration,
    client: Option<(String, String)>,
    next: VecDeque<Failure>,
    down: Option<Failure>,
    reused: usize,
    counts: HashMap<String, usize>,
}

struct Grant {
    family: usize,
    scopes: Vec<String>,
    used: bool,
}

impl MockIdentityProvider {
    /// A provider of its own, of the name `identity`, by the system's clock.
    ///
    /// # Errors
    /// If there is no port to listen on.
    pub async fn start() -> io::Result<Self> {
        Self::start_with(Tokens::new(), &Journal::new()).await
    }

    /// A provider of its own, whose tokens live by that clock: a [`ManualClock`](super::ManualClock), which a test moves past a
    /// lifetime.
    ///
    /// # Errors
    /// If there is no port to listen on.
    pub async fn start_by(clock: impl Clock) -> io::Result<Self> {
        Self::start_with(Tokens::by_clock(clock), &Journal::new()).await
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
            next: VecDeque::new(),
            down: None,
            reused: 0,
            counts: HashMap::new(),
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
        self.state.issue(&mut inner, family, scopes)
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
        self.state.lock().client = Some((id.to_owned(), secret.to_owned()));
    }

    /// The next request fails so, and if it is said again the one after that.
    pub fn fail_next(&self, failure: Failure) {
        self.state.lock().next.push_back(failure);
    }

    /// Every request fails so, until [`up`](Self::up).
    pub fn down(&self, failure: Failure) {
        self.state.lock().down = Some(failure);
    }

    /// Ends an outage.
    pub fn up(&self) {
        self.state.lock().down = None;
    }

    /// How many requests came to the token endpoint.
    #[must_use]
    pub fn token_requests(&self) -> usize {
        self.journal().exchanges().iter().filter(|exchanged| exchanged.request().path() == "/token").count()
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

fn error(status: u16, code: &str) -> Answer {
    Answer::new(status).as_json(format_args!("{{\"error\":\"{code}\"}}"))
}

impl Failure {
    /// What it makes of an answer.
    fn spoil(self, answer: impl FnOnce() -> Answer) -> Answer {
        match self {
            Self::InvalidGrant => error(400, "invalid_grant"),
            Self::InvalidClient => error(401, "invalid_client").header("www-authenticate", "Basic realm=\"identity\""),
            Self::TooManyRequests(seconds) => Answer::new(429).header("retry-after", seconds.to_string()),
            Self::ServerError => Answer::new(500).body("out of order"),
            Self::Hang(gate) => answer().held(&gate),
            Self::Garbage => Answer::ok("<html>who knows</html>").header("content-type", "text/html"),
            Self::Cut => Answer::cut(),
        }
    }
}

impl State {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn issue(&self, inner: &mut Inner, family: usize, scopes: Vec<String>) -> Issued {
        let access_token = self.tokens.issue_in(Some(family), scopes.clone(), Some(inner.lifetime));
        inner.refreshes += 1;
        let refresh_token = format!("mock-refresh-{:06}", inner.refreshes);
        inner.grants.insert(refresh_token.clone(), Grant { family, scopes, used: false });
        Issued { access_token, refresh_token }
    }

    /// A token request (RFC 6749 §4 to §6).
    fn token(&self, arrived: &Arrived) -> Answer {
        let mut inner = self.lock();
        if !inner.client.as_ref().is_none_or(|(id, secret)| is_client(arrived, id, secret)) {
            return Failure::InvalidClient.spoil(|| Answer::new(401));
        }
        let names: Vec<_> = url::form_urlencoded::parse(arrived.body()).map(|(name, _)| name.into_owned()).collect();
        let twice = names.iter().enumerate().any(|(number, name)| names[..number].contains(name));
        let Some(grant_type) = arrived.form("grant_type").filter(|_| !twice && is_form(arrived)) else {
            return error(400, "invalid_request");
        };
        let Some((_, wanted)) = GRANTS.iter().find(|(name, _)| *name == grant_type) else {
            return error(400, "unsupported_grant_type");
        };
        if wanted.iter().any(|name| arrived.form(name).is_none_or(|value| value.is_empty())) {
            return error(400, "invalid_request");
        }
        let asked: Option<Vec<String>> =
            arrived.form("scope").map(|scope| scope.split(' ').map(str::to_owned).collect());
        let token = arrived.form("refresh_token").unwrap_or_default();
        if let (Some(asked), Some(grant)) = (&asked, inner.grants.get(&token))
            && !asked.iter().all(|scope| grant.scopes.contains(scope) || grant.scopes.iter().any(|held| held == "*"))
        {
            return error(400, "invalid_scope");
        }
        let issued = if grant_type == "refresh_token" {
            match self.refresh(&mut inner, &token) {
                Some(issued) => issued,
                None => return error(400, "invalid_grant"),
            }
        } else {
            inner.families += 1;
            let family = inner.families;
            self.issue(&mut inner, family, asked.unwrap_or_else(|| vec!["*".to_owned()]))
        };
        *inner.counts.entry(grant_type.clone()).or_default() += 1;
        let refresh = match grant_type.as_str() {
            // RFC 6749 §4.4.3: no refresh token for a client of its own.
            "client_credentials" => String::new(),
            _ => format!(",\"refresh_token\":\"{}\"", issued.refresh_token),
        };
        Answer::json(format_args!(
            "{{\"access_token\":\"{}\",\"token_type\":\"Bearer\",\"expires_in\":{}{refresh}}}",
            issued.access_token,
            inner.lifetime.as_secs()
        ))
        .header("cache-control", "no-store")
    }

    fn refresh(&self, inner: &mut Inner, token: &str) -> Option<Issued> {
        let rotates = inner.rotates;
        let grant = inner.grants.get_mut(token)?;
        if grant.used {
            let family = grant.family;
            inner.reused += 1;
            inner.grants.values_mut().filter(|grant| grant.family == family).for_each(|grant| grant.used = true);
            self.tokens.revoke_family(family);
            return None;
        }
        grant.used = rotates;
        let (family, scopes) = (grant.family, grant.scopes.clone());
        let issued = self.issue(inner, family, scopes);
        if rotates {
            return Some(issued);
        }
        inner.grants.remove(&issued.refresh_token);
        Some(Issued { refresh_token: token.to_owned(), ..issued })
    }

    /// A revocation (RFC 7009): of a token that is not known too.
    fn revoke(&self, arrived: &Arrived) -> Answer {
        let mut inner = self.lock();
        if !inner.client.as_ref().is_none_or(|(id, secret)| is_client(arrived, id, secret)) {
            return Failure::InvalidClient.spoil(|| Answer::new(401));
        }
        let Some(token) = arrived.form("token").filter(|_| is_form(arrived)) else {
            return error(400, "invalid_request");
        };
        if let Some(family) = inner.grants.get_mut(&token).map(|grant| grant.family) {
            inner.grants.values_mut().filter(|grant| grant.family == family).for_each(|grant| grant.used = true);
            self.tokens.revoke_family(family);
        }
        self.tokens.revoke(&token);
        Answer::new(200)
    }
}

/// Whether the body says that it is a form (RFC 6749 §4.4.2).
fn is_form(arrived: &Arrived) -> bool {
    let media = arrived.header("content-type").unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim();
    media.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// Whether it is that client: by Basic, each part form-encoded, or in the body (RFC 6749 §2.3.1).
fn is_client(arrived: &Arrived, id: &str, secret: &str) -> bool {
    let decoded = |text: &str| {
        let pair = format!("x={text}");
        url::form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned())
    };
    let by_basic = basic(arrived).is_some_and(|pair| {
        pair.split_once(':').is_some_and(|(user, password)| {
            decoded(user).as_deref() == Some(id) && decoded(password).as_deref() == Some(secret)
        })
    });
    let in_body = (arrived.form("client_id"), arrived.form("client_secret"));
    by_basic || in_body == (Some(id.to_owned()), Some(secret.to_owned()))
}

impl Decide for State {
    fn answer(&self, arrived: &Arrived) -> Answer {
        let answer = || match (arrived.method(), arrived.path()) {
            (&Method::POST, "/token") => self.token(arrived),
            (&Method::POST, "/revoke") => self.revoke(arrived),
            (_, "/token" | "/revoke") => Answer::new(405).header("allow", "POST"),
            _ => Answer::new(404),
        };
        let failure = {
            let mut inner = self.lock();
            inner.next.pop_front().or_else(|| inner.down.clone())
        };
        failure.map_or_else(answer, |failure| failure.spoil(answer))
    }

    fn key(&self, _: &str) -> Option<HeaderName> {
        None
    }

    fn renews(&self, path: &str) -> bool {
        path == "/token"
    }
}
