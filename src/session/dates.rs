//! What a session does with the dates of responses.

use std::time::SystemTime;

use super::session_core::SessionCore;
use crate::util::ClockSkew;

impl SessionCore {
    /// How far the server's clock is from the session's clock, if it is known and more than 30 s.
    #[inline]
    pub(crate) fn clock_skew(&self) -> Option<ClockSkew> {
        self.skew.current()
    }

    /// The time of the server, as far as it is known.
    pub(crate) fn server_now(&self) -> SystemTime {
        let now = self.now();
        self.clock_skew().map_or(now, |skew| skew.server_time(now))
    }

    /// Whether nothing is left to do about the dates of successful responses: enough of them were read, and there is no skew to
    /// report. The dates of other responses are still read.
    #[inline]
    pub(crate) fn has_settled_dates(&self) -> bool {
        self.skew.is_settled()
    }

    /// Whether the `Date` of this successful response is read.
    pub(crate) fn reads_next_date(&self) -> bool {
        self.skew.asks_next()
    }

    /// Learns from the `Date` of a response that arrived just now. If that shows a new skew, the renewal times of the
    /// credentials that no refresh of this session obtained are computed again, because their expiry may be the server's.
    pub(crate) fn learn_date(&self, date: SystemTime) {
        if self.skew.add(date, self.now()) {
            self.change(|state| state.set_renewal_times(|credential| self.initial_renewal_times(credential)));
        }
    }
}
