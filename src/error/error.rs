//! The error of a call.

use std::error::Error as StdError;
use std::fmt;

use super::authorize_error::AuthorizeError;
use super::forbidden::Forbidden;
use super::insecure_url::InsecureUrl;
use super::redirect_error::RedirectError;
use super::refresh_error::RefreshError;
use super::seek;
use super::session_ended::SessionEnded;
use super::step_up_error::StepUpError;
use super::tenant_error::TenantError;
use super::unauthorized::Unauthorized;

/// Why a call failed, if this crate decided it. Cheap to clone.
///
/// `Display` is one full line. The messages of the [`source`](StdError::source) chain do not repeat it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Error {
    /// The server responded with 401, and no other credential helped.
    Unauthorized(Unauthorized),
    /// The server responded with 403.
    Forbidden(Forbidden),
    /// There is no credential to send, because the refresher failed or declined. Nothing was sent. A login, a logout and a
    /// step-up return it too.
    Refresh(RefreshError),
    /// The scheme could not sign the request, or refuses the response to it.
    Authorize(AuthorizeError),
    /// A login or a logout ended the session that the request belongs to. Nothing was sent.
    SessionEnded(SessionEnded),
    /// A step-up cannot help: a new credential would not have more scopes.
    StepUp(StepUpError),
    /// The request's URL is plain `http`, and the middleware lists an origin of the same host with `https`. Nothing was
    /// sent.
    Insecure(InsecureUrl),
    /// A redirect was not followed.
    Redirect(RedirectError),
    /// A [`SessionPool`](crate::SessionPool) has no session for the request. Nothing was sent.
    Tenant(TenantError),
}

impl Error {
    /// Takes the error of this crate out of a `reqwest_middleware::Error`, even if an outer retry middleware has
    /// wrapped it.
    ///
    /// ```
    /// # async fn call(client: reqwest_middleware::ClientWithMiddleware) -> Result<(), Box<dyn std::error::Error>> {
    /// use reqwest_challenge::Error;
    ///
    /// match client.get("https://api.example.com").send().await.map_err(Error::from_middleware) {
    ///     Ok(response) => println!("{}", response.status()),
    ///     Err(Ok(Error::Forbidden(forbidden))) => println!("not allowed: {forbidden}"),
    ///     Err(Ok(error)) => println!("no access: {error}"),
    ///     Err(Err(other)) => println!("the network failed: {other}"),
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Returns the `reqwest_middleware::Error` unchanged if it contains no error of this crate.
    pub fn from_middleware(error: reqwest_middleware::Error) -> Result<Self, reqwest_middleware::Error> {
        match Self::find(&error) {
            Some(found) => Ok(found.clone()),
            None => Err(error),
        }
    }

    /// The error as `reqwest_middleware` carries it.
    pub(crate) fn into_middleware(self) -> reqwest_middleware::Error {
        reqwest_middleware::Error::Middleware(anyhow::Error::new(self))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unauthorized(error) => fmt::Display::fmt(error, f),
            Self::Forbidden(error) => fmt::Display::fmt(error, f),
            Self::Refresh(error) => write!(f, "the request was not sent: {error}"),
            Self::Authorize(error) => fmt::Display::fmt(error, f),
            Self::SessionEnded(error) => write!(f, "the request was not sent: {error}"),
            Self::StepUp(error) => fmt::Display::fmt(error, f),
            Self::Insecure(error) => fmt::Display::fmt(error, f),
            Self::Redirect(error) => fmt::Display::fmt(error, f),
            Self::Tenant(error) => write!(f, "the request was not sent: {error}"),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        // The source is that of the inner error, because `Display` contains the line of the inner error already.
        seek::itself(self).or_else(|| match self {
            Self::Unauthorized(error) => error.source(),
            Self::Refresh(error) => error.source(),
            Self::Authorize(error) => error.source(),
            Self::Tenant(error) => error.source(),
            Self::Forbidden(_) | Self::SessionEnded(_) | Self::StepUp(_) | Self::Insecure(_) | Self::Redirect(_) => {
                None
            }
        })
    }
}
