//! An error that is safe to print.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

/// The message of one error, and its cause.
#[derive(Default)]
pub(super) struct CleanError {
    pub(super) line: String,
    pub(super) below: Option<Box<CleanError>>,
    /// The original error, which is kept but never printed.
    pub(super) held: Option<Arc<dyn StdError + Send + Sync>>,
}

impl CleanError {
    pub(super) fn held(&self) -> Option<&(dyn StdError + 'static)> {
        self.held.as_deref().map(|held| held as _)
    }
}

impl fmt::Display for CleanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line)
    }
}

impl fmt::Debug for CleanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CleanError").field(&self.line).finish()
    }
}

impl StdError for CleanError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.below.as_deref().map(|below| below as _)
    }
}
