//! Typed outcomes.
//!
//! ```text
//! Error ─┬─ Unauthorized   a 401, and why it stayed one     source: RefreshError, where a refresh failed
//!        ├─ Forbidden      a 403
//!        ├─ Refresh        no credential before a send       source: RefreshError
//!        ├─ Authorize      the scheme could not sign         source: the scheme's own
//!        ├─ Ended          the session ended before a send
//!        ├─ StepUp         a 403 that no further credential helps against
//!        ├─ Insecure       plain http to a host of ours
//!        └─ Redirect       a redirect that is not followed
//! ```

use super::forbidden::Forbidden;
use super::redirect::RedirectError;
use super::unauthorized::Unauthorized;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use super::refresh::RefreshError;
use super::seek;

/// Why a call failed, if this crate decided it. Cheap to clone.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Error {
    /// A 401, and why it stayed one.
    Unauthorized(Unauthorized),
    /// A 403.
    Forbidden(Forbidden),
    /// No credential could be had before anything was sent.
    Refresh(RefreshError),
    /// The scheme could not sign the request, or refuses the response to it.
    Authorize(AuthorizeError),
    /// The session ended before anything was sent.
    Ended(SessionEnded),
    /// No credential that reaches further could be asked for.
    StepUp(StepUpError),
    /// The request would have gone by plain `http` to a host that was given with `https`; nothing was sent.
    Insecure(InsecureUrl),
    /// A redirect was not followed.
    Redirect(RedirectError),
}

impl Error {
    /// Takes the error of this crate out of a `reqwest_middleware::Error`, also from under an outer retry middleware.
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

/// The full line, for a terminal. The [`source`](StdError::source) does not repeat it.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unauthorized(error) => fmt::Display::fmt(error, f),
            Self::Forbidden(error) => fmt::Display::fmt(error, f),
            Self::Refresh(error) => write!(f, "the request was not sent: {error}"),
            Self::Authorize(error) => fmt::Display::fmt(error, f),
            Self::Ended(error) => write!(f, "the request was not sent: {error}"),
            Self::StepUp(error) => fmt::Display::fmt(error, f),
            Self::Insecure(error) => fmt::Display::fmt(error, f),
            Self::Redirect(error) => fmt::Display::fmt(error, f),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        seek::itself(self).or_else(|| match self {
            Self::Unauthorized(error) => error.source(),
            Self::Refresh(error) => error.source(),
            Self::Authorize(error) => error.source(),
            Self::Forbidden(_) | Self::Ended(_) | Self::StepUp(_) | Self::Insecure(_) | Self::Redirect(_) => None,
        })
    }
}

/// A scheme that could not sign a request, or that refuses the response to one.
#[derive(Clone, Debug)]
pub struct AuthorizeError {
    pub(crate) scheme: Box<str>,
    /// Whether it had been sent: then it is the response that the scheme refuses.
    pub(crate) sent: bool,
    pub(crate) source: Arc<dyn StdError + Send + Sync>,
}

impl AuthorizeError {
    /// The scheme's name.
    #[must_use]
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// Whether the request had been sent: it is the response that the scheme refuses.
    #[must_use]
    pub fn was_sent(&self) -> bool {
        self.sent
    }
}

impl fmt::Display for AuthorizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.sent {
            return write!(f, "the {} scheme refuses the response", self.scheme);
        }
        write!(f, "the {} credential cannot be put on the request", self.scheme)
    }
}

impl StdError for AuthorizeError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(self.source.as_ref())
    }
}

/// A session that ended before a request was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionEnded {
    pub(crate) logged_out: bool,
}

impl SessionEnded {
    /// Whether nobody is logged in now; else somebody logged in anew.
    #[must_use]
    pub fn is_logged_out(&self) -> bool {
        self.logged_out
    }
}

impl fmt::Display for SessionEnded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.logged_out { "logged out" } else { "the session changed while the request waited" })
    }
}

impl StdError for SessionEnded {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        seek::itself(self)
    }
}

/// A request by plain `http` to a host that was given with `https`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InsecureUrl {
    pub(crate) origin: String,
}

impl fmt::Display for InsecureUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a request by plain http to the host of {}: nothing was sent", self.origin)
    }
}

impl StdError for InsecureUrl {}

/// A 403 that no further credential helps against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepUpError(pub(crate) StepUpKind);

/// Why no credential that reaches further was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StepUpKind {
    /// The 403 names no scopes.
    NoScopes,
    /// Another server than the API's said 403, after a redirect.
    Foreign,
    /// The 403 was for somebody who was logged in earlier.
    EarlierLogin,
    /// The credential that was refused had been granted these very scopes.
    GrantedAndRefused,
    /// They were asked for, and what was granted is without them.
    NotGranted,
}

impl StepUpError {
    /// Why.
    #[must_use]
    pub fn kind(&self) -> StepUpKind {
        self.0
    }
}

impl fmt::Display for StepUpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            StepUpKind::NoScopes => "the 403 names no scopes to ask for",
            StepUpKind::Foreign => "another server said 403: its scopes are not asked for",
            StepUpKind::EarlierLogin => "the 403 was for an earlier login",
            StepUpKind::GrantedAndRefused => "the scopes were granted, and the server says 403 all the same",
            StepUpKind::NotGranted => "the scopes were asked for, and were not granted",
        })
    }
}

impl StdError for StepUpError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        seek::itself(self)
    }
}
