//! The HTTP client that refreshers get by default.

use std::time::Duration;

use crate::error::RefreshError;

/// Returns the client that refreshers get by default: without redirects, cookies and referer, and with finite timeouts (10 s to
/// connect, 30 s for a whole response).
///
/// # Errors
/// [`RefreshErrorKind::Other`](crate::RefreshErrorKind::Other) if the client cannot be built, for example because its TLS
/// stack cannot be initialised.
pub fn refresh_client() -> Result<reqwest::Client, RefreshError> {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .connect_timeout(Duration::from_secs(10))
        .timeout(Duration::from_secs(30))
        .build()
        .map_err(RefreshError::other)
}
