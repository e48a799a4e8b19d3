//! Whether a prompt is cancelled.

use std::io;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::util::lock;

/// Whether a prompt is cancelled, because no caller waits for its answer any more.
#[derive(Default)]
pub(super) struct Cancellation {
    is_cancelled: Mutex<bool>,
    changed: Condvar,
}

impl Cancellation {
    pub(super) fn cancel(&self) {
        *lock(&self.is_cancelled) = true;
        self.changed.notify_all();
    }

    /// Waits until the prompt is cancelled, for this time at most. Returns whether it is cancelled.
    pub(super) fn is_cancelled_within(&self, span: Duration) -> bool {
        let is_cancelled = lock(&self.is_cancelled);
        let waited = self.changed.wait_timeout_while(is_cancelled, span, |is_cancelled| !*is_cancelled);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// The error of a cancelled prompt.
pub(super) fn cancelled() -> io::Error {
    io::Error::other("no caller waits for the answer")
}
