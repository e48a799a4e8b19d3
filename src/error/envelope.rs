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

/// The full line for `{}`. With `{:#}`, as whoever prints the whole chain does, a name alone: the chain says the rest.
impl fmt::Display for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() { f.write_str("authentication") } else { self.0.fmt(f) }
    }
}

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
