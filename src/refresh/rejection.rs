//! What a refresher is told.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use http::Method;
use reqwest::Url;

use super::error::RefreshError;
use crate::challenge::{Challenges, Param};
use crate::credential::Credential;
use crate::origin::Origin;

/// Why a refresher is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// A server answered 401.
    Challenged,
    /// The credential is known to be expired, or was marked as of no use.
    Expired,
    /// Somebody asked for a login.
    Asked,
    /// A server answered 403 for want of scopes, and somebody asked for more.
    SteppingUp,
}

/// What is asked for beyond a fresh credential.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Demand {
    pub(crate) claims: Option<String>,
    pub(crate) acr_values: Vec<String>,
    pub(crate) max_age: Option<Duration>,
    pub(crate) scopes: Vec<String>,
}

impl Demand {
    /// What the challenges of a 401 ask for.
    pub(crate) fn of(challenges: &Challenges) -> Self {
        let mut demand = Self::default();
        for challenge in challenges {
            // Nearly no challenge has any of them.
            let asks = |param: Param<'_>| ["claims", "max_age", "acr_values"].iter().any(|name| param.is(name));
            let Some(bearer) = challenge.params().any(asks).then(|| challenge.bearer()).flatten() else { continue };
            demand.claims = demand.claims.or_else(|| bearer.claims().map(Cow::into_owned));
            demand.max_age = demand.max_age.or_else(|| bearer.max_age());
            demand.acr_values.extend(bearer.acr_values().into_iter().map(Cow::into_owned));
        }
        demand
    }

    /// Claims that the token must have, as the server wrote them (continuous access evaluation).
    #[must_use]
    pub fn claims(&self) -> Option<&str> {
        self.claims.as_deref()
    }

    /// The authentication contexts that would do, the preferred one first (RFC 9470 §3).
    #[must_use]
    pub fn acr_values(&self) -> &[String] {
        &self.acr_values
    }

    /// How long ago the person may have signed in (RFC 9470 §3).
    #[must_use]
    pub fn max_age(&self) -> Option<Duration> {
        self.max_age
    }

    /// The scopes that are wanted in all, when stepping up.
    #[must_use]
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// Whether nothing is asked for beyond a fresh credential.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What a refresher is told: why it is asked, by whom, and what was refused. Cheap to clone.
#[derive(Clone)]
pub struct Rejection(Arc<Facts>);

pub(crate) struct Facts {
    pub(crate) cause: Cause,
    pub(crate) challenges: Arc<Challenges>,
    pub(crate) demand: Demand,
    pub(crate) request: Option<(Method, Url)>,
    pub(crate) origin: Origin,
    pub(crate) refused: Option<Credential>,
    pub(crate) surroundings: Weak<dyn Surroundings>,
    pub(crate) flight: u64,
}

/// What a session gives to those who refresh for it.
pub(crate) trait Surroundings: Send + Sync {
    fn waiting(&self, flight: u64) -> usize;
    fn http(&self) -> Result<reqwest::Client, RefreshError>;
}

impl Rejection {
    pub(crate) fn new(facts: Facts) -> Self {
        Self(Arc::new(facts))
    }

    /// Why the refresher is asked.
    #[must_use]
    pub fn cause(&self) -> Cause {
        self.0.cause
    }

    /// The challenges of the 401; none where no server was asked, or none came.
    #[must_use]
    pub fn challenges(&self) -> &Challenges {
        &self.0.challenges
    }

    /// The realm of the first challenge that has one (RFC 9110 §11.5).
    #[must_use]
    pub fn realm(&self) -> Option<Cow<'_, str>> {
        self.0.challenges.iter().find_map(|challenge| challenge.realm())
    }

    /// What is asked for beyond a fresh credential.
    #[must_use]
    pub fn demand(&self) -> &Demand {
        &self.0.demand
    }

    /// The method of the request that was refused; `None` where it was nobody's request.
    #[must_use]
    pub fn method(&self) -> Option<&Method> {
        self.0.request.as_ref().map(|(method, _)| method)
    }

    /// The URL of the request that was refused, whole; `None` where it was nobody's request.
    #[must_use]
    pub fn url(&self) -> Option<&Url> {
        self.0.request.as_ref().map(|(_, url)| url)
    }

    /// The origin that the credential is for: of the request, or else the first that the middleware was built with.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.0.origin
    }

    /// The credential that was refused, or is expired: what it has attached is what a renewal needs.
    #[must_use]
    pub fn credential(&self) -> Option<&Credential> {
        self.0.refused.as_ref()
    }

    /// Whether anybody still waits for the answer. A prompt stops asking when nobody does.
    #[must_use]
    pub fn is_awaited(&self) -> bool {
        self.0.surroundings.upgrade().is_some_and(|session| session.waiting(self.0.flight) > 0)
    }

    /// A client for the refresher's own calls: bare, without middleware, redirects, cookies and referer, and with finite
    /// timeouts; or the one that was given to the builder.
    ///
    /// # Errors
    /// [`RefreshErrorKind::Other`](super::RefreshErrorKind::Other) if it cannot be built, which is a TLS stack's doing;
    /// [`RefreshErrorKind::Gone`](super::RefreshErrorKind::Gone) if the middleware is gone.
    pub fn http(&self) -> Result<reqwest::Client, RefreshError> {
        let session = self.0.surroundings.upgrade();
        session.map_or_else(|| Err(RefreshError::of(super::RefreshErrorKind::Gone)), |session| session.http())
    }
}

impl fmt::Debug for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rejection")
            .field("cause", &self.0.cause)
            .field("challenges", &self.0.challenges)
            .field("method", &self.method())
            .field("origin", &self.0.origin.to_string())
            .field("credential", &self.0.refused)
            .finish_non_exhaustive()
    }
}
