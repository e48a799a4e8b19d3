//! Failures in a row over many slots. Each slot remembers its own, and a server that names a new one each time, or a password that no
//! partition accepts, would cost a refresh for every one of them. It knows no clock.

use std::time::{Duration, SystemTime};

use super::flight_request::Ended;

/// How many failures in a row it takes: a registry may refuse a few repositories, and another is still asked for.
const MANY: u32 = 16;

/// The failures in a row, of which the last is told.
pub(crate) struct Streak<E> {
    count: u32,
    last: Option<(Ended<E>, SystemTime, Duration)>,
}

impl<E> Default for Streak<E> {
    fn default() -> Self {
        Self { count: 0, last: None }
    }
}

impl<E: Clone> Streak<E> {
    /// One more failure, which rests for that long.
    pub(crate) fn failed(&mut self, ended: Ended<E>, since: SystemTime, rest: Duration) {
        self.count = self.count.saturating_add(1);
        self.last = Some((ended, since, rest));
    }

    /// Begins anew: a credential came, or the caller asked for a new start.
    pub(crate) fn clear(&mut self) {
        (self.count, self.last) = (0, None);
    }

    /// The last of many failures, for as long as it rests. A clock that was set back ends the rest.
    pub(crate) fn remembered(&self, now: impl FnOnce() -> SystemTime) -> Option<Ended<E>> {
        let (ended, since, rest) = self.last.as_ref().filter(|_| self.count >= MANY)?;
        let rests = now().duration_since(*since).is_ok_and(|age| age < *rest);
        rests.then(|| ended.clone())
    }
}
