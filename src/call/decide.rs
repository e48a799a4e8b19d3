//! Decides what is done about a 401 of the API. No step here waits.

use std::sync::Arc;
use std::time::SystemTime;

use http::header::HeaderValue;
use reqwest::{Request, Response};

use super::call::{Call, Decision, Refusal, SentRequest};
use crate::challenge::Challenges;
use crate::credential::{Credential, Observed, ResponseHead, SlotKey};
use crate::error::{AuthorizeError, Error, RefreshError, Renewed, Signed, UnauthorizedReason};
use crate::origin::url_without_secrets;
use crate::refresh::{Question, RefreshReason, RefusedRequest};
use crate::session::{ChallengeDefect, Event, NoCredential, Renewal, RenewalRequest, Stage};

impl Call<'_> {
    /// Reads the challenges of a 401 of the API, and reports them as an event.
    pub(super) fn refused_request(&self, response: &Response) -> Arc<RefusedRequest> {
        let challenges = Challenges::from_headers(response.headers());
        self.shared.session.listeners().notify(|| Event::Challenged {
            method: self.sent.method().clone(),
            url: url_without_secrets(self.sent.url()),
            status: response.status(),
            schemes: challenges.iter().map(|challenge| challenge.known_scheme()).collect(),
            defects: challenges.defects().map(ChallengeDefect::from).collect(),
        });
        self.with_challenges(challenges)
    }

    /// Decides what is done about the first 401.
    pub(super) fn decide(&mut self, response: &Response, refused: &Arc<RefusedRequest>) -> Result<Decision, Error> {
        let challenges = &refused.challenges;
        let refuse = |reason: UnauthorizedReason| Ok(Decision::Refuse(reason.into()));
        if self.has_caller_credential {
            return refuse(UnauthorizedReason::CallerCredential);
        }
        if self.options.no_retry {
            return refuse(UnauthorizedReason::NoRetry);
        }
        self.report.findings.add(self.lint(response, &[], Some(challenges)));
        if self.observe(response, challenges)? == Observed::Retry {
            self.report.renewal = Some(Renewed::ByScheme);
            return Ok(Decision::RetryByScheme);
        }
        self.record_refused_credential();
        // Before the first send the refresher declined or failed, so this call does not ask it again. Another call may
        // have renewed the credential meanwhile.
        let was_asked = self.is_declined || self.failure.is_some();
        if was_asked && !self.has_newer_credential() {
            let refusal = self.failure.take().map_or(UnauthorizedReason::Declined.into(), Refusal::from);
            return Ok(Decision::Refuse(refusal));
        }
        if !self.shared.settings.answers(challenges) {
            return refuse(UnauthorizedReason::Declined);
        }
        let mut request = self.renewal_request(refused.clone());
        let now = || self.shared.session.now();
        let is_cooling_down =
            || self.shared.rejecting_paths.is_cooling_down(&refused.method, &refused.url, self.held.epoch, now);
        // During the cooldown of a path no refresh starts. A newer credential that is already held is still used.
        request.may_start = !(self.has_renewed || was_asked || request.demand.is_plain() && is_cooling_down());
        Ok(Decision::Renew(request))
    }

    /// Whether another call has renewed the credential that this one was signed with.
    fn has_newer_credential(&self) -> bool {
        let now = self.shared.session.current_in(&self.slot);
        now.epoch == self.held.epoch && now.stage == Stage::Ready && now.generation > self.held.generation
    }

    /// What the session is asked for after a 401: a credential for the slot of the resource that the challenges name.
    pub(super) fn renewal_request(&mut self, refused: Arc<RefusedRequest>) -> RenewalRequest {
        let in_partition = matches!(self.slot, SlotKey::Partition(_));
        let Question { demand, id, resource } = Question::of(&refused.challenges, in_partition);
        let learn = |resource: String| self.shared.resources.learn(&refused.url, &resource);
        let named = resource.filter(|_| !in_partition).map(learn);
        let slot = named.unwrap_or_else(|| self.slot.clone());
        let mut request = RenewalRequest::of(RefreshReason::Challenged, slot, &self.held);
        // The refused credential of another slot says nothing about the credential of this slot.
        if request.slot != self.slot {
            request.generation = 0;
            (request.is_unsigned, request.has_credential) = (false, false);
        }
        self.report.slot = request.slot.clone();
        (request.demand, request.question_id, request.request) = (demand, id, Some(refused));
        request
    }

    /// Uses the newer credential from now on, or says why there is none.
    pub(super) fn take_renewal(&mut self, renewal: Result<Renewal, NoCredential<RefreshError>>) -> Result<(), Refusal> {
        let renewal = renewal?;
        self.report.renewal = Some(renewal.renewed);
        // The refused credential is not sent again.
        if renewal.held.credential.is_some() && renewal.held.credential == self.held.credential {
            return Err(UnauthorizedReason::StillRejected.into());
        }
        self.held = renewal.held;
        Ok(())
    }

    /// The request to send again.
    ///
    /// # Errors
    /// The reason why it must not be sent again.
    pub(super) fn second_request(
        &mut self,
        answered: &Response,
        mut refused: Arc<RefusedRequest>,
    ) -> Result<Request, UnauthorizedReason> {
        // A login or a logout may have happened while the rest of the response was read.
        let now = self.shared.session.current();
        if now.epoch != self.held.epoch {
            return Err(if now.stage == Stage::LoggedOut {
                UnauthorizedReason::LoggedOut
            } else {
                UnauthorizedReason::SessionChanged
            });
        }
        if self.target().is_redirected_unsafe(answered) {
            return Err(UnauthorizedReason::Redirected);
        }
        if self.shared.settings.safe_methods_only && !self.sent.method().is_safe() {
            return Err(UnauthorizedReason::NoRetry);
        }
        if let (SentRequest::Copy(copy), Some(credential)) = (&self.sent, &self.held.credential)
            && credential.header_name().is_some_and(|name| copy.headers().iter().any(|(set, _)| set == name))
        {
            return Err(UnauthorizedReason::CallerCredential);
        }
        // The challenges hold the buffer of the connection, which the next response needs.
        if let Some(only) = Arc::get_mut(&mut refused) {
            only.challenges = Challenges::default();
        }
        match std::mem::replace(&mut self.sent, SentRequest::Head(refused)) {
            SentRequest::Copy(copy) => Ok(copy.into_request(self.options.body.as_deref())),
            SentRequest::Head(_) => Err(UnauthorizedReason::NotReplayable),
        }
    }

    /// Records that the server refused the credential of the last send.
    pub(super) fn record_refused_credential(&mut self) {
        if let Some(Signed { generation, .. }) = self.report.signed {
            self.shared.session.was_refused(self.report.signed);
            self.is_accepted_elsewhere |= self.shared.accepted_urls.has_other_path(generation, self.sent.url());
        }
    }

    /// Shows the response to the scheme that signed the request.
    pub(super) fn observe(&self, response: &Response, challenges: &Challenges) -> Result<Observed, Error> {
        let Some(credential) = self.last_sent() else { return Ok(Observed::Nothing) };
        let authorize = credential.authorizer().filter(|_| !self.target().is_foreign(response));
        let Some(authorize) = authorize else { return Ok(Observed::Nothing) };
        let clock = || self.shared.session.server_now();
        authorize.observe(&head(response, challenges, self.sent_header(credential), &clock)).map_err(|source| {
            Error::Authorize(AuthorizeError { scheme: credential.scheme().into(), sent: true, source: source.into() })
        })
    }

    /// Shows the 401 to the scheme of the new credential, so that the scheme can learn from it, for example a nonce.
    pub(super) fn learn(&self, response: &Response, challenges: &Challenges) {
        if let Some(authorize) = self.held.credential.as_ref().and_then(Credential::authorizer) {
            let sent = self.last_sent().and_then(|refused| self.sent_header(refused));
            authorize.learn(&head(response, challenges, sent, &|| self.shared.session.server_now()));
        }
    }

    /// The header of the last send, which carried this credential. A scheme makes its header anew for each send.
    pub(super) fn sent_header<'c>(&'c self, sent: &'c Credential) -> Option<&'c HeaderValue> {
        let is_named = sent.authorizer().is_some_and(|authorize| authorize.header_name().is_some());
        let made = self.report.echoes.last().filter(|_| is_named);
        sent.header_value().or_else(|| made.and_then(Credential::header_value))
    }

    pub(super) fn last_sent(&self) -> Option<&Credential> {
        let at_once = || self.held.credential.as_ref().filter(|_| self.is_signed_at_once);
        self.report.sent.iter().rev().flatten().next().or_else(at_once)
    }
}

impl From<NoCredential<RefreshError>> for Refusal {
    fn from(none: NoCredential<RefreshError>) -> Self {
        match none {
            NoCredential::Failed(error) => error.into(),
            NoCredential::Declined => UnauthorizedReason::Declined.into(),
            NoCredential::Unchanged | NoCredential::TooSoon => UnauthorizedReason::StillRejected.into(),
            NoCredential::BudgetExhausted => UnauthorizedReason::BudgetExhausted.into(),
            NoCredential::SessionChanged => UnauthorizedReason::SessionChanged.into(),
            NoCredential::LoggedOut => UnauthorizedReason::LoggedOut.into(),
        }
    }
}

pub(super) fn head<'r>(
    response: &'r Response,
    challenges: &'r Challenges,
    sent: Option<&'r HeaderValue>,
    clock: &'r (dyn Fn() -> SystemTime + Send + Sync),
) -> ResponseHead<'r> {
    let (status, url, headers) = (response.status(), response.url(), response.headers());
    ResponseHead { status, url, headers, challenges, sent, clock }
}
