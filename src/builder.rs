//! How a middleware is set up.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::credential::{Credential, CredentialError};
use crate::error::{Forbidden, Problem, RawRefusal};
use crate::event::{Event, Listeners};
use crate::linting::Told;
use crate::middleware::ChallengeMiddleware;
use crate::origin::{Origin, OriginError};
use crate::refresh::{Bounds, Clock, Core, Refresh};
use crate::repeats::Repeats;
use crate::resources::Resources;
use crate::settings::{Settings, Shared};
use crate::within::clamped;
use crate::worked::Worked;

/// Sets up a [`ChallengeMiddleware`].
#[must_use]
pub struct Builder {
    origins: Vec<String>,
    refresher: Arc<dyn Refresh>,
    initially: Option<Credential>,
    plaintext: bool,
    http: Option<reqwest::Client>,
    clock: Option<Arc<dyn Clock>>,
    listeners: Listeners,
    bounds: Bounds,
    settings: Settings,
}

impl Builder {
    pub(crate) fn new(origin: &str, refresher: impl Refresh) -> Self {
        Self {
            origins: vec![origin.to_owned()],
            refresher: Arc::new(refresher),
            initially: None,
            plaintext: false,
            http: None,
            clock: None,
            listeners: Listeners::default(),
            bounds: Bounds {
                skew: Duration::from_secs(30),
                ahead: None,
                back_off: Duration::from_secs(1),
                cool_down: Duration::from_secs(30),
                refresh: None,
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

    /// One more origin of the same protection space: the same credential is good there.
    pub fn origin(mut self, origin: impl Into<String>) -> Self {
        self.origins.push(origin.into());
        self
    }

    /// What is sent from the first request on, in place of what the refresher has to begin with.
    pub fn initially(mut self, credential: Credential) -> Self {
        self.initially = Some(credential);
        self
    }

    /// The client that refreshers get for their own calls, with its proxy and its certificates. Build it with
    /// `redirect(Policy::none())`: otherwise a 307 can send a secret that a caller's refresher posts to another server.
    /// The refreshers of this crate forward no secret and accept no response from a second server, whatever the
    /// client's policy is.
    ///
    /// Not given, one is built when it is first asked for: bare, without redirects, cookies and referer.
    pub fn http(mut self, client: reqwest::Client) -> Self {
        self.http = Some(client);
        self
    }

    /// What time it is, for tests: the system's time by default.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// How much of a refusal's body is read: 64 KiB by default, which holds every error that people write, and so much
    /// must be read for the connection to be used again. Of a 401 that a refresh is tried for, 4 KiB are kept.
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.settings.body_bytes = bytes;
        self
    }

    /// How long a refusal's body is read: 1 s by default. A replay waits no longer for a body that does not end.
    pub fn body_timeout(mut self, span: Duration) -> Self {
        self.settings.body_time = clamped(span);
        self
    }

    /// The schemes that this client answers, in any case. A 401 with challenges of others alone is declined, and nobody is
    /// asked. Not set, every 401 asks the refresher, which sees the challenges and can decline by itself.
    pub fn schemes<S: Into<String>>(mut self, schemes: impl IntoIterator<Item = S>) -> Self {
        self.settings.schemes = Some(schemes.into_iter().map(Into::into).collect());
        self
    }

    /// Declines a 401 without a challenge, or with challenges that RFC 9110's grammar does not allow. Off by default: both are
    /// common, and a client that gives up on them helps nobody; contract tests want it.
    pub fn strict(mut self) -> Self {
        self.settings.strict = true;
        self
    }

    /// Asks the refresher before a request is sent whose body is a stream, if there is no credential yet: such a request
    /// cannot be sent twice. Off by default: nobody is asked who was not refused.
    pub fn eager(mut self) -> Self {
        self.settings.eager = true;
        self
    }

    /// Says which requests have a credential of their own, by a name for each such set: two of different names have a refresh each,
    /// one after the other. Off by default: nearly every API has one credential for all. A container registry has one for each
    /// repository.
    pub fn partitioned_by(
        mut self,
        partition: impl Fn(&http::Method, &reqwest::Url) -> String + Send + Sync + 'static,
    ) -> Self {
        self.settings.partition = Some(Arc::new(partition));
        self
    }

    /// Gives a last 401 and every 403 as a response, with its [`Challenges`](crate::Challenges) and its
    /// [`AuthReport`](crate::AuthReport) in its extensions. Off by default: an unchecked response is an unseen error.
    pub fn pass_through(mut self) -> Self {
        self.settings.pass_through = true;
        self
    }

    /// Sends again what is safe alone (RFC 9110 §9.2.1: GET, HEAD, OPTIONS, TRACE). Off by default: a server that answers 401
    /// has done nothing.
    pub fn safe_methods_only(mut self) -> Self {
        self.settings.safe_methods_only = true;
        self
    }

    /// Says which 403 means an expired credential, for servers that say 403 for that. The call ends with its `Forbidden` all
    /// the same; the credential is marked, and the next call renews it first.
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
    /// An API that sends its error code in a header field.
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

    /// How long before its expiry a credential is renewed: 30 s by default, which covers a slow request and a clock that is a
    /// little off; at most a tenth of its lifetime. One that lives for less than this is sent until a 401.
    pub fn skew(mut self, span: Duration) -> Self {
        self.bounds.skew = clamped(span);
        self
    }

    /// Renews in the background, at the first request in that span before the renewal is due, at a moment that is drawn by
    /// chance so that a fleet does not ask at once. Off by default: nothing runs that nobody waits for.
    pub fn renew_ahead(mut self, span: Duration) -> Self {
        self.bounds.ahead = Some(clamped(span));
        self
    }

    /// How long a refresh may take, in place of what the refresher says.
    pub fn refresh_timeout(mut self, span: Duration) -> Self {
        self.bounds.refresh = Some(clamped(span));
        self
    }

    /// How long a passing failure is answered from memory if the server does not say: 1 s by default, so that a thousand
    /// callers do not ask a token endpoint that is down a thousand times a second.
    pub fn back_off(mut self, span: Duration) -> Self {
        self.bounds.back_off = clamped(span);
        self
    }

    /// How long a final failure is answered from memory: 30 s by default; a login ends it. It is never for ever: somebody may
    /// mend it elsewhere.
    pub fn cool_down(mut self, span: Duration) -> Self {
        self.bounds.cool_down = clamped(span);
        self
    }

    /// How long a path that refused a fresh credential is taken at its word: 1 s by default, doubled each time up to 60 s,
    /// ended by a success there. Until then a 401 there refreshes nothing.
    pub fn repeat_rest(mut self, span: Duration) -> Self {
        self.settings.repeat_rest = clamped(span);
        self
    }

    /// Hears of what happens: an audit without `tracing`. It is called on the way of the request, so it should be quick.
    pub fn on_event(mut self, hear: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.listeners = Listeners(Some(Arc::new(hear)));
        self
    }

    /// Lets the credential go to an origin by plain `http` that is not this machine: everybody on the way reads it.
    pub fn dangerous_allow_plaintext(mut self) -> Self {
        self.plaintext = true;
        self
    }

    /// The middleware.
    ///
    /// # Errors
    /// [`BuildError`]: an origin that is none; an origin by plain `http` that is not this machine; a credential that cannot
    /// be put on a request.
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
        let core = Core::new(
            (self.refresher, self.initially),
            origins.clone().into(),
            self.bounds,
            clock,
            self.http,
            self.listeners,
        );
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
