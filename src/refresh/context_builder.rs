//! Builds contexts without a session, for tests of refreshers.

use std::fmt;
use std::sync::{Arc, OnceLock, Weak};
use std::time::SystemTime;

use http::Method;

use super::clock::Clock;
use super::context::{RefreshContext, RefusedRequest, RenewalLock};
use super::demand::Demand;
use super::question::Question;
use super::reason::RefreshReason;
use super::session_access::SessionAccess;
use crate::challenge::Challenges;
use crate::credential::{Credential, SlotKey};
use crate::origin::{Origin, OriginError};
use crate::util::ClockSkew;

/// Builds a [`RefreshContext`] without a session, to test a refresher.
///
/// ```
/// use reqwest_challenge::RefreshContext;
///
/// let context = RefreshContext::builder("https://api.example.com/reports")
///     .challenge("Bearer realm=\"a\", error=\"invalid_token\"")
///     .build()?;
/// assert_eq!(context.realm().as_deref(), Some("a"));
/// # Ok::<(), reqwest_challenge::OriginError>(())
/// ```
#[must_use]
pub struct RefreshContextBuilder {
    url: String,
    has_request: bool,
    method: Method,
    challenges: Vec<Vec<u8>>,
    reason: RefreshReason,
    credential: Option<Credential>,
    slot: SlotKey,
    clock: Option<Arc<dyn Clock>>,
    skew: Option<ClockSkew>,
    client: OnceLock<reqwest::Client>,
    awaited: bool,
    scopes: Option<Vec<String>>,
    renewal_lock: Option<Weak<dyn RenewalLock>>,
}

impl RefreshContext {
    /// Builds a context without a session, for a request to `url`. Used to test a refresher. A login and a logout have no
    /// request: see [`without_request`](RefreshContextBuilder::without_request).
    pub fn builder(url: impl AsRef<str>) -> RefreshContextBuilder {
        RefreshContextBuilder::new(url.as_ref())
    }
}

impl RefreshContextBuilder {
    /// A context for a GET of this URL, which a server answered with 401.
    pub(super) fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            has_request: true,
            method: Method::GET,
            challenges: Vec::new(),
            reason: RefreshReason::Challenged,
            credential: None,
            slot: SlotKey::Main,
            clock: None,
            skew: None,
            client: OnceLock::new(),
            awaited: true,
            scopes: None,
            renewal_lock: None,
        }
    }

    /// Adds a line of `WWW-Authenticate`.
    pub fn challenge(mut self, line: impl AsRef<[u8]>) -> Self {
        self.challenges.push(line.as_ref().to_vec());
        self
    }

    /// Sets the method of the request. The default is GET.
    pub fn method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    /// Builds a context in which no request was refused, as in a login or a logout. Its [`url`](RefreshContext::url) and
    /// [`method`](RefreshContext::method) are `None`, and it has no challenges, also if they are set. Its
    /// [`origin`](RefreshContext::origin) is that of the URL.
    ///
    /// ```
    /// use reqwest_challenge::{RefreshContext, RefreshReason};
    ///
    /// let login = RefreshContext::builder("https://api.example.com").reason(RefreshReason::Login).without_request().build()?;
    /// assert_eq!(login.url(), None);
    /// assert_eq!(login.origin().to_string(), "https://api.example.com");
    /// # Ok::<(), reqwest_challenge::OriginError>(())
    /// ```
    pub fn without_request(mut self) -> Self {
        self.has_request = false;
        self
    }

    /// Sets the reason. The default is [`RefreshReason::Challenged`].
    pub fn reason(mut self, reason: RefreshReason) -> Self {
        self.reason = reason;
        self
    }

    /// Sets the credential that was refused, has expired, or is to be forgotten.
    pub fn credential(mut self, credential: Credential) -> Self {
        self.credential = Some(credential);
        self
    }

    /// Sets the partition that the credential is for.
    pub fn partition(mut self, name: impl AsRef<str>) -> Self {
        self.slot = SlotKey::Partition(name.as_ref().into());
        self
    }

    /// Sets the resource that the credential is for, if it is not the first one of the server.
    pub fn resource(mut self, metadata_url: impl AsRef<str>) -> Self {
        self.slot = SlotKey::Resource(metadata_url.as_ref().into());
        self
    }

    /// Sets the clock. The default is the system's clock.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// Sets how far the server's clock is from the session's clock. By default they are equal.
    pub fn clock_skew(mut self, skew: ClockSkew) -> Self {
        self.skew = Some(skew);
        self
    }

    /// Sets the client for the refresher's own requests. By default one is built when the refresher first needs it.
    pub fn http_client(mut self, client: reqwest::Client) -> Self {
        self.client = OnceLock::from(client);
        self
    }

    /// Sets whether a caller waits for the result of the refresh. The default is `true`.
    pub fn awaited(mut self, awaited: bool) -> Self {
        self.awaited = awaited;
        self
    }

    /// Sets the [scopes of the demand](crate::Demand::scopes), such as those of a [step-up](RefreshReason::StepUp). By
    /// default, the demand is what the [challenges](Self::challenge) demand.
    ///
    /// ```
    /// use reqwest_challenge::{RefreshContext, RefreshReason};
    ///
    /// let context = RefreshContext::builder("https://api.example.com/reports")
    ///     .reason(RefreshReason::StepUp)
    ///     .scopes(["read", "write"])
    ///     .build()?;
    /// assert_eq!(context.demand().scopes(), ["read", "write"]);
    /// # Ok::<(), reqwest_challenge::OriginError>(())
    /// ```
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes = Some(scopes.into_iter().map(Into::into).collect());
        self
    }

    /// Sets the lock that a decorator holds during the refresh, as
    /// [`with_renewal_lock`](RefreshContext::with_renewal_lock) does. The context holds a weak reference: the caller keeps
    /// the lock.
    pub fn renewal_lock<L: RenewalLock>(mut self, lock: &Arc<L>) -> Self {
        let lock: Weak<dyn RenewalLock> = Arc::<L>::downgrade(lock);
        self.renewal_lock = Some(lock);
        self
    }

    /// Builds the context.
    ///
    /// # Errors
    /// [`OriginError`] if the URL cannot be parsed, or is not `http` or `https`.
    pub fn build(self) -> Result<RefreshContext, OriginError> {
        let (url, origin) = Origin::parse_url(&self.url)?;
        let lines = if self.has_request { self.challenges } else { Vec::new() };
        let challenges = Challenges::parse_lines(&lines);
        let demand = Question::of(&challenges, matches!(self.slot, SlotKey::Partition(_))).demand;
        let demand = self.scopes.into_iter().fold(demand, Demand::with_scopes);
        let request = RefusedRequest { method: self.method, url, challenges };
        Ok(RefreshContext {
            reason: self.reason,
            demand,
            request: self.has_request.then(|| Arc::new(request)),
            origin,
            credential: self.credential,
            session: SessionAccess::None { awaited: self.awaited, skew: self.skew, client: Arc::new(self.client) },
            clock: self.clock.unwrap_or_else(|| Arc::new(SystemTime::now)),
            slot: self.slot,
            renewal_lock: self.renewal_lock,
        })
    }
}

impl fmt::Debug for RefreshContextBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshContextBuilder")
            .field("method", &self.method)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}
