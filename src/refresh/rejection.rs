//! What a refresher learns about the refusal.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, LazyLock, Weak};
use std::time::Duration;

use http::Method;
use reqwest::Url;

use super::error::RefreshError;
use super::person::MakesWay;
use super::want::SlotKey;
use crate::challenge::Challenges;
use crate::credential::Credential;
use crate::origin::Origin;

/// Why a refresher is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// The server answered 401.
    Challenged,
    /// The credential is known to be expired, or was marked as invalid.
    Expired,
    /// The caller asked for a login, or for a credential before the first send.
    Asked,
    /// The server answered 403 because scopes are missing, and the caller asked for more.
    SteppingUp,
}

/// What the server asks for beyond a fresh credential. Nearly always it is empty, and then it allocates nothing.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Demand(Option<Arc<Asked>>);

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) claims: Option<String>,
    pub(super) acr_values: Vec<String>,
    pub(super) max_age: Option<Duration>,
    pub(super) scopes: Vec<String>,
    pub(super) authorization_details: Option<String>,
    /// The error code of a 401 for which a plain renewal does not help.
    pub(super) insufficient: Option<Box<str>>,
}

impl Demand {
    /// For a credential with these scopes.
    pub(crate) fn of_scopes(scopes: Vec<String>) -> Self {
        Self::asking(Asked { scopes, ..Asked::default() })
    }

    pub(super) fn asking(asked: Asked) -> Self {
        Self((asked != Asked::default()).then(|| Arc::new(asked)))
    }

    /// Claims that the token must have, as the server wrote them (continuous access evaluation).
    #[must_use]
    pub fn claims(&self) -> Option<&str> {
        self.0.as_deref()?.claims.as_deref()
    }

    /// The acceptable authentication contexts, the preferred one first (RFC 9470 §3).
    #[must_use]
    pub fn acr_values(&self) -> &[String] {
        self.0.as_deref().map_or(&[], |asked| &asked.acr_values)
    }

    /// How long ago the user may have signed in (RFC 9470 §3).
    #[must_use]
    pub fn max_age(&self) -> Option<Duration> {
        self.0.as_deref()?.max_age
    }

    /// The scopes to ask for: all scopes of a step-up, or those that a 401 names with `error="insufficient_scope"`.
    #[must_use]
    pub fn scopes(&self) -> &[String] {
        self.0.as_deref().map_or(&[], |asked| &asked.scopes)
    }

    /// The authorization details that a 401 names with `error="insufficient_authorization"`, as the server wrote them
    /// (RFC 9396 §2).
    #[must_use]
    pub fn authorization_details(&self) -> Option<&str> {
        self.0.as_deref()?.authorization_details.as_deref()
    }

    /// Whether no other login is asked for, whatever the request is for: then a path that refuses fresh credentials may rest.
    pub(crate) fn is_plain(&self) -> bool {
        self.claims().is_none() && self.acr_values().is_empty() && self.max_age().is_none() && !self.is_for_more()
    }

    /// Whether the server said that the credential is valid but not sufficient, so that a plain renewal does not help.
    pub(crate) fn is_for_more(&self) -> bool {
        self.0.as_deref().is_some_and(|asked| asked.insufficient.is_some())
    }

    /// Whether nothing is asked for beyond a fresh credential.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }
}

/// Prints which parts are asked for and their sizes. The values come from a server and may contain a secret.
impl fmt::Debug for Demand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Demand")
            .field("claims", &self.claims().map(|_| format_args!("_")))
            .field("acr_values", &self.acr_values().len())
            .field("max_age", &self.max_age())
            .field("scopes", &self.scopes().len())
            .finish_non_exhaustive()
    }
}

/// What a refresher learns: why it is asked, for which request, and which credential was refused. It is cheap to clone.
#[derive(Clone)]
pub struct Rejection {
    pub(crate) cause: Cause,
    pub(crate) demand: Demand,
    pub(crate) occasion: Option<Arc<Occasion>>,
    pub(crate) origin: Origin,
    pub(crate) refused: Option<Credential>,
    pub(crate) surroundings: Weak<dyn Surroundings>,
    pub(crate) flight: u64,
    /// Which of the session's slots the credential is for.
    pub(crate) slot: SlotKey,
    /// The store whose lock is released before the user is asked. A kept copy of the rejection does not keep it alive.
    pub(crate) makes_way: Option<Weak<dyn MakesWay>>,
}

