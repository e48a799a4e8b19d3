//! How a middleware is set up.

use crate::refresh::Clock;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::middleware::ChallengeMiddleware;
use crate::call::Repeats;
use crate::call::Resources;
use crate::call::Told;
use crate::call::Worked;
use crate::call::{Settings, Shared};
use crate::credential::{Credential, CredentialError};
use crate::error::{Forbidden, Problem, RawRefusal};
use crate::origin::{Origin, OriginError};
use crate::refresh::Refresh;
use crate::session::{Event, Listeners, SessionConfig, SessionCore, Timing};
use crate::util::clamped;

/// Sets up a [`ChallengeMiddleware`].
#[must_use]
pub struct Builder {
    origins: Vec<String>,
    refresher: Arc<dyn Refresh>,
    initially: Option<Credential>,
    plaintext: bool,
    refresh_client: Option<reqwest::Client>,
    clock: Option<Arc<dyn Clock>>,
    listeners: Listeners,
    bounds: Timing,
    settings: Settings,
}

impl ChallengeMiddleware {
    /// A middleware for one origin, with every default.
    ///
    /// # Errors
    /// [`BuildError`]: text that is no origin, or an origin by plain `http` that is not this machine; a fixed
    /// [`Credential`](crate::Credential) that cannot be put on a request is found when it is first sent.
    pub fn new(origin: impl AsRef<str>, refresher: impl Refresh) -> Result<Self, BuildError> {
        Self::builder(origin, refresher).build()
    }

    /// A middleware to set up.
    pub fn builder(origin: impl AsRef<str>, refresher: impl Refresh) -> Builder {
        Builder::new(origin.as_ref(), refresher)
    }
}

impl Builder {
    pub(crate) fn new(origin: &str, refresher: impl Refresh) -> Self {
        Self {
            origins: vec![origin.to_owned()],
            refresher: Arc::new(refresher),
            initially: None,
            plaintext: false,
            refresh_client: None,
            clock: None,
            listeners: Listeners::default(),
            bounds: Timing {
                expiry_margin: Duration::from_secs(30),
                background_span: None,
                transient_backoff: Duration::from_secs(1),
                failure_cooldown: Duration::from_secs(30),
                refresh_timeout: None,
            },
            settings: Settings {
                body_bytes: 64 << 10,
                body_time: Duration::from_secs(1),
                schemes: None,
                strict: false,
                eager: false,
                partition: None,
                pass_through: false,
                safe_methods_only: false,
                expired_when: None,
                read_refusals: None,
                repeat_rest: Duration::from_secs(1),
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
        self.initially = Some(credential);
        self
    }

    /// The client that refreshers get for their own calls, with its proxy and its certificates. Build it with
    /// `redirect(Policy::none())`: otherwise a 307 can send a secret that a caller's refresher posts to another server.
    /// The refreshers of this crate forward no secret and accept no response from a second server, whatever the
    /// client's policy is.
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

    /// Sets how much of a refusal's body is read. The default is 64 KiB: more than the errors of APIs need, and a body must be
    /// read to its end before its connection can be used again. Of a 401 that starts a refresh, 4 KiB are kept.
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.settings.body_bytes = bytes;
        self
    }

    /// Sets how long a refusal's body is read. The default is 1 s. A replay waits no longer for a body that does not end.
    pub fn body_timeout(mut self, span: Duration) -> Self {
        self.settings.body_time = clamped(span);
        self
    }

    /// Sets the schemes that this client answers, in any case. A 401 with challenges of other schemes only is declined without
    /// asking the refresher. If no schemes are set, every 401 asks the refresher, which sees the challenges and can decline.
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
        self.settings.eager = true;
        self
    }

    /// Says which requests have a credential of their own, by a name for each such set: two of different names have a refresh each,
    /// side by side. Off by default: nearly every API has one credential for all. A container registry has one for each
    /// repository.
    pub fn partition_by(
        mut self,
        partition: impl Fn(&http::Method, &reqwest::Url) -> String + Send + Sync + 'static,
    ) -> Self {
        self.settings.partition = Some(Arc::new(partition));
        self
    }

    /// Returns a final 401 and every 403 as a response, with its [`Challenges`](crate::Challenges) and its
    /// [`AuthReport`](crate::AuthReport) in the extensions. Off by default, because a caller can forget to check a status.
    /// [`expired_when`](Self::expired_when) is applied all the same.
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
    /// that is slightly wrong; it is at most a tenth of the lifetime. A credential that lives for less than this is sent until
    /// a 401.
    pub fn expiry_margin(mut self, span: Duration) -> Self {
        self.bounds.expiry_margin = clamped(span);
        self
    }

