//! When a credential is renewed.

use std::hash::{BuildHasher, RandomState};
use std::time::SystemTime;

use super::flight_request::Purpose;
use super::session_core::SessionCore;
use super::slot::RenewalTimes;
use crate::credential::Credential;

impl SessionCore {
    /// From when on a credential is renewed before it is sent, and in the background.
    pub(super) fn renewal_times(&self, purpose: Purpose, credential: &Credential) -> RenewalTimes {
        // A stored credential may have expired since it was saved. If a new credential looks expired, a clock is wrong.
        let is_expired = |time: &SystemTime| purpose == Purpose::Initial && *time <= self.now();
        let before_send = self.before_send(credential).or_else(|| credential.expiry().filter(is_expired));
        RenewalTimes { before_send, in_background: before_send.and_then(|time| self.in_background(time)) }
    }

    /// From when on a credential is renewed before it is sent. `None` for a credential that arrives expired or lives for less
    /// than the expiry margin: one of the clocks is wrong, so its expiry is not reliable.
    fn before_send(&self, credential: &Credential) -> Option<SystemTime> {
        let expiry = credential.expiry()?;
        let lifetime = expiry.duration_since(self.now()).ok()?;
        let margin = self.timing.expiry_margin.min(lifetime / 10);
        (lifetime > self.timing.expiry_margin).then(|| expiry.checked_sub(margin)).flatten()
    }

    /// A random time in the span before the renewal is due, so that many processes do not renew at the same time.
    fn in_background(&self, before_send: SystemTime) -> Option<SystemTime> {
        let span = self.timing.background_span?;
        // The system chooses random keys for each hasher.
        let random = RandomState::new().hash_one(before_send) as u32;
        before_send.checked_sub(span.mul_f64(f64::from(random) / f64::from(u32::MAX)))
    }
}