/// The request that was refused, and its challenges.
pub(crate) struct Occasion {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) challenges: Challenges,
}

/// The challenges of a rejection without a request.
static NO_CHALLENGES: LazyLock<Challenges> = LazyLock::new(Challenges::default);

/// What a session offers to its refresher.
pub(crate) trait Surroundings: Send + Sync {
    fn waiting(&self, flight: u64) -> usize;
    fn http(&self) -> Result<reqwest::Client, RefreshError>;
}

impl Rejection {
    /// The same with the challenges of these schemes alone.
    pub(crate) fn only(&self, schemes: &[String]) -> Self {
        let occasion = self.occasion.as_ref().map(|occasion| {
            let kept = occasion.challenges.iter().filter(|one| schemes.iter().any(|scheme| one.is(scheme)));
            let challenges = Challenges::parse_lines(kept.map(|challenge| challenge.to_bytes()));
            Arc::new(Occasion { method: occasion.method.clone(), url: occasion.url.clone(), challenges })
        });
        Self { occasion, ..self.clone() }
    }

    /// Why the refresher is asked.
    #[must_use]
    pub fn cause(&self) -> Cause {
        self.cause
    }

    /// The challenges of the 401. Empty if there was no 401, or if it had none.
    #[must_use]
    pub fn challenges(&self) -> &Challenges {
        self.occasion.as_ref().map_or(&NO_CHALLENGES, |occasion| &occasion.challenges)
    }

    /// The realm of the first challenge that has one (RFC 9110 §11.5).
    #[must_use]
    pub fn realm(&self) -> Option<Cow<'_, str>> {
        self.challenges().iter().find_map(|challenge| challenge.realm())
    }

    /// What the server asks for beyond a fresh credential.
    #[must_use]
    pub fn demand(&self) -> &Demand {
        &self.demand
    }

    /// The URL of the protected resource's metadata (RFC 9728), if the server has several resources and this credential
    /// is for another one than the first. Each resource has its own credential, so [`credential`](Self::credential)
    /// never belongs to another resource. `None` for the first resource.
    #[must_use]
    pub fn resource(&self) -> Option<&str> {
        match &self.slot {
            SlotKey::Resource(resource) => Some(resource),
            SlotKey::Main | SlotKey::Partition(_) => None,
        }
    }

    /// The method of the refused request. `None` if no request was refused, as in a login.
    #[must_use]
    pub fn method(&self) -> Option<&Method> {
        self.occasion.as_ref().map(|occasion| &occasion.method)
    }

    /// The whole URL of the refused request. `None` if no request was refused, as in a login.
    #[must_use]
    pub fn url(&self) -> Option<&Url> {
        self.occasion.as_ref().map(|occasion| &occasion.url)
    }

    /// The origin that the credential is for: that of the request, or else the first origin of the middleware.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The credential that was refused or has expired. Its attachment contains what a renewal needs.
    #[must_use]
    pub fn credential(&self) -> Option<&Credential> {
        self.refused.as_ref()
    }

    /// Whether anybody still waits for the answer. A prompt stops asking when nobody does.
    #[must_use]
    pub fn is_awaited(&self) -> bool {
        self.surroundings.upgrade().is_some_and(|session| session.waiting(self.flight) > 0)
    }

    /// A client for the refresher's own calls: bare, without middleware, redirects, cookies and referer, and with finite
    /// timeouts; or the one that was given to the builder.
    ///
    /// # Errors
    /// [`RefreshErrorKind::Other`](super::RefreshErrorKind::Other) if it cannot be built, which is a TLS stack's doing;
    /// [`RefreshErrorKind::Gone`](super::RefreshErrorKind::Gone) if the middleware is gone.
    pub fn http(&self) -> Result<reqwest::Client, RefreshError> {
        let session = self.surroundings.upgrade();
        session.map_or_else(|| Err(RefreshError::of(super::RefreshErrorKind::Gone)), |session| session.http())
    }
}

impl fmt::Debug for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rejection")
            .field("cause", &self.cause)
            .field("challenges", self.challenges())
            .field("method", &self.method())
            .field("origin", &self.origin.to_string())
            .field("credential", &self.refused)
            .finish_non_exhaustive()
    }
}
