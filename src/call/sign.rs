//! Puts credentials on the requests of a call, and asks for newer ones before the first send.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use http::header::{AUTHORIZATION, HeaderValue};
use reqwest::Request;

use super::call::{Call, SentRequest};
use crate::BoxError;
use crate::challenge::Challenges;
use crate::credential::{Credential, SlotKey};
use crate::error::{AuthorizeError, Error, RefreshError, Signed};
use crate::refresh::RefreshReason;
use crate::session::{Current, NoCredential, Renewal, RenewalRequest, Stage};

impl Call<'_> {
    /// Puts the held credential on the first request, if nothing has to be waited for, as is nearly always the case.
    /// `None` if [`sign_first`](Self::sign_first) must do it.
    // Inlined for the row `GET` of the benchmark `engine`.
    #[inline]
    pub(crate) fn sign_at_once(&mut self, request: &mut Request) -> Option<Result<(), Error>> {
        let held = &self.held;
        let is_plain = self.options.identity.is_none() && held.stage == Stage::Ready;
        let is_ready =
            || is_plain && !self.is_due(held.renew_at.before_send) && !self.is_due(held.renew_at.in_background);
        let credential = held.credential.as_ref().filter(|_| is_ready())?;
        if Self::is_set_by_caller(request, credential) {
            return None;
        }
        let put = credential.put_on(request)?;
        self.report.attempts = 1;
        self.report.signed = Some(Signed { epoch: held.epoch, generation: held.generation });
        self.is_signed_at_once = true;
        Some(put.map_err(|source| not_signed(credential, source)))
    }

    /// Puts the held credential on the first request. Asks for the initial credential and renews an expired one first.
    pub(crate) async fn sign_first(&mut self, request: &mut Request) -> Result<(), Error> {
        if let Some(identity) = self.options.identity.clone() {
            self.has_caller_credential = true;
            return self.sign(request, Some(identity)).await;
        }
        if self.held.stage == Stage::New {
            match self.shared.session.initial(&self.held).await {
                // Nothing was signed yet. The request is sent with what is held now, or without a credential.
                Ok(_) | Err(NoCredential::SessionChanged | NoCredential::LoggedOut) => {}
                // If the caller set a credential, no other is needed.
                Err(_) if request.headers().contains_key(AUTHORIZATION) => {}
                Err(none) => return Err(Error::from(none)),
            }
            self.held = self.shared.session.current_in(&self.slot);
        }
        let known = self.held.credential.clone();
        let is_own = known.as_ref().map(|credential| Self::is_set_by_caller(request, credential));
        if is_own.unwrap_or_else(|| request.headers().contains_key(AUTHORIZATION)) {
            self.has_caller_credential = true;
            return self.sign(request, known).await;
        }
        match self.reason_to_renew_first() {
            Some(reason) => self.renew_first(reason).await?,
            None => self.renew_ahead(),
        }
        self.sign(request, self.held.credential.clone()).await
    }

    /// The reason to ask the session for another credential before the first send. `None` if there is no such reason.
    fn reason_to_renew_first(&self) -> Option<RefreshReason> {
        let held = &self.held;
        if held.credential.is_some() {
            let is_expired = held.stage == Stage::Invalid || self.is_due(held.renew_at.before_send);
            return is_expired.then_some(RefreshReason::Expired);
        }
        let settings = &self.shared.settings;
        let is_stream = matches!(self.sent, SentRequest::Head(..));
        let asks = settings.login_first || settings.refresh_before_streams && is_stream;
        (asks && held.stage == Stage::Ready).then_some(RefreshReason::Login)
    }

    /// Starts a renewal in the background, if the credential is due for one.
    fn renew_ahead(&self) {
        if self.held.credential.is_some() && self.is_due(self.held.renew_at.in_background) {
            self.shared.session.renew_soon(self.slot.clone(), &self.held);
        }
    }

    fn is_due(&self, time: Option<SystemTime>) -> bool {
        time.is_some_and(|time| time <= self.shared.session.now())
    }

    /// Asks the session for another credential before the first send.
    async fn renew_first(&mut self, reason: RefreshReason) -> Result<(), Error> {
        let started = Instant::now();
        let is_invalid = self.held.stage == Stage::Invalid;
        if !self.shared.session.answers_without_challenge() && (is_invalid || reason == RefreshReason::Login) {
            self.send_without_credential();
            return Ok(());
        }
        let mut request = RenewalRequest::of(reason, self.slot.clone(), &self.held);
        // A call that has no credential waits for a pending login.
        request.is_unsigned = reason == RefreshReason::Login && self.slot == SlotKey::Main;
        request.request = Some(self.with_challenges(Challenges::default()));
        let renewal = self.shared.session.renew(request).await;
        self.report.waited += started.elapsed();
        self.take_first_renewal(renewal, is_invalid)
    }

    /// Uses the newer credential for the first send. If there is none, the old credential is sent, even if it has
    /// expired by the local clock, because the server decides. A credential that is marked as invalid (`is_invalid`)
    /// is not sent.
    fn take_first_renewal(
        &mut self,
        renewal: Result<Renewal, NoCredential<RefreshError>>,
        is_invalid: bool,
    ) -> Result<(), Error> {
        match renewal {
            Ok(renewal) => {
                self.report.renewal = Some(renewal.renewed);
                self.has_renewed = true;
                self.held = renewal.held;
            }
            // Nothing was signed yet, so the request is sent with the credential of the new login.
            Err(NoCredential::SessionChanged) => self.held = self.shared.session.current_in(&self.slot),
            Err(NoCredential::Declined | NoCredential::Unchanged) => {
                // A call causes at most one refresh: if the refresher declined just now, this call does not ask it
                // again after the 401. A remembered refusal does not count, because the refresher was not called for
                // it.
                self.is_declined = self.shared.session.current().failures > self.held.failures;
                if is_invalid {
                    self.send_without_credential();
                }
            }
            Err(NoCredential::TooSoon | NoCredential::BudgetExhausted) => {}
            // A server that refuses requests without a credential by 403 would hide this failure.
            Err(NoCredential::Failed(error)) if self.held.credential.is_none() && self.shared.settings.login_first => {
                return Err(Error::Refresh(error));
            }
            Err(NoCredential::Failed(error)) if !is_invalid && (error.is_transient() || !self.has_expired()) => {
                self.failure = Some(error);
            }
            Err(none) => return Err(Error::from(none)),
        }
        Ok(())
    }

    /// Removes the credential, so that the request is sent without one. The request then counts as signed after all
    /// failures so far, so its own 401 does not share them.
    fn send_without_credential(&mut self) {
        let now = self.shared.session.current();
        let held = Current::clone(&self.held);
        self.held = Arc::new(Current { credential: None, generation: 0, failures: now.failures, ..held });
    }

    /// Whether the expiry of the credential has passed. A credential that is only due for renewal has not expired.
    pub(super) fn has_expired(&self) -> bool {
        let expiry = self.held.credential.as_ref().and_then(Credential::expiry);
        expiry.is_some_and(|expiry| expiry <= self.shared.session.now())
    }

    /// Whether the caller set the header field that the credential would set.
    pub(super) fn is_set_by_caller(request: &Request, credential: &Credential) -> bool {
        credential.header_name().is_some_and(|name| request.headers().contains_key(name))
    }

    /// Puts a credential on a request that is about to be sent.
    pub(super) async fn sign(&mut self, request: &mut Request, credential: Option<Credential>) -> Result<(), Error> {
        let attempt = usize::from(self.report.attempts.min(1));
        self.report.attempts += 1;
        let has_identity = self.options.identity.is_some();
        let is_set =
            !has_identity && credential.as_ref().is_some_and(|credential| Self::is_set_by_caller(request, credential));
        if self.has_caller_credential || is_set {
            self.has_caller_credential = true;
            self.list_caller_fields(request, credential.as_ref());
            if !has_identity {
                return Ok(());
            }
        } else {
            self.report.signed = Some(Signed { epoch: self.held.epoch, generation: self.held.generation });
        }
        let Some(credential) = credential else { return Ok(()) };
        if let Some(authorize) = credential.authorizer() {
            let signed = authorize.authorize(request, self.shared.session.server_now()).await;
            signed.map_err(|source| not_signed(&credential, source))?;
            let header = credential.header_name();
            let is_other = |(name, value): &(&_, &HeaderValue)| Some(*name) != header && value.is_sensitive();
            let others = request.headers().iter().filter(is_other).map(|(_, value)| value);
            // The scheme's own header is the last one, where `sent_header` finds it.
            let made = others.chain(header.into_iter().flat_map(|name| request.headers().get_all(name)));
            self.report.echoes.extend(made.cloned().map(Credential::of_caller));
        } else if let Some(Err(source)) = credential.put_on(request) {
            return Err(not_signed(&credential, source));
        }
        self.report.sent[attempt] = Some(credential);
        Ok(())
    }

    /// Lists the credentials that the caller set, so that they are masked in errors.
    fn list_caller_fields(&mut self, request: &Request, credential: Option<&Credential>) {
        let name = credential.and_then(Credential::header_name).unwrap_or(&AUTHORIZATION);
        let values = [name, &AUTHORIZATION].into_iter().filter_map(|name| request.headers().get(name));
        self.report.echoes.extend(values.cloned().map(Credential::of_caller));
    }
}

fn not_signed(credential: &Credential, source: BoxError) -> Error {
    Error::Authorize(AuthorizeError { scheme: credential.scheme().into(), sent: false, source: source.into() })
}
