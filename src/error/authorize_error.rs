//! A failure of an authentication scheme.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use super::seek;

/// A scheme that could not sign a request, or that refuses the response to one. The scheme's own error is the
/// [`source`](StdError::source).
#[derive(Clone, Debug)]
pub struct AuthorizeError {
    pub(crate) scheme: Box<str>,
    pub(crate) sent: bool,
    pub(crate) source: Arc<dyn StdError + Send + Sync>,
}

impl AuthorizeError {
    /// Returns the name of the scheme.
    #[must_use]
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// Whether the request was sent. If it was, the scheme refuses the response.
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
        seek::itself(self).or_else(|| Some(self.source.as_ref()))
    }
}
