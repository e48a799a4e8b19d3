//! Puts credentials on the requests of a call, and asks for newer ones before a send.

use std::sync::Arc;
use std::time::Instant;

use http::header::{AUTHORIZATION, HeaderValue};
use reqwest::Request;

use super::state::{Call, Kept};
use crate::BoxError;
use crate::challenge::Challenges;
use crate::credential::Credential;
use crate::error::{AuthorizeError, Error, Signed};
use crate::refresh::{RefreshReason, RefusedRequest};
use crate::session::{Current, NoCredential, RenewalRequest, Stage};

impl Call<'_> {
    /// Puts the current credential on the first request, if there is nothing to wait for: nearly always.
    #[inline]
    pub(crate) fn sign_now(&mut self, request: &mut Request) -> Option<Result<(), Error>> {
        let held = &self.held;
        let due = |time: Option<_>| time.is_some_and(|time| time <= self.of.session.now());
        let plain = !self.callers_own && self.options.identity.is_none() && held.stage == Stage::Ready;
        let credential = held
            .credential
            .as_ref()
            .filter(|_| plain && !due(held.renew_at.before_send) && !due(held.renew_at.in_background))?;
        if Self::is_set_by_caller(request, credential) {
            return None;
        }
        let put = credential.put_on(request)?;
        self.report.attempts = 1;
        self.report.signed = Some(Signed { epoch: held.epoch, generation: held.generation });
        self.signed_now = true;
        Some(put.map_err(|source| unsigned(credential, source)))
    }

    /// Puts the current credential on the first request, renewed if it is known to be of no use.
    pub(crate) async fn sign_first(&mut self, request: &mut Request) -> Result<(), Error> {
        if let Some(identity) = self.options.identity.clone() {
            self.callers_own = true;
            return self.sign(request, Some(identity)).await;
        }
        if self.held.stage == Stage::New {
            match self.of.session.initial(&self.held).await {
                // Nothing was signed yet. The request is sent with what is held now, or without a credential.
                Ok(_) | Err(NoCredential::SessionChanged | NoCredential::LoggedOut) => {}
                // If the caller set a credential, no other is needed.
                Err(_) if request.headers().contains_key(AUTHORIZATION) => {}
                Err(ended) => return Err(Error::from(ended)),
            }
            self.held = self.of.session.current_in(&self.slot);
        }
        let known = self.held.credential.clone();
        let is_own = known.as_ref().map(|credential| Self::is_set_by_caller(request, credential));
        if is_own.unwrap_or_else(|| request.headers().contains_key(AUTHORIZATION)) {
            self.callers_own = true;
            return self.sign(request, known).await;
        }
        self.renew_first().await?;
        self.sign(request, self.held.credential.clone()).await
    }

    async fn renew_first(&mut self) -> Result<(), Error> {
        let due = |time: Option<_>| time.is_some_and(|time| time <= self.of.session.now());
        let held = &self.held;
        let cause = if held.credential.is_some() {
            if held.stage != Stage::Invalid && !due(held.renew_at.before_send) {
                if due(held.renew_at.in_background) {
                    self.of.session.renew_soon(self.slot.clone(), held);
                }
                return Ok(());
            }
            RefreshReason::Expired
        } else {
            let stream = matches!(self.sent, Kept::Head(..));
            if !(self.of.settings.eager && stream && held.stage == Stage::Ready) {
                return Ok(());
            }
            RefreshReason::Login
        };
        self.renew_before(cause).await
    }

    async fn renew_before(&mut self, cause: RefreshReason) -> Result<(), Error> {
        let started = Instant::now();
        let stale = self.held.stage == Stage::Invalid;
        if !self.of.session.answers_without_challenge() && (stale || cause == RefreshReason::Login) {
            self.go_without();
            return Ok(());
        }
        let mut want = RenewalRequest::of(cause, self.slot.clone(), &self.held);
        want.request = Some(self.occasion(Challenges::default()));
        let renewal = self.of.session.renew(want).await;
        self.report.waited += started.elapsed();
        match renewal {
            Ok(renewal) => {
                self.report.renewal = Some(renewal.renewed);
                self.spent = true;
                self.held = renewal.held;
                Ok(())
            }
            // Nothing was signed yet: whoever is logged in now sends it.
            Err(NoCredential::SessionChanged) => {
                self.held = self.of.session.current_in(&self.slot);
                Ok(())
            }
            Err(NoCredential::Declined | NoCredential::Unchanged) => {
                // One refresh per call: if the refresher declined just now, the 401 does not ask it again. A remembered
                // refusal does not count.
                self.declined = self.of.session.current().failures > self.held.failures;
                if stale {
                    self.go_without();
                }
                // Otherwise the old credential is sent: the server's answer counts more than the local clock.
                Ok(())
            }
            Err(NoCredential::TooSoon | NoCredential::BudgetExhausted) => Ok(()),
            Err(NoCredential::Failed(error)) if !stale && (error.is_transient() || !self.has_expired()) => {
                self.failed = Some(error);
                Ok(())
            }
            Err(ended) => Err(Error::from(ended)),
        }
    }

    /// Sends the request without a credential. It counts as signed after all failures so far, so its own 401 does not
    /// share them.
    fn go_without(&mut self) {
        let now = self.of.session.current();
        let held = Current::clone(&self.held);
        self.held = Arc::new(Current { credential: None, generation: 0, failures: now.failures, ..held });
    }

    /// Whether the credential has expired by its own expiry, and is not only due for renewal.
    pub(crate) fn has_expired(&self) -> bool {
        let expiry = self.held.credential.as_ref().and_then(Credential::expiry);
        expiry.is_some_and(|expiry| expiry <= self.of.session.now())
    }

    /// Whether the caller set the very header that the credential would.
    pub(crate) fn is_set_by_caller(request: &Request, credential: &Credential) -> bool {
        credential.header_name().is_some_and(|name| request.headers().contains_key(name))
    }

    /// Puts a credential on the request, which is about to be sent.
    pub(crate) async fn sign(&mut self, request: &mut Request, credential: Option<Credential>) -> Result<(), Error> {
        let attempt = usize::from(self.report.attempts.min(1));
        self.report.attempts += 1;
        let theirs = credential.as_ref().filter(|_| self.options.identity.is_none());
        if self.callers_own || theirs.is_some_and(|credential| Self::is_set_by_caller(request, credential)) {
            self.callers_own = true;
            let name = credential.as_ref().and_then(Credential::header_name).unwrap_or(&AUTHORIZATION);
            let echoes = [name, &AUTHORIZATION].into_iter().filter_map(|name| request.headers().get(name));
            self.report.echoes.extend(echoes.cloned().map(Credential::of_caller));
            if self.options.identity.is_none() {
                return Ok(());
            }
        } else {
            self.report.signed = Some(Signed { epoch: self.held.epoch, generation: self.held.generation });
        }
        let Some(credential) = credential else { return Ok(()) };
        let Some(authorize) = credential.authorizer() else {
            credential.put_on(request).unwrap_or(Ok(())).map_err(|source| unsigned(&credential, source))?;
            self.report.sent[attempt] = Some(credential);
            return Ok(());
        };
        authorize.authorize(request, self.of.session.now()).await.map_err(|source| unsigned(&credential, source))?;
        let is_secret =
            |(name, value): &(&_, &HeaderValue)| Some(*name) == credential.header_name() || value.is_sensitive();
        let made = request.headers().iter().filter(is_secret).map(|(_, value)| Credential::of_caller(value.clone()));
        self.report.echoes.extend(made);
        self.report.sent[attempt] = Some(credential);
        Ok(())
    }

    /// Of this call, refused with these challenges.
    pub(crate) fn occasion(&self, challenges: Challenges) -> Arc<RefusedRequest> {
        Arc::new(RefusedRequest { method: self.sent.method().clone(), url: self.sent.url().clone(), challenges })
    }
}

fn unsigned(credential: &Credential, source: BoxError) -> Error {
    Error::Authorize(AuthorizeError { scheme: credential.scheme().into(), sent: false, source: source.into() })
}
