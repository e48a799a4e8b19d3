//! What the user is shown.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use url::Url;

use reqwest_challenge::BoxError;

/// What the user is shown to log in: the page to open, and who asks for the login. The page is on the issuer's host, or on a
/// host that the caller named.
///
/// ```
/// use reqwest_challenge_login::oauth::{AuthorizationPrompt, DeviceCode};
///
/// let grant = DeviceCode::new(|prompt: &AuthorizationPrompt| {
///     let code = prompt.user_code().unwrap_or_default();
///     eprintln!("To log in at {}, open {} and type {code}", prompt.host(), prompt.url());
///     Ok(())
/// });
/// ```
pub struct AuthorizationPrompt {
    pub(super) url: Url,
    pub(super) complete: Option<Url>,
    pub(super) user_code: Option<String>,
    pub(super) issuer: String,
    pub(super) api: String,
    pub(super) expires_at: Option<SystemTime>,
}

/// Shows a prompt to the user.
pub(super) type Show = Arc<dyn Fn(&AuthorizationPrompt) -> Result<(), BoxError> + Send + Sync>;

impl AuthorizationPrompt {
    /// The page to open.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The page with the code filled in, for a link or a QR code. It is [`url`](Self::url) if the server has no such page.
    #[must_use]
    pub fn complete_url(&self) -> &Url {
        self.complete.as_ref().unwrap_or(&self.url)
    }

    /// The code to type on the page (RFC 8628 §3.3). `None` if no code is needed.
    #[must_use]
    pub fn user_code(&self) -> Option<&str> {
        self.user_code.as_deref()
    }

    /// The host of the page. The user should check it before typing a password.
    #[must_use]
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// The identifier of the issuer that asks for the login.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The origin of the API that the token is for.
    #[must_use]
    pub fn api(&self) -> &str {
        &self.api
    }

    /// The time after which the login is no longer possible.
    #[must_use]
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.expires_at
    }
}

/// Shows no query, because the query contains a `state` that must stay secret.
impl fmt::Debug for AuthorizationPrompt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationPrompt")
            .field("host", &self.host())
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}
