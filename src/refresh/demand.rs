//! What the server asks for beyond a fresh credential.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

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
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.claims().is_none() && self.acr_values().is_empty() && self.max_age().is_none() && !self.is_for_more()
    }

    /// Whether the server said that the credential is valid but not sufficient, so that a plain renewal does not help.
    #[must_use]
    pub fn is_for_more(&self) -> bool {
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
