//! Requests for more scopes.

use std::sync::Arc;

use super::flight_request::NoCredential;
use super::session::Session;
use super::slot::Stage;
use super::types::Current;
use crate::credential::{Credential, SlotKey};
use crate::error::{Error, Forbidden, StepUpError, StepUpKind};

impl Session {
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
        match &held.credential {
            Some(_) if has_all(&held, &needed) && Some(held.generation) <= report.generation() => {
                refuse(StepUpKind::GrantedAndRefused)
            }
            _ => self.request_scopes(slot, held, needed).await,
        }
    }

    /// Requests a credential with these scopes and those of the held credential, for servers whose 403 names no scopes. If the held
    /// credential has all of them, it is returned and the refresher is not called. One refresh serves all callers that
    /// request the same scopes. Then send a new request.
    ///
    /// The credential is the one of the requests without a [partition](crate::Builder::partition_by).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), reqwest_challenge::BoxError> {
    /// use reqwest_challenge::{BoxError, ChallengeMiddleware, Credential, RefreshContext};
    ///
    /// /// An authorization server that grants each scope.
    /// async fn log_in(context: RefreshContext) -> Result<Credential, BoxError> {
    ///     Ok(Credential::bearer("token").with_scopes(context.demand().scopes().iter().cloned()))
    /// }
    ///
    /// let auth = ChallengeMiddleware::builder("https://api.example.com", log_in)
    ///     .initial_credential(Credential::bearer("first").with_scopes(["read"]))
    ///     .build()?;
    /// let credential = auth.session().step_up_to(["write"]).await?;
    /// assert_eq!(credential.scopes().unwrap(), ["read", "write"]);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// - [`Error::StepUp`] if no scope is named, or if the scopes were requested and not granted.
    /// - [`Error::Refresh`] if the refresher fails or declines, or if the server refused several new credentials in a row.
    /// - [`Error::SessionEnded`] if the session is logged out, or if a login succeeded meanwhile.
    pub async fn step_up_to<S: Into<String>>(&self, scopes: impl IntoIterator<Item = S>) -> Result<Credential, Error> {
        let mut needed: Vec<String> = Vec::new();
        for scope in scopes.into_iter().map(Into::into) {
            if !scope.is_empty() && !needed.contains(&scope) {
                needed.push(scope);
            }
        }
        if needed.is_empty() {
            return refuse(StepUpKind::NoScopes);
        }
        let mut held = self.0.current();
        if held.stage == Stage::New {
            // The scopes of the initial credential are requested again.
            self.0.initial(&held).await.map_err(Error::from)?;
            held = self.0.current();
        }
        if held.stage == Stage::LoggedOut {
            return Err(Error::from(NoCredential::LoggedOut));
        }
        self.request_scopes(SlotKey::Main, held, needed).await
    }

    /// A credential with the scopes of the held one and these, unless they were requested before and not granted.
    async fn request_scopes(
        &self,
        slot: SlotKey,
        held: Arc<Current>,
        needed: Vec<String>,
    ) -> Result<Credential, Error> {
        if let Some(credential) =
            held.credential.as_ref().filter(|_| held.stage == Stage::Ready && has_all(&held, &needed))
        {
            return Ok(credential.clone());
        }
        let is_requested = |scope| held.met_demand.scopes().contains(scope);
        if held.stage == Stage::Ready && needed.iter().all(is_requested) {
            return refuse(StepUpKind::NotGranted);
        }
        let granted = granted(&held);
        let missing: Vec<_> = needed.into_iter().filter(|scope| !granted.contains(scope)).collect();
        let scopes = granted.iter().cloned().chain(missing.iter().cloned()).collect();
        let credential = self.0.step_up(slot, &held, scopes).await.map_err(Error::from)?.credential.clone();
        let credential = credential.ok_or_else(|| Error::from(NoCredential::Declined))?;
        let lacks = |granted: &[String]| missing.iter().any(|scope| !granted.contains(scope));
        if credential.scopes().is_some_and(lacks) { refuse(StepUpKind::NotGranted) } else { Ok(credential) }
    }
}

fn refuse(kind: StepUpKind) -> Result<Credential, Error> {
    Err(Error::StepUp(StepUpError(kind)))
}

/// The scopes of what is held. If the refresher does not name the granted scopes, the requested scopes were granted (RFC 6749
/// §5.1).
fn granted(held: &Current) -> &[String] {
    held.credential.as_ref().and_then(Credential::scopes).unwrap_or_else(|| held.met_demand.scopes())
}

fn has_all(held: &Current, needed: &[String]) -> bool {
    needed.iter().all(|scope| granted(held).contains(scope))
}
