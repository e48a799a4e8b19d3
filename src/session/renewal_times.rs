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
        match purpose {
            Purpose::Initial => self.initial_renewal_times(credential),
            Purpose::Renew | Purpose::Login => {
                self.with_background(credential.expiry().and_then(|expiry| self.before_send(expiry)))
            }
        }
    }

    /// The renewal times of a credential that no refresh of this session obtained. It may have expired since it was saved.
    ///
    /// Its expiry may be a time of the session's clock or of the server's clock. The earlier of the two counts, so
    /// the server can never make the credential live longer. The expiry of a credential that a refresh obtained is
    /// always a time of the session's clock. Otherwise a server with a wrong `Date` could cause one early refresh
    /// after the other.
    pub(super) fn initial_renewal_times(&self, credential: &Credential) -> RenewalTimes {
        let Some(expiry) = credential.expiry() else { return RenewalTimes::default() };
        let of_server = self.clock_skew().map(|skew| skew.local_time(expiry));
        let time = |expiry| self.before_send(expiry).or_else(|| Some(expiry).filter(|time| *time <= self.now()));
        self.with_background([Some(expiry), of_server].into_iter().flatten().filter_map(time).min())
    }

    fn with_background(&self, before_send: Option<SystemTime>) -> RenewalTimes {
        RenewalTimes { before_send, in_background: before_send.and_then(|time| self.in_background(time)) }
    }

    /// From when on a credential with this expiry is renewed before it is sent. `None` if it arrives expired or lives for less
    /// than the expiry margin: one of the clocks is wrong, so the expiry is not reliable.
    fn before_send(&self, expiry: SystemTime) -> Option<SystemTime> {
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
