//! A handle to the state that all clones of one middleware share.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::flight_request::NoCredential;
use super::session_core::SessionCore;
use super::slot::Stage;
use crate::credential::Credential;
use crate::error::{AuthReport, Error};
use crate::util::ClockSkew;

/// A handle to the state that all clones of one middleware share: the identity that is logged in, and its credential.
#[derive(Clone)]
pub struct Session(pub(crate) Arc<SessionCore>);

impl Session {
    /// Returns the held credential, which the next request carries. A credential of
    /// [`Builder::initial_credential`](crate::Builder::initial_credential) is held from the start. One of
    /// [`Refresh::initial`](crate::Refresh::initial) is held after the first request has asked for it. `None` if there
    /// is no credential, or if it is known to be invalid.
    #[must_use]
    pub fn credential(&self) -> Option<Credential> {
        let held = self.0.current();
        held.credential.clone().filter(|_| held.stage == Stage::Ready)
    }

    /// Logs in: calls the refresher with [`RefreshReason::Login`](crate::RefreshReason::Login), and begins a new epoch with the
    /// credential that it returns. Until then, the held credential is sent and renewed as before. When the login
    /// succeeds, the result of any other refresh in progress is discarded. If a login is pending already, this call
    /// waits for that login.
    ///
    /// # Errors
    /// [`Error::Refresh`] if the refresher fails or declines; the held credential stays. [`Error::SessionEnded`] if a logout
    /// happened meanwhile.
    pub async fn login(&self) -> Result<Credential, Error> {
        let held = self.0.login().await.map_err(Error::from)?;
        held.credential.clone().ok_or_else(|| Error::from(NoCredential::Declined))
    }

    /// Logs out: forgets the credential of every slot, in the session and with [`Refresh::forget`](crate::Refresh::forget).
    /// Until the next login, requests are sent without a credential and a 401 is an error at once. If the session is logged
    /// out already, nothing happens.
    ///
    /// # Errors
    /// [`Error::Refresh`] if the refresher could not forget the credential, or could not be called: there is no tokio
    /// runtime, or the refresher itself logs out. The session itself always forgets the credential.
    pub async fn logout(&self) -> Result<(), Error> {
        self.0.logout().await.map_err(Error::from)
    }

    /// Marks the credential with which a call was signed as invalid, so that the next request renews first. Takes the error of
    /// the call, the report of its response, or a [`Fresh`](crate::Fresh). If another credential has arrived meanwhile, nothing
    /// happens. Returns whether the credential was still held.
    ///
    /// For a call, this also ends the cooldowns of refreshes that failed or did not help. For a `Fresh` it does not, and the
    /// refusal counts in the budget, because the caller may report every refusal of a server in this way.
    pub fn invalidate(&self, refused: &impl AsRef<AuthReport>) -> bool {
        let report = refused.as_ref();
        // Only the report of a `Fresh` names a credential and counts no attempt.
        let is_of_call = report.attempts > 0;
        if !is_of_call {
            self.0.was_refused(report.signed);
        }
        self.0.invalidate(report.signed, is_of_call)
    }

    /// Returns how far the server's clock is from the session's clock. `None` if they differ by 30 s at most, or if it is not
    /// known yet.
    ///
    /// The session learns it from the `Date` of the responses of its origins. It uses the median of the last five, once there
    /// are three that agree within 10 s. Schemes and refreshers get the server's time for what a server checks, such as the
    /// `iat` of a DPoP proof ([`RefreshContext::server_now`](crate::RefreshContext::server_now)). A credential that the
    /// session did not obtain itself, such as a stored one, is renewed when it has expired by either clock.
    #[must_use]
    pub fn clock_skew(&self) -> Option<ClockSkew> {
        self.0.clock_skew()
    }

    /// Waits until no refresh and no logout is running, but for at most `bound`. A command-line tool calls it before it exits,
    /// so that a new credential is saved. Returns whether all of them have ended.
    pub async fn wait_until_saved(&self, bound: Duration) -> bool {
        self.0.wait_until_saved(bound).await
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = self.0.current();
        f.debug_struct("Session")
            .field("origin", &self.0.origin().to_string())
            .field("epoch", &held.epoch)
            .field("generation", &held.generation)
            .field("credential", &held.credential)
            .finish_non_exhaustive()
    }
}
