//! Counts failed refreshes in a row over many slots. Each slot remembers its own failures. Without this count, a server that
//! names a new resource in each challenge, or a password that no partition accepts, would cost one refresh for each slot.
//! The count reads no clock; its callers pass the time.

use std::time::{Duration, SystemTime};

use super::flight_request::NoCredential;

/// After how many failures in a row the last one is the result of requests for every slot. If a registry refuses only
/// a few repositories, refreshes for other repositories still start.
const MIN_FAILURES: u32 = 16;

/// The number of failures in a row, and the last of them.
pub(crate) struct Streak<E> {
    count: u32,
    /// In a box, because it is rare and a pool has many sessions.
    last: Option<Box<LastFailure<E>>>,
}

struct LastFailure<E> {
    reason: NoCredential<E>,
    since: SystemTime,
    span: Duration,
}

impl<E> Default for Streak<E> {
    fn default() -> Self {
        Self { count: 0, last: None }
    }
}

impl<E: Clone> Streak<E> {
    /// Counts a failure, which is remembered for this time.
    pub(crate) fn count_failure(&mut self, reason: NoCredential<E>, since: SystemTime, span: Duration) {
        self.count = self.count.saturating_add(1);
        self.last = Some(Box::new(LastFailure { reason, since, span }));
    }

    /// Starts again, because a refresh succeeded or the caller requested a new start.
    pub(crate) fn clear(&mut self) {
        (self.count, self.last) = (0, None);
    }

    /// The last failure, if there were many in a row and it is still remembered. If the clock was set back, it is not.
    pub(crate) fn remembered(&self, now: impl FnOnce() -> SystemTime) -> Option<NoCredential<E>> {
        let last = self.last.as_ref().filter(|_| self.count >= MIN_FAILURES)?;
        let is_recent = now().duration_since(last.since).is_ok_and(|age| age < last.span);
        is_recent.then(|| last.reason.clone())
    }
}
