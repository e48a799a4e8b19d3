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

mod envelope;
mod facts;
mod find;
mod forbidden;
mod hint;
mod problem;
mod read;
mod redirect;
mod refusal;
mod unauthorized;

use std::error::Error as StdError;
use std::fmt;

pub use find::Findable;
#[cfg(feature = "cli")]
pub(crate) use find::first;
pub use forbidden::Forbidden;
pub use problem::{Problem, RawRefusal};
pub use redirect::{RedirectError, RedirectErrorKind};
pub use unauthorized::{Reason, Unauthorized};

pub(crate) use envelope::envelope;
pub(crate) use facts::{Answered, Body, Facts, bare};
pub(crate) use problem::{ReadRefusals, Reading};
pub(crate) use redirect::Refused;

use crate::BoxError;
use crate::refresh::{Ended, RefreshError};

/// How a call ended that this crate ended.
#[derive(Debug)]
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
    /// Of a credential that could not be had, when nothing was sent yet.
    pub(crate) fn before_send(ended: Ended<RefreshError>) -> Self {
        match ended {
            Ended::Failed(error) => Self::Refresh(error),
            Ended::Declined => Self::Refresh(RefreshError::other("the refresher has no credential to give")),
            Ended::Unchanged => {
                Self::Refresh(RefreshError::other("the refresher returned the credential that is known to be invalid"))
            }
            Ended::Rests => Self::Refresh(RefreshError::other("no refresh starts so soon after the last one")),
            Ended::Spent => Self::Refresh(RefreshError::other("the server refused several new credentials in a row")),
            Ended::SessionChanged => Self::Ended(SessionEnded { logged_out: false }),
            Ended::LoggedOut => Self::Ended(SessionEnded { logged_out: true }),
        }
    }
}

impl Error {
    /// The full line, for a terminal.
    pub(crate) fn line(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unauthorized(error) => fmt::Display::fmt(error, f),
            Self::Forbidden(error) => fmt::Display::fmt(error, f),
            Self::Refresh(_) => f.write_str("the request was not sent, for want of a credential"),
            Self::Authorize(error) => fmt::Display::fmt(error, f),
            Self::Ended(_) => f.write_str("the request was not sent, because its session ended"),
            Self::StepUp(error) => fmt::Display::fmt(error, f),
            Self::Insecure(error) => fmt::Display::fmt(error, f),
            Self::Redirect(error) => fmt::Display::fmt(error, f),
        }
    }
}

/// The kind alone: what is inside says more, and so does the source.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unauthorized(_) => "unauthorized",
            Self::Forbidden(_) => "forbidden",
            Self::Refresh(_) => "no credential",
            Self::Authorize(_) => "a scheme failed",
            Self::Ended(_) => "session ended",
            Self::StepUp(_) => "no further credential",
            Self::Insecure(_) => "insecure URL",
            Self::Redirect(_) => "redirect not followed",
        })
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Unauthorized(error) => error.source(),
            Self::Forbidden(error) => error.source(),
            Self::Refresh(error) => Some(error),
            Self::Authorize(error) => error.source(),
            Self::Ended(error) => Some(error),
            Self::StepUp(error) => Some(error),
            Self::Insecure(_) | Self::Redirect(_) => None,
        }
    }
}

/// A scheme that could not sign a request, or that refuses the response to one.
#[derive(Debug)]
pub struct AuthorizeError {
    pub(crate) scheme: Box<str>,
    /// Whether it had been sent: then it is the response that the scheme refuses.
    pub(crate) sent: bool,
    pub(crate) source: BoxError,
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

impl StdError for SessionEnded {}

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

impl StdError for StepUpError {}
