//! A request by plain `http` to a host that the middleware lists with `https`.

use std::error::Error as StdError;
use std::fmt;

use super::seek;

/// A request by plain `http` to a host that the middleware lists with `https`. Nothing was sent, because everyone on
/// the network path could have read or changed the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InsecureUrl {
    pub(crate) origin: String,
}

impl InsecureUrl {
    /// Returns the origin of this host, which begins with `https`.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }
}

impl fmt::Display for InsecureUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "nothing was sent: the URL is plain http, but the middleware lists this host with https; use {}",
            self.origin
        )
    }
}

impl StdError for InsecureUrl {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        seek::itself(self)
    }
}