    /// Renews in the background, up to that long before the renewal is due. The first request after a random moment in that
    /// time starts it, so that many clients do not ask at once. If it fails, the failure is remembered and the held credential
    /// is sent. Off by default, so that no task runs for which no caller waits.
    pub fn renew_ahead(mut self, span: Duration) -> Self {
        self.bounds.background_span = Some(clamped(span));
        self
    }

    /// Sets how long a refresh may take, instead of [`Refresh::timeout`].
    pub fn refresh_timeout(mut self, span: Duration) -> Self {
        self.bounds.refresh_timeout = Some(clamped(span));
        self
    }

    /// Sets how long a temporary failure is answered from memory if the server does not say. The default is 1 s, so that a
    /// thousand callers do not ask a token endpoint that is down a thousand times a second.
    pub fn transient_backoff(mut self, span: Duration) -> Self {
        self.bounds.transient_backoff = clamped(span);
        self
    }

    /// Sets how long a final failure is answered from memory. The default is 30 s. A login ends it. It always ends, because the
    /// cause may be repaired elsewhere.
    pub fn failure_cooldown(mut self, span: Duration) -> Self {
        self.bounds.failure_cooldown = clamped(span);
        self
    }

    /// Sets how long a path rests that refused a fresh credential. The default is 1 s, doubled each time up to 60 s; a success
    /// on the path ends it. Until then a 401 on that path starts no refresh; a newer credential that is already held is used.
    ///
    /// Besides, each session has a budget that cannot be set. If the server refuses three new credentials in a row and accepts
    /// none in between, no refresh starts for 30 s, doubled each time up to 5 minutes, whatever the path: the error has
    /// [`UnauthorizedReason::BudgetExhausted`](crate::UnauthorizedReason::BudgetExhausted). An accepted credential, a login and
    /// [`Session::invalidate`](crate::Session::invalidate) end that. Each partition has its own three; 32 in a row over all
    /// partitions stop all of them.
    pub fn rejection_cooldown(mut self, span: Duration) -> Self {
        self.settings.repeat_rest = clamped(span);
        self
    }

    /// Sets a function that is called with each [`Event`], for an audit without `tracing`. It runs on the task of the request,
    /// so it should return quickly.
    pub fn on_event(mut self, hear: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.listeners = Listeners(Some(Arc::new(hear)));
        self
    }

    /// Allows sending the credential by plain `http` to an origin that is not on this machine. Everyone on the network path can
    /// read it.
    pub fn dangerous_allow_plaintext(mut self) -> Self {
        self.plaintext = true;
        self
    }

    /// Builds the middleware.
    ///
    /// # Errors
    /// Returns [`BuildError`] for a text that is no origin, for an origin by plain `http` that is not on this machine, and for a
    /// credential that cannot be put on a request.
    pub fn build(self) -> Result<ChallengeMiddleware, BuildError> {
        let mut origins = Vec::new();
        for text in &self.origins {
            let origin = Origin::new(text).map_err(|error| BuildError(Kind::Origin(error)))?;
            if !origin.is_https() && !origin.is_loopback() && !self.plaintext {
                return Err(BuildError(Kind::Plaintext(origin)));
            }
            origins.push(origin);
        }
        if let Some(credential) = &self.initially {
            credential.check().map_err(|error| BuildError(Kind::Credential(error)))?;
        }
        let clock = self.clock.unwrap_or_else(|| Arc::new(SystemTime::now));
        let core = SessionCore::new(SessionConfig {
            refresher: self.refresher,
            initial_credential: self.initially,
            origins: origins.clone().into(),
            timing: self.bounds,
            clock,
            refresh_client: self.refresh_client,
            listeners: self.listeners,
        });
        let shared = Shared {
            session: core,
            origins: origins.into(),
            settings: self.settings,
            repeats: Repeats::default(),
            resources: Resources::default(),
            worked: Worked::default(),
            told: Told::default(),
        };
        Ok(ChallengeMiddleware::of(shared))
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An origin that is none may have had a password in it.
        f.debug_struct("Builder")
            .field("initially", &self.initially)
            .field("bounds", &self.bounds)
            .finish_non_exhaustive()
    }
}

/// Why a middleware could not be built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildError(Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Origin(OriginError),
    Plaintext(Origin),
    Credential(CredentialError),
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Origin(error) => error.fmt(f),
            Kind::Plaintext(origin) => write!(
                f,
                "a credential would be readable on the way to {origin}: write https, or say `dangerous_allow_plaintext()`"
            ),
            Kind::Credential(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for BuildError {}
