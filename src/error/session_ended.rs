//! The end of a session.

use std::error::Error as StdError;
use std::fmt;

use super::seek;

/// A login or a logout that ended the session before a request was sent.
///
/// If the request was sent and the server responded with 401, the error is an [`Unauthorized`](crate::Unauthorized) with
/// [`UnauthorizedReason::SessionChanged`](crate::UnauthorizedReason::SessionChanged) or
/// [`LoggedOut`](crate::UnauthorizedReason::LoggedOut) instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionEnded {
    pub(crate) logged_out: bool,
}

impl SessionEnded {
    /// Whether the session is logged out. If not, another login has succeeded, and the caller can send the request again.
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
