//! The settings of the session: its origins, its credential, its clock and its times.

use std::sync::Arc;
use std::time::Duration;

use super::builder::Builder;
use crate::credential::Credential;
use crate::refresh::Clock;
use crate::session::{Event, Listeners};
use crate::util::clamped;

impl Builder {
    /// Adds an origin of the same protection space. The same credential is sent there.
    pub fn origin(mut self, origin: impl AsRef<str>) -> Self {
        self.origins.push(origin.as_ref().to_owned());
        self
    }

    /// Sets the credential that is sent from the first request on, instead of the refresher's initial one.
    pub fn initial_credential(mut self, credential: Credential) -> Self {
        self.initial_credential = Some(credential);
        self
    }

    /// Sets the client that refreshers get for their own calls, with its proxy and its certificates. Build it with
    /// `redirect(Policy::none())`. Otherwise, if a server answers a refresher's POST with a 307, the client sends the
    /// secret in that POST to another server.
    ///
    /// If no client is set, one without redirects, cookies and `Referer` is built when a refresher first asks for it.
    pub fn refresh_client(mut self, client: reqwest::Client) -> Self {
        self.refresh_client = Some(client);
        self
    }

    /// Ignores the `Date` of responses. By default the session learns from them
    /// [how far the server's clock is from its own](crate::Session::clock_skew). Set this in a test with a clock that shows
    /// another time than the test's server.
    pub fn ignore_dates(mut self) -> Self {
        self.reads_dates = false;
        self
    }

    /// Sets the clock, for tests. The default is the system's clock. If the test's server sends the `Date` of another clock,
    /// set [`ignore_dates`](Self::ignore_dates) too.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// Sets how long before its expiry a credential is renewed. The default is 30 s, which covers a slow request and a clock
    /// that is slightly wrong. The margin is at most a tenth of the lifetime. A credential whose lifetime is shorter than
    /// this is sent until the server refuses it.
    pub fn expiry_margin(mut self, span: Duration) -> Self {
        self.timing.expiry_margin = clamped(span);
        self
    }

    /// Renews in the background, up to that long before the renewal is due. The first request after a random moment in that
    /// time starts it, so that many clients do not ask at once. If it fails, the failure is remembered and the held credential
    /// is sent. Off by default, so that no task runs for which no caller waits.
    pub fn renew_ahead(mut self, span: Duration) -> Self {
        self.timing.background_span = Some(clamped(span));
        self
    }

    /// Sets how many [partitions](Self::partition_by), and resources that the server names, keep their credential. The default
    /// is 256. If there are more, the credential that was used least recently is dropped, and the next request of its
    /// partition costs a refresh. A partition needs about 1 KiB beyond its credential. Zero counts as one.
    pub fn max_partitions(mut self, partitions: usize) -> Self {
        self.timing.max_slots = partitions.max(1);
        self
    }

    /// Sets how long a refresh may take, instead of [`Refresh::timeout`](crate::Refresh::timeout).
    pub fn refresh_timeout(mut self, span: Duration) -> Self {
        self.timing.refresh_timeout = Some(clamped(span));
        self
    }

    /// Sets how long a temporary failure of a refresh is remembered, if the server does not name a time. During that time
    /// calls get the same error and no refresh starts. The default is 1 s, so that a thousand callers do not ask a token
    /// endpoint that is down a thousand times.
    pub fn transient_backoff(mut self, span: Duration) -> Self {
        self.timing.transient_backoff = clamped(span);
        self
    }

    /// Sets how long a final failure of a refresh is remembered. During that time calls get the same error and no
    /// refresh starts. The default is 30 s. A login ends this time early. No failure is remembered forever, because
    /// its cause may be repaired elsewhere.
    pub fn failure_cooldown(mut self, span: Duration) -> Self {
        self.timing.failure_cooldown = clamped(span);
        self
    }

    /// Sets a function that is called with each [`Event`], for an audit without `tracing`. It runs on the task of the request
    /// or of the refresh, so it should return quickly.
    pub fn on_event(mut self, listener: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.listeners = Listeners(Some(Arc::new(listener)));
        self
    }

    /// Allows origins with plain `http` that are not on this machine. Every system on the network path can then read the
    /// credential.
    pub fn dangerous_allow_plaintext(mut self) -> Self {
        self.is_plaintext_allowed = true;
        self
    }
}
