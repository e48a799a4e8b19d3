//! What the server demands beyond a fresh credential.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::credential::Credential;

/// What the server demands beyond a fresh credential. Nearly always it is [empty](Self::is_empty). An empty demand allocates
/// nothing.
///
/// A demand has five parts, which the session reads from `Bearer` and `DPoP` challenges. A part that the server does not name
/// is empty:
///
/// | part | a new credential meets it |
/// |---|---|
/// | [`claims`](Self::claims) | if the token has these claims |
/// | [`acr_values`](Self::acr_values) | if the user logged in by one of these authentication contexts |
/// | [`max_age`](Self::max_age) | if the user logged in so recently |
/// | [`scopes`](Self::scopes) | if the token was granted all these scopes |
/// | [`authorization_details`](Self::authorization_details) | if the token was granted these details |
///
/// [`is_for_more`](Self::is_for_more) says that the server called the refused credential insufficient. It can be `true` while
/// all five parts are empty.
///
/// Only the server knows whether a credential meets a demand. The session does not inspect credentials. If it holds a
/// newer credential than the refused one, it uses this credential for an empty demand, and for a demand that equals
/// the one for which it was obtained.
///
/// A refresher that holds a credential, such as a store, knows only its [scopes](crate::Credential::scopes).
/// [`is_met_by`](Self::is_met_by) says whether it can return that credential. If not, it asks for a new one.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Demand(Option<Arc<Demanded>>);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Demanded {
    pub(super) claims: Option<String>,
    pub(super) acr_values: Vec<String>,
    pub(super) max_age: Option<Duration>,
    pub(super) scopes: Vec<String>,
    pub(super) authorization_details: Option<String>,
    /// The error code of a 401 for which a plain renewal does not help.
    pub(super) insufficient: Option<Box<str>>,
}

impl Demand {
    /// A demand for these scopes.
    pub(crate) fn of_scopes(scopes: Vec<String>) -> Self {
        Self::of(Demanded { scopes, ..Demanded::default() })
    }

    pub(super) fn of(demanded: Demanded) -> Self {
        Self((demanded != Demanded::default()).then(|| Arc::new(demanded)))
    }

    /// The same demand, with these scopes.
    pub(super) fn with_scopes(self, scopes: Vec<String>) -> Self {
        let demanded = self.0.map(Arc::unwrap_or_clone).unwrap_or_default();
        Self::of(Demanded { scopes, ..demanded })
    }

    /// Returns the claims that the token must have, as the server wrote them (continuous access evaluation).
    #[must_use]
    pub fn claims(&self) -> Option<&str> {
        self.0.as_deref()?.claims.as_deref()
    }

    /// Returns the acceptable authentication contexts, the preferred one first (RFC 9470 §3).
    #[must_use]
    pub fn acr_values(&self) -> &[String] {
        self.0.as_deref().map_or(&[], |demanded| &demanded.acr_values)
    }

    /// Returns the longest allowed time since the user logged in (RFC 9470 §3).
    #[must_use]
    pub fn max_age(&self) -> Option<Duration> {
        self.0.as_deref()?.max_age
    }

    /// Returns the scopes to request: all scopes of a step-up, or those that a 401 names with `error="insufficient_scope"`.
    #[must_use]
    pub fn scopes(&self) -> &[String] {
        self.0.as_deref().map_or(&[], |demanded| &demanded.scopes)
    }

    /// Returns the authorization details that a 401 names with `error="insufficient_authorization"`, as the server wrote them
    /// (RFC 9396 §2).
    #[must_use]
    pub fn authorization_details(&self) -> Option<&str> {
        self.0.as_deref()?.authorization_details.as_deref()
    }

    /// Whether the server demands no other login: no claims, authentication context or recent login, and it did not say that
    /// the credential is [insufficient](Self::is_for_more). The scopes do not count.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.claims().is_none() && self.acr_values().is_empty() && self.max_age().is_none() && !self.is_for_more()
    }

    /// Whether this credential certainly meets the demand: the demand [is plain](Self::is_plain), and the credential is
    /// [known to have](Credential::scopes) all its scopes.
    ///
    /// A store or another decorator calls it before it returns a credential that it holds, for a 401, an expiry or a
    /// step-up. It also compares the expiry with [`RefreshContext::now`](crate::RefreshContext::now), and the
    /// credential with the refused one. For a [login](crate::RefreshReason::Login), whose demand is empty, it returns
    /// no held credential.
    ///
    /// ```
    /// use reqwest_challenge::{Credential, RefreshContext, RefreshReason};
    ///
    /// let context = RefreshContext::builder("https://api.example.com/reports").reason(RefreshReason::StepUp).scopes(["write"]);
    /// let context = context.build()?;
    /// let held = Credential::bearer("t1").with_scopes(["read", "write"]);
    /// assert!(context.demand().is_met_by(&held));
    /// assert!(!context.demand().is_met_by(&Credential::bearer("t2")), "its scopes are not known");
    /// # Ok::<(), reqwest_challenge::OriginError>(())
    /// ```
    #[must_use]
    pub fn is_met_by(&self, credential: &Credential) -> bool {
        let granted = credential.scopes().unwrap_or_default();
        self.is_plain() && self.scopes().iter().all(|scope| granted.contains(scope))
    }

    /// Whether the server said that the credential is valid but insufficient. A renewal for the same scopes does not help.
    #[must_use]
    pub fn is_for_more(&self) -> bool {
        self.0.as_deref().is_some_and(|demanded| demanded.insufficient.is_some())
    }

    /// Whether the server demands nothing beyond a fresh credential.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }
}

/// Prints which parts there are, and their sizes. The values come from a server and may contain a secret.
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
