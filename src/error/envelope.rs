//! What is handed to `reqwest_middleware`: its own error prints and walks past what it holds, so what it holds is an
//! envelope, and ours is what caused that.

use std::error::Error as StdError;
use std::fmt;

use super::Error;

struct Envelope(Error);

/// Puts the error where everybody finds it.
pub(crate) fn envelope(error: Error) -> reqwest_middleware::Error {
    reqwest_middleware::Error::Middleware(anyhow::Error::new(Envelope(error)))
}

/// The full line. The error below it prints its kind alone, so that a chain does not say everything twice.
impl fmt::Display for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.line(f)
    }
}

/// As whoever unwraps a result sees it: the line first.
impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for Envelope {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.0)
    }
}
