//! What a person is shown, who must act elsewhere.

use crate::util::masker_of;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use url::Url;

use super::grant_context::GrantContext;
use reqwest_challenge::BoxError;

/// What a person is shown: which page to open, and on whose behalf. The page is on the issuer's host, or on one that the caller
/// named.
pub struct AuthorizationPrompt {
    pub(super) url: Url,
    pub(super) complete: Option<Url>,
    pub(super) user_code: Option<String>,
    pub(super) issuer: String,
    pub(super) api: String,
    pub(super) expires_at: Option<SystemTime>,
}

impl AuthorizationPrompt {
    /// The page to open.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The same with the code filled in, for a link or a QR code; the page itself where there is no such.
    #[must_use]
    pub fn complete_url(&self) -> &Url {
        self.complete.as_ref().unwrap_or(&self.url)
    }

    /// The code to type there (RFC 8628 §3.3); `None` where the page alone does.
    #[must_use]
    pub fn user_code(&self) -> Option<&str> {
        self.user_code.as_deref()
    }

    /// The host of the page: what a person should look at before typing a password.
    #[must_use]
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// The issuer that asks, as it writes itself.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The origin of the API that the token is for.
    #[must_use]
    pub fn api(&self) -> &str {
        &self.api
    }

    /// When it will be too late.
    #[must_use]
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.expires_at
    }
}

/// Shows no query: it has a state in it that nobody else should know.
impl fmt::Debug for AuthorizationPrompt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationPrompt")
            .field("host", &self.host())
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

/// Shows an invitation to a person: prints it, opens a browser.
pub(super) type Show = Arc<dyn Fn(&AuthorizationPrompt) -> Result<(), BoxError> + Send + Sync>;

/// What the 401 demands of the login (RFC 9470 §4).
pub(super) fn demands(grant: &GrantContext<'_>) -> Vec<(&'static str, String)> {
    let context = grant.refresh;
    let demand = context.demand();
    let mut asked = Vec::new();
    if !demand.acr_values().is_empty() {
        asked.push(("acr_values", demand.acr_values().join(" ")));
    }
    if let Some(age) = demand.max_age() {
        asked.push(("max_age", age.as_secs().to_string()));
    }
    // Leaves out an echo of the credential, which asks for nothing and must not appear in a URL.
    let masker = masker_of(context.credential());
    asked.retain(|(_, value)| !masker.has_certain(value));
    asked
}
