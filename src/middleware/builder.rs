//! The settings of a middleware.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::build_error::{BuildError, Cause};
use super::middleware::ChallengeMiddleware;
use crate::call::{Settings, Shared};
use crate::credential::Credential;
use crate::origin::{Origin, Origins};
use crate::refresh::{Clock, Refresh};
use crate::session::{Listeners, SessionConfig, SessionCore, Timing};

/// Builds a [`ChallengeMiddleware`]. Each setting has a default.
#[derive(Clone)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct Builder {
    pub(super) origins: Vec<String>,
    pub(super) refresher: Arc<dyn Refresh>,
    pub(super) initial_credential: Option<Credential>,
    pub(super) is_plaintext_allowed: bool,
    pub(super) refresh_client: Option<reqwest::Client>,
    pub(super) clock: Option<Arc<dyn Clock>>,
    pub(super) reads_dates: bool,
    pub(super) listeners: Listeners,
    pub(super) timing: Timing,
    pub(super) settings: Settings,
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
            reads_dates: true,
            listeners: Listeners::default(),
            timing: Timing {
                expiry_margin: Duration::from_secs(30),
                background_span: None,
                transient_backoff: Duration::from_secs(1),
                failure_cooldown: Duration::from_secs(30),
                max_slots: 256,
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
                verdicts: None,
                login_first: false,
                read_refusals: None,
                rejection_cooldown: Duration::from_secs(1),
            },
        }
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
        let origins = Origins::from(origins);
        let clock = self.clock.unwrap_or_else(|| Arc::new(SystemTime::now));
        let session = SessionCore::new(SessionConfig {
            refresher: self.refresher,
            initial_credential: self.initial_credential,
            origins: origins.clone(),
            timing: self.timing.into(),
            clock,
            reads_dates: self.reads_dates,
            refresh_client: self.refresh_client,
            listeners: self.listeners,
        });
        Ok(ChallengeMiddleware::of(Shared::new(session, origins, self.settings.into())))
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
