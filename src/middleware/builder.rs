//! The settings of a middleware.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::build_error::{BuildError, Cause};
use super::middleware::ChallengeMiddleware;
use crate::call::{Settings, Shared};
use crate::credential::Credential;
use crate::error::{Forbidden, Problem, RawRefusal};
use crate::origin::Origin;
use crate::refresh::{Clock, Refresh};
use crate::session::{Event, Listeners, SessionConfig, SessionCore, Timing};
use crate::util::clamped;

/// Builds a [`ChallengeMiddleware`]. Each setting has a default.
#[derive(Clone)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct Builder {
    origins: Vec<String>,
    refresher: Arc<dyn Refresh>,
    initial_credential: Option<Credential>,
    is_plaintext_allowed: bool,
    refresh_client: Option<reqwest::Client>,
    clock: Option<Arc<dyn Clock>>,
    listeners: Listeners,
    timing: Timing,
    settings: Settings,
}

impl ChallengeMiddleware {
    /// Builds a middleware for one origin, with the defaults of all settings.
    ///
    /// # Errors
    /// Returns [`BuildError`] if the text is not an origin, or if the origin is plain `http` and not on this machine. If the
    /// refresher is a [`Credential`] that cannot be put on a request, the first call returns the error.
    pub fn new(origin: impl AsRef<str>, refresher: impl Refresh) -> Result<Self, BuildError> {
        Self::builder(origin, refresher).build()
    }

    /// Returns a builder for a middleware of this origin.
    pub fn builder(origin: impl AsRef<str>, refresher: impl Refresh) -> Builder {
        Builder::new(origin.as_ref(), refresher)
    }
}

impl Builder {
    pub(crate) fn new(origin: &str, refresher: impl Refresh) -> Self {
        Self {
            origins: vec![origin.to_owned()],
            refresher: Arc::new(refresher),
            initial_credential: None,
            is_plaintext_allowed: false,
            refresh_client: None,
            clock: None,
            listeners: Listeners::default(),
            timing: Timing {
                expiry_margin: Duration::from_secs(30),
                background_span: None,
                transient_backoff: Duration::from_secs(1),
                failure_cooldown: Duration::from_secs(30),
                refresh_timeout: None,
            },
            settings: Settings {
                body_limit: 64 << 10,
                body_timeout: Duration::from_secs(1),
                schemes: None,
                strict: false,
                refresh_before_streams: false,
                partition_by: None,
                pass_through: false,
                safe_methods_only: false,
                expired_when: None,
                read_refusals: None,
                rejection_cooldown: Duration::from_secs(1),
            },
        }
    }

    /// Adds an origin of the same protection space. The same credential is sent there.
    pub fn origin(mut self, origin: impl AsRef<str>) -> Self {
        self.origins.push(origin.as_ref().to_owned());
        self
    }

    /// Sets the credential that is sent from the first request on, instead of the refresher's initial one.
    pub fn initial_credential(mut self, credential: Credential) -> Self {
        self.initial_credential = Some(credential);
        self
    }

    /// Sets the client that refreshers get for their own calls, with its proxy and its certificates. Build it with
    /// `redirect(Policy::none())`. Otherwise, if a server answers a refresher's POST with a 307, the client sends the
    /// secret in that POST to another server.
    ///
    /// If no client is set, one without redirects, cookies and `Referer` is built when a refresher first asks for it.
    pub fn refresh_client(mut self, client: reqwest::Client) -> Self {
        self.refresh_client = Some(client);
        self
    }

