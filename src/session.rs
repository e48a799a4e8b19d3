//! The handle on what all clones of one middleware share.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::credential::Credential;
use crate::error::{Error, Forbidden, StepUpError, StepUpKind};
use crate::refresh::{Core, Ended, Stage};
use crate::report::AuthReport;

/// The handle on what all clones of one middleware share: who is logged in, and with which credential.
#[derive(Clone)]
pub struct Session(pub(crate) Arc<Core>);

impl Session {
    /// The credential that is held now, which the next request carries: from the first on, if it was given to
    /// [`Builder::initially`](crate::Builder::initially). What [`Refresh::initial`](crate::Refresh::initial) gives is held once the
    /// first request has asked for it. `None` if there is none, or if it is known to be of no use.
    #[must_use]
    pub fn credential(&self) -> Option<Credential> {
        let held = self.0.current();
        held.credential.clone().filter(|_| held.stage == Stage::Open)
    }

    /// Logs in anew: asks the refresher, as [`Cause::Asked`](crate::Cause::Asked), and begins a new epoch with what it gives. Until
    /// then the credential that is held is sent, and renewed, as before. When the login ends, a refresh that was up is thrown
    /// away. If a login is pending already, this call waits for that one.
    ///
    /// # Errors
    /// [`Error::Refresh`] if the refresher fails or declines: what was held is held all the same. [`Error::Ended`] if a logout came
    /// between.
    pub async fn login(&self) -> Result<Credential, Error> {
        let held = self.0.login().await.map_err(Error::before_send)?;
        held.credential.clone().ok_or_else(|| Error::before_send(Ended::Declined))
    }

    /// Logs out: forgets the credential, here and by [`Refresh::forget`](crate::Refresh::forget). Until the next login, requests
    /// go without one and a 401 is an error at once. Logged out already, it does nothing.
    ///
    /// # Errors
    /// [`Error::Refresh`] if the refresher could not forget it, or could not be asked: without a runtime, and from inside of the
    /// refresher. Here it is forgotten all the same.
    pub async fn logout(&self) -> Result<(), Error> {
        self.0.logout().await.map_err(Error::before_send)
    }

    /// Marks the credential that a call went out with as of no use, by the call's error or report, so that the next
    /// request renews first. Nothing happens if another has come meanwhile. Returns whether it was the one that is held.
    pub fn invalidate(&self, refused: &impl AsRef<AuthReport>) -> bool {
        let report = refused.as_ref();
        self.0.invalidate(report.signed, true)
    }

    /// Asks for a credential that reaches further, by what a 403 says is missing (RFC 6750 §3.1): the scopes of the credential
    /// that it refused and the missing ones, together. One refresh serves all who ask for the same. Then send a new request.
    ///
    /// # Errors
    /// [`Error::StepUp`] if the 403 names no scopes, if another server said it, if it is of an earlier login, or if the
    /// credential that it refused was granted these very scopes, or if they were asked for and not granted; [`Error::Refresh`] if the refresher fails or declines;
    /// [`Error::Ended`] if nobody is logged in.
    pub async fn step_up(&self, forbidden: &Forbidden) -> Result<Credential, Error> {
        let report = forbidden.report();
        let slot = self.0.slot_of(report.signed).unwrap_or_else(|| report.slot.clone());
        let held = self.0.current_in(&slot);
        let needed = forbidden.scopes_to_ask();
        let refuse = |kind| Err(Error::StepUp(StepUpError(kind)));
        if forbidden.is_foreign() {
            return refuse(StepUpKind::Foreign);
        }
        if needed.is_empty() {
            return refuse(StepUpKind::NoScopes);
        }
        if held.stage == Stage::LoggedOut {
            return Err(Error::before_send(Ended::LoggedOut));
        }
        if report.epoch() != Some(held.epoch) {
            return refuse(StepUpKind::EarlierLogin);
        }
        // What was asked for and not refused counts as granted where the refresher does not say (RFC 6749 §5.1).
        let granted =
            held.credential.as_ref().and_then(Credential::granted_scopes).unwrap_or_else(|| held.met.scopes());
        if needed.iter().all(|scope| granted.contains(scope)) {
            return match &held.credential {
                Some(credential) if Some(held.generation) > report.generation() => Ok(credential.clone()),
                _ => refuse(StepUpKind::GrantedAndRefused),
            };
        }
        let was_asked = |scope| held.met.scopes().contains(scope);
        if needed.iter().all(was_asked) {
            return refuse(StepUpKind::NotGranted);
        }
        let missing: Vec<_> = needed.into_iter().filter(|scope| !granted.contains(scope)).collect();
        let scopes = granted.iter().cloned().chain(missing.iter().cloned()).collect();
        let credential = self.0.step_up(slot, &held, scopes).await.map_err(Error::before_send)?.credential.clone();
        let credential = credential.ok_or_else(|| Error::before_send(Ended::Declined))?;
        let lacks = |granted: &[String]| missing.iter().any(|scope| !granted.contains(scope));
        if credential.granted_scopes().is_some_and(lacks) { refuse(StepUpKind::NotGranted) } else { Ok(credential) }
    }

    /// Waits until no refresh and no logout is at work, for that long at most: what a command does before it exits, so that
    /// a new credential is saved. Returns whether it came to that.
    pub async fn settle(&self, bound: Duration) -> bool {
        self.0.settle(bound).await
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
