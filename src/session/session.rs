//! A handle to the state that all clones of one middleware share.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::flight_request::NoCredential;
use super::session_core::SessionCore;
use super::slot::Stage;
use crate::credential::Credential;
use crate::error::{AuthReport, Error, Forbidden, StepUpError, StepUpKind};
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
    /// the call, or the report of its response. If another credential has arrived meanwhile, nothing happens. Returns whether
    /// the credential was still held.
    pub fn invalidate(&self, refused: &impl AsRef<AuthReport>) -> bool {
        let report = refused.as_ref();
        self.0.invalidate(report.signed, true)
    }

    /// Requests a credential with more scopes: those of the credential that a 403 refused and those that the 403 says are
    /// missing (RFC 6750 §3.1). One refresh serves all callers that request the same scopes. Then send a new request.
    ///
    /// # Errors
    /// - [`Error::StepUp`] if the 403 names no scopes, came from another server, or belongs to an earlier login; if the refused
    ///   credential already has these scopes; or if they were requested and not granted.
    /// - [`Error::Refresh`] if the refresher fails or declines.
    /// - [`Error::SessionEnded`] if the session is logged out.
    pub async fn step_up(&self, forbidden: &Forbidden) -> Result<Credential, Error> {
        let report = forbidden.report();
        let slot = self.0.slot_of(report.signed).unwrap_or_else(|| report.slot.clone());
        let held = self.0.current_in(&slot);
        let needed = forbidden.scopes_to_request();
        let refuse = |kind| Err(Error::StepUp(StepUpError(kind)));
        if forbidden.is_foreign() {
            return refuse(StepUpKind::Foreign);
        }
        if needed.is_empty() {
            return refuse(StepUpKind::NoScopes);
        }
        if held.stage == Stage::LoggedOut {
            return Err(Error::from(NoCredential::LoggedOut));
        }
        if report.epoch() != Some(held.epoch) {
            return refuse(StepUpKind::EarlierLogin);
        }
        // If the refresher does not name the granted scopes, the requested scopes were granted (RFC 6749 §5.1).
        let granted = held.credential.as_ref().and_then(Credential::scopes).unwrap_or_else(|| held.met_demand.scopes());
        if needed.iter().all(|scope| granted.contains(scope)) {
            return match &held.credential {
                Some(credential) if Some(held.generation) > report.generation() => Ok(credential.clone()),
                _ => refuse(StepUpKind::GrantedAndRefused),
            };
        }
        let is_requested = |scope| held.met_demand.scopes().contains(scope);
        if needed.iter().all(is_requested) {
            return refuse(StepUpKind::NotGranted);
        }
        let missing: Vec<_> = needed.into_iter().filter(|scope| !granted.contains(scope)).collect();
        let scopes = granted.iter().cloned().chain(missing.iter().cloned()).collect();
        let credential = self.0.step_up(slot, &held, scopes).await.map_err(Error::from)?.credential.clone();
        let credential = credential.ok_or_else(|| Error::from(NoCredential::Declined))?;
        let lacks = |granted: &[String]| missing.iter().any(|scope| !granted.contains(scope));
        if credential.scopes().is_some_and(lacks) { refuse(StepUpKind::NotGranted) } else { Ok(credential) }
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
