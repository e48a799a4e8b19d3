//! A refresher that says what it is told to, and remembers what it was asked; and what a refresher is asked, made by hand.

use std::fmt;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use http::Method;
use http::header::{HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use url::Url;

use super::gate::Gate;
use super::journal::Journal;
use crate::challenge::Challenges;
use crate::credential::Credential;
use crate::origin::Origin;
use crate::refresh::{Cause, Occasion, Question, Refresh, RefreshError, Rejection, SlotKey, Surroundings};

type Outcome = Result<Option<Credential>, RefreshError>;
type Answers = dyn Fn(usize, &Rejection) -> Outcome + Send + Sync;

/// A refresher that says what it is told to, and remembers what it was asked. Clones are the same.
///
/// Unless it is told otherwise it gives the bearer tokens `t1`, `t2`, …
#[derive(Clone)]
pub struct RecordingRefresher {
    answers: Arc<Answers>,
    initial: Option<Outcome>,
    gate: Option<Gate>,
    timeout: Duration,
    seen: Arc<Mutex<Seen>>,
    journal: Option<Journal>,
}

#[derive(Default)]
struct Seen {
    rejections: Vec<Rejection>,
    initial: usize,
    forgotten: Vec<Option<Credential>>,
}

impl RecordingRefresher {
    /// Gives `t1`, `t2`, …
    #[must_use]
    pub fn new() -> Self {
        Self::answering(|number, _| Ok(Some(Credential::bearer(format!("t{number}")))))
    }

    /// Answers by the number of the call, from 1, and by what it is asked.
    #[must_use]
    pub fn answering(answers: impl Fn(usize, &Rejection) -> Outcome + Send + Sync + 'static) -> Self {
        Self {
            answers: Arc::new(answers),
            initial: None,
            gate: None,
            timeout: Duration::from_secs(30),
            seen: Arc::default(),
            journal: None,
        }
    }

    /// Fails each time.
    #[must_use]
    pub fn failing(error: RefreshError) -> Self {
        Self::answering(move |_, _| Err(error.clone()))
    }

    /// Declines each time.
    #[must_use]
    pub fn declining() -> Self {
        Self::answering(|_, _| Ok(None))
    }

    /// The same, with that to begin with.
    #[must_use]
    pub fn initially(mut self, initial: Outcome) -> Self {
        self.initial = Some(initial);
        self
    }

    /// The same, each of whose refreshes waits at that gate.
    #[must_use]
    pub fn held(mut self, gate: &Gate) -> Self {
        self.gate = Some(gate.clone());
        self
    }

    /// The same, which says that a refresh may take that long.
    #[must_use]
    pub fn within(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The same, whose refreshes stand in that journal.
    #[must_use]
    pub fn in_journal(mut self, journal: &Journal) -> Self {
        self.journal = Some(journal.clone());
        self
    }

    /// How often it was asked for a credential: calls that have begun.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.lock().rejections.len()
    }

    /// How often it was asked what there is to begin with.
    #[must_use]
    pub fn initial_calls(&self) -> usize {
        self.lock().initial
    }

    /// What it was asked, in order.
    #[must_use]
    pub fn rejections(&self) -> Vec<Rejection> {
        self.lock().rejections.clone()
    }

    /// Why it was asked, in order.
    #[must_use]
    pub fn causes(&self) -> Vec<Cause> {
        self.lock().rejections.iter().map(Rejection::cause).collect()
    }

    /// What it was told to forget, in order.
    #[must_use]
    pub fn forgotten(&self) -> Vec<Option<Credential>> {
        self.lock().forgotten.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for RecordingRefresher {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for RecordingRefresher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordingRefresher").field("calls", &self.calls()).finish_non_exhaustive()
    }
}

#[async_trait]
impl Refresh for RecordingRefresher {
    async fn refresh(&self, rejection: Rejection) -> Outcome {
        let number = {
            let mut seen = self.lock();
            seen.rejections.push(rejection.clone());
            seen.rejections.len()
        };
        if let Some(journal) = &self.journal {
            journal.refreshed(rejection.cause());
        }
        if let Some(gate) = &self.gate {
            gate.pass().await;
        }
        (self.answers)(number, &rejection)
    }

    async fn initial(&self) -> Outcome {
        self.lock().initial += 1;
        self.initial.clone().unwrap_or(Ok(None))
    }

    async fn forget(&self, credential: Option<Credential>) -> Result<(), RefreshError> {
        self.lock().forgotten.push(credential);
        Ok(())
    }

    fn timeout(&self) -> Duration {
        self.timeout
    }
}

/// What a refresher is asked, made by hand: to test a refresher alone.
///
/// ```
/// use reqwest_challenge::testing::RejectionBuilder;
///
/// let rejection = RejectionBuilder::new("https://api.example.com/reports")
///     .challenge("Bearer realm=\"a\", error=\"invalid_token\"")
///     .build();
/// assert_eq!(rejection.realm().as_deref(), Some("a"));
/// ```
pub struct RejectionBuilder {
    url: Url,
    method: Method,
    headers: HeaderMap,
    cause: Cause,
    credential: Option<Credential>,
}

impl RejectionBuilder {
    /// Of a GET of that URL, which a server answered with 401.
    ///
    /// # Panics
    /// If it is no URL by `http` or `https`.
    #[must_use]
    #[track_caller]
    pub fn new(url: &str) -> Self {
        let url = Url::parse(url).ok().filter(|url| Origin::of(url).is_some());
        let Some(url) = url else { panic!("it is no URL of an API: write `https://…`") };
        let (method, cause) = (Method::GET, Cause::Challenged);
        Self { url, method, headers: HeaderMap::new(), cause, credential: None }
    }

    /// With one line more of `WWW-Authenticate`.
    ///
    /// # Panics
    /// If it cannot stand in a header.
    #[must_use]
    #[track_caller]
    pub fn challenge(mut self, line: &str) -> Self {
        let Ok(line) = HeaderValue::from_bytes(line.as_bytes()) else { panic!("it cannot stand in a header") };
        self.headers.append(WWW_AUTHENTICATE, line);
        self
    }

    /// Of a request by that method.
    #[must_use]
    pub fn method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    /// For that reason.
    #[must_use]
    pub fn cause(mut self, cause: Cause) -> Self {
        self.cause = cause;
        self
    }

    /// With that credential, which was refused.
    #[must_use]
    pub fn credential(mut self, credential: Credential) -> Self {
        self.credential = Some(credential);
        self
    }

    /// The rejection. Somebody waits for its answer, and its HTTP client is a bare one of its own.
    ///
    /// # Panics
    /// Never: the URL was looked at.
    #[must_use]
    pub fn build(self) -> Rejection {
        let Some(origin) = Origin::of(&self.url) else { unreachable!("it was looked at") };
        let challenges = Challenges::from_headers(&self.headers);
        let demand = Question::of(&challenges, false).demand;
        let Self { url, method, cause, credential, .. } = self;
        let occasion = Arc::new(Occasion { method, url, challenges });
        let session: Arc<dyn Surroundings> = NOWHERE.clone();
        Rejection {
            cause,
            demand,
            occasion: Some(occasion),
            origin,
            refused: credential,
            surroundings: Arc::downgrade(&session),
            flight: 0,
            makes_way: None,
            slot: SlotKey::Main,
        }
    }
}

impl fmt::Debug for RejectionBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RejectionBuilder")
            .field("method", &self.method)
            .field("cause", &self.cause)
            .finish_non_exhaustive()
    }
}

/// In place of a session.
struct Nowhere;

static NOWHERE: LazyLock<Arc<Nowhere>> = LazyLock::new(|| Arc::new(Nowhere));

impl Surroundings for Nowhere {
    fn waiting(&self, _: u64) -> usize {
        1
    }

    fn http(&self) -> Result<reqwest::Client, RefreshError> {
        crate::refresh::bare_client()
    }
}
