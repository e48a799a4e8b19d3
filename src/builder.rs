//! How a middleware is set up.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;

use crate::credential::{Credential, CredentialError};
use crate::middleware::ChallengeMiddleware;
use crate::origin::{Origin, OriginError};
use crate::refresh::{Bounds, Clock, Core, Refresh, RefreshError, Rejection};
use crate::settings::Settings;

/// Sets up a [`ChallengeMiddleware`].
#[must_use]
pub struct Builder {
    origins: Vec<String>,
    refresher: Arc<dyn Refresh>,
    initially: Option<Credential>,
    plaintext: bool,
    http: Option<reqwest::Client>,
    clock: Option<Arc<dyn Clock>>,
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
            bounds: Bounds {
                skew: Duration::from_secs(30),
                back_off: Duration::from_secs(1),
                cool_down: Duration::from_secs(30),
            },
            settings: Settings { body_bytes: 64 << 10, body_time: Duration::from_secs(1) },
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

    /// The client that refreshers get for their own calls, with its proxy and its certificates. It should follow no
    /// redirects: a 307 sends a token request's body to another server.
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
    /// must be read for the connection to be used again.
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.settings.body_bytes = bytes;
        self
    }

    /// How long a refusal's body is read: 1 s by default. A replay waits no longer for a body that does not end.
    pub fn body_timeout(mut self, span: Duration) -> Self {
        self.settings.body_time = span;
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
        let refresher: Arc<dyn Refresh> = match self.initially {
            Some(credential) => {
                credential.check().map_err(|error| BuildError(Kind::Credential(error)))?;
                Arc::new(Initially { credential, refresher: self.refresher })
            }
            None => self.refresher,
        };
        let clock = self.clock.unwrap_or_else(|| Arc::new(SystemTime::now));
        let core = Core::new(refresher, origins[0].clone(), self.bounds, clock, self.http);
        Ok(ChallengeMiddleware::of(core, origins, self.settings))
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

/// A refresher with a credential to begin with.
struct Initially {
    credential: Credential,
    refresher: Arc<dyn Refresh>,
}

#[async_trait]
impl Refresh for Initially {
    async fn refresh(&self, rejection: Rejection) -> Result<Option<Credential>, RefreshError> {
        self.refresher.refresh(rejection).await
    }

    async fn initial(&self) -> Result<Option<Credential>, RefreshError> {
        Ok(Some(self.credential.clone()))
    }

    async fn forget(&self, credential: Option<Credential>) -> Result<(), RefreshError> {
        self.refresher.forget(credential).await
    }

    fn timeout(&self) -> Duration {
        self.refresher.timeout()
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