    /// Sets the clock, for tests. The default is the system's clock.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// Sets how many bytes of a refusal's body are read. The default is 64 KiB. The errors of APIs are
    /// shorter, but a body must be read to its end before its connection can be used again. Of the body of a 401 that
    /// starts a refresh, 4 KiB are kept.
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.settings.body_limit = bytes;
        self
    }

    /// Sets how long a refusal's body is read. The default is 1 s. A second send waits no longer than this for a body that
    /// does not end.
    pub fn body_timeout(mut self, span: Duration) -> Self {
        self.settings.body_timeout = clamped(span);
        self
    }

    /// Sets the schemes that this client answers. The case of their names does not matter. If a 401 has only challenges
    /// of other schemes, it is declined and the refresher is not asked. If no schemes are set, the refresher is asked
    /// after every 401. It sees the challenges and can decline.
    pub fn schemes<S: Into<String>>(mut self, schemes: impl IntoIterator<Item = S>) -> Self {
        self.settings.schemes = Some(schemes.into_iter().map(Into::into).collect());
        self
    }

    /// Declines a 401 without a challenge, or with challenges that RFC 9110's grammar does not allow. Off by default, because
    /// both are common. Useful for contract tests.
    pub fn strict(mut self) -> Self {
        self.settings.strict = true;
        self
    }

    /// Asks the refresher before a request with a stream as its body is sent, if there is no credential yet: such a request
    /// cannot be sent twice. Off by default, so that the refresher is not asked before the server has refused something.
    pub fn refresh_before_streams(mut self) -> Self {
        self.settings.refresh_before_streams = true;
        self
    }

    /// Sets a function that names the partition of each request. Each partition has its own credential and its own refresh.
    /// Off by default, because nearly every API has one credential for all requests. A container registry has one for each
    /// repository.
    pub fn partition_by(
        mut self,
        partition: impl Fn(&http::Method, &reqwest::Url) -> String + Send + Sync + 'static,
    ) -> Self {
        self.settings.partition_by = Some(Arc::new(partition));
        self
    }

    /// Returns a final 401 and every 403 as a response, with its [`Challenges`](crate::Challenges) and its
    /// [`AuthReport`](crate::AuthReport) in the extensions. Off by default, because a caller can forget to check a status.
    /// [`expired_when`](Self::expired_when) is still applied.
    pub fn pass_through(mut self) -> Self {
        self.settings.pass_through = true;
        self
    }

    /// Sends only requests with a safe method again (RFC 9110 §9.2.1: GET, HEAD, OPTIONS, TRACE). Off by default: a server that
    /// responds with 401 has not processed the request.
    pub fn safe_methods_only(mut self) -> Self {
        self.settings.safe_methods_only = true;
        self
    }

    /// Sets which 403 means an expired credential, for servers that respond with 403 in that case. The call still ends with
    /// `Forbidden`. The credential is marked as invalid, and the next call renews it first.
    pub fn expired_when(mut self, means_expired: impl Fn(&Forbidden) -> bool + Send + Sync + 'static) -> Self {
        self.settings.expired_when = Some(Arc::new(means_expired));
        self
    }

    /// Sets a function that reads refusals before this crate does. If it returns a [`Problem`], that is what the
    /// refusal says, and it takes precedence over the challenges. If it returns `None`, this crate reads the refusal.
    /// [`RawRefusal::problem`] returns what this crate reads, as a starting point.
    ///
    /// ```
    /// # use reqwest_challenge::{ChallengeMiddleware, Credential};
    /// // An API that sends its error code in a header field.
    /// let auth = ChallengeMiddleware::builder("https://api.example.com", Credential::bearer("token"))
    ///     .read_refusals(|refusal| {
    ///         let code = refusal.headers().get("x-acme-code")?.to_str().ok()?;
    ///         let mut problem = refusal.problem();
    ///         problem.code = Some(code.to_owned());
    ///         Some(problem)
    ///     })
    ///     .build()?;
    /// # Ok::<(), reqwest_challenge::BuildError>(())
    /// ```
    pub fn read_refusals(mut self, read: impl Fn(&RawRefusal<'_>) -> Option<Problem> + Send + Sync + 'static) -> Self {
        self.settings.read_refusals = Some(Arc::new(read));
        self
    }

    /// Sets how long before its expiry a credential is renewed. The default is 30 s, which covers a slow request and a clock
    /// that is slightly wrong. The margin is at most a tenth of the lifetime. A credential whose lifetime is shorter than
    /// this is sent until the server refuses it.
    pub fn expiry_margin(mut self, span: Duration) -> Self {
        self.timing.expiry_margin = clamped(span);
        self
    }

    /// Renews in the background, up to that long before the renewal is due. The first request after a random moment in that
    /// time starts it, so that many clients do not ask at once. If it fails, the failure is remembered and the held credential
    /// is sent. Off by default, so that no task runs for which no caller waits.
    pub fn renew_ahead(mut self, span: Duration) -> Self {
        self.timing.background_span = Some(clamped(span));
        self
    }

    /// Sets how long a refresh may take, instead of [`Refresh::timeout`].
    pub fn refresh_timeout(mut self, span: Duration) -> Self {
        self.timing.refresh_timeout = Some(clamped(span));
        self
    }

    /// Sets how long a temporary failure of a refresh is remembered, if the server does not name a time. During that time
    /// calls get the same error and no refresh starts. The default is 1 s, so that a thousand callers do not ask a token
    /// endpoint that is down a thousand times.
    pub fn transient_backoff(mut self, span: Duration) -> Self {
        self.timing.transient_backoff = clamped(span);
        self
    }

    /// Sets how long a final failure of a refresh is remembered. During that time calls get the same error and no refresh
    /// starts. The default is 30 s. A login ends it. It always ends, because the cause may be repaired elsewhere.
    pub fn failure_cooldown(mut self, span: Duration) -> Self {
        self.timing.failure_cooldown = clamped(span);
        self
    }

    /// Sets the first cooldown of a path that rejects a fresh credential. The default is 1 s. It doubles with each further
    /// rejection, up to 60 s, and a success on the path ends it. During the cooldown a 401 on that path starts no refresh. A
    /// newer credential that is already held is used.
    ///
    /// In addition, each session has a budget of refreshes, which has no setting. If the server refuses three new credentials
    /// in a row, no refresh starts for 30 s, on any path. The error then has
    /// [`UnauthorizedReason::BudgetExhausted`](crate::UnauthorizedReason::BudgetExhausted). The time doubles with each
    /// repetition, up to 5 minutes. An accepted credential, a login and
    /// [`Session::invalidate`](crate::Session::invalidate) end it. Each partition has its own budget. If the server refuses 32
    /// new credentials in a row over all partitions, no partition starts a refresh.
    pub fn rejection_cooldown(mut self, span: Duration) -> Self {
        self.settings.rejection_cooldown = clamped(span);
        self
    }

    /// Sets a function that is called with each [`Event`], for an audit without `tracing`. It runs on the task of the request
    /// or of the refresh, so it should return quickly.
    pub fn on_event(mut self, listener: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.listeners = Listeners(Some(Arc::new(listener)));
        self
    }

    /// Allows origins with plain `http` that are not on this machine. Every system on the network path can then read the
    /// credential.
    pub fn dangerous_allow_plaintext(mut self) -> Self {
        self.is_plaintext_allowed = true;
        self
    }

    /// Builds the middleware.
    ///
    /// # Errors
    /// Returns [`BuildError`] if a text is not an origin, if an origin is plain `http` and not on this machine, or if the
    /// initial credential cannot be put on a request.
    pub fn build(self) -> Result<ChallengeMiddleware, BuildError> {
        let mut origins = Vec::new();
        for text in &self.origins {
            let origin = Origin::new(text).map_err(Cause::Origin)?;
            if !origin.is_https() && !origin.is_loopback() && !self.is_plaintext_allowed {
                return Err(Cause::Plaintext(origin).into());
            }
            origins.push(origin);
        }
        if let Some(credential) = &self.initial_credential {
            credential.check().map_err(Cause::Credential)?;
        }
        let clock = self.clock.unwrap_or_else(|| Arc::new(SystemTime::now));
        let session = SessionCore::new(SessionConfig {
            refresher: self.refresher,
            initial_credential: self.initial_credential,
            origins: origins.clone().into(),
            timing: self.timing,
            clock,
            refresh_client: self.refresh_client,
            listeners: self.listeners,
        });
        Ok(ChallengeMiddleware::of(Shared::new(session, origins.into(), self.settings)))
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A text that is not an origin may contain a password, so the origins are left out.
        f.debug_struct("Builder")
            .field("initial_credential", &self.initial_credential)
            .field("timing", &self.timing)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
