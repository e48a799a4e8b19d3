//! Names the scheme whose refresher failed, if there are several refreshers.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

/// The cause of the `RefreshError` of a refresher that answers challenges of one scheme.
pub(super) struct OfScheme {
    pub(super) scheme: String,
    pub(super) source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl fmt::Display for OfScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the refresher for the {} scheme failed", self.scheme)
    }
}

// Leaves out the `Debug` output of the source, which may contain a secret.
impl fmt::Debug for OfScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl StdError for OfScheme {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}
