//! What is done about a 401 of ours: decisions, without waiting for anything.

use crate::credential::SlotKey;
use std::sync::Arc;

use reqwest::{Request, Response};

use super::state::{Call, Kept};
use crate::challenge::Challenges;
use crate::credential::Observed;
use crate::error::RefreshError;
use crate::error::Renewed;
use crate::error::{Error, UnauthorizedReason};
use crate::refresh::{Question, RefreshReason, RefusedRequest};
use crate::session::{NoCredential, Renewal, RenewalRequest, Stage};

/// What is done about a 401.
pub(crate) enum Decision {
    Refuse(UnauthorizedReason),
    /// A renewal before the send failed already.
    Fail(RefreshError),
    /// The scheme answers by itself.
    Retry,
    Renew(RenewalRequest),
}

impl Call<'_> {
    /// What is done about a 401 of ours.
    pub(crate) fn challenged(&mut self, response: &Response, refused: &Arc<RefusedRequest>) -> Result<Decision, Error> {
        let challenges = &refused.challenges;
        if self.callers_own {
            return Ok(Decision::Refuse(UnauthorizedReason::CallerCredential));
        }
        if self.options.no_retry {
            return Ok(Decision::Refuse(UnauthorizedReason::NoRetry));
        }
        self.report.findings.add(self.look(response, (&[], Some(challenges))));
        if self.observe(response, challenges)? == Observed::Retry {
            self.report.renewal = Some(Renewed::ByScheme);
            return Ok(Decision::Retry);
        }
        self.refused_by_server();
        // The refresher was asked before the send, and another call may have a newer credential since.
        let was_asked = self.declined || self.failed.is_some();
        if was_asked && !self.newer_is_held() {
            return Ok(self.failed.take().map_or(Decision::Refuse(UnauthorizedReason::Declined), Decision::Fail));
        }
        if !self.of.settings.answers(challenges) {
            return Ok(Decision::Refuse(UnauthorizedReason::Declined));
        }
        let mut want = self.want_after(refused.clone());
        let now = || self.of.session.now();
        let rests = || self.of.repeats.rests(&refused.method, &refused.url, self.held.epoch, now);
        // While a path rests, no new refresh starts. A newer credential that is already held is used all the same.
        want.may_start = !(self.spent || was_asked || want.demand.is_plain() && rests());
        Ok(Decision::Renew(want))
    }

    /// Whether another call has renewed what this one was signed with.
    fn newer_is_held(&self) -> bool {
        let now = self.of.session.current_in(&self.slot);
        now.epoch == self.held.epoch && now.stage == Stage::Ready && now.generation > self.held.generation
    }

    /// What the session is asked for after a 401: a credential for the slot of the resource that the challenges name.
    pub(crate) fn want_after(&mut self, refused: Arc<RefusedRequest>) -> RenewalRequest {
        let in_partition = matches!(self.slot, SlotKey::Partition(_));
        let Question { demand, id, resource } = Question::of(&refused.challenges, in_partition);
        let learn = |resource: String| self.of.resources.learn(&refused.url, &resource);
        let named = resource.filter(|_| !in_partition).map(learn);
        let slot = named.unwrap_or_else(|| self.slot.clone());
        let mut want = RenewalRequest::of(RefreshReason::Challenged, slot, &self.held);
        // The refused credential of another slot says nothing about the credential of this slot.
        if want.slot != self.slot {
            want.generation = 0;
            (want.is_unsigned, want.has_credential) = (false, false);
        }
        self.report.slot = want.slot.clone();
        (want.demand, want.question_id, want.request) = (demand, id, Some(refused));
        want
    }

    /// Takes the newer credential over, or says why there is none.
    pub(crate) fn take(
        &mut self,
        renewal: Result<Renewal, NoCredential<RefreshError>>,
    ) -> Result<(), (UnauthorizedReason, Option<RefreshError>)> {
        let renewal = renewal.map_err(|ended| match ended {
            NoCredential::Failed(error) => (UnauthorizedReason::RefreshFailed, Some(error)),
            NoCredential::Declined => (UnauthorizedReason::Declined, None),
            NoCredential::Unchanged | NoCredential::TooSoon => (UnauthorizedReason::StillRejected, None),
            NoCredential::BudgetExhausted => (UnauthorizedReason::BudgetExhausted, None),
            NoCredential::SessionChanged => (UnauthorizedReason::SessionChanged, None),
            NoCredential::LoggedOut => (UnauthorizedReason::LoggedOut, None),
        })?;
        self.report.renewal = Some(renewal.renewed);
        // The very credential that was refused is not sent again.
        if renewal.held.credential.is_some() && renewal.held.credential == self.held.credential {
            return Err((UnauthorizedReason::StillRejected, None));
        }
        self.held = renewal.held;
        Ok(())
    }

    /// The request to send again, or what speaks against that.
    pub(crate) fn again(
        &mut self,
        answered: &Response,
        mut refused: Arc<RefusedRequest>,
    ) -> Result<Request, UnauthorizedReason> {
        // While the rest of the answer was read, somebody may have logged out, or in as somebody else.
        let now = self.of.session.current();
        if now.epoch != self.held.epoch {
            return Err(if now.stage == Stage::LoggedOut {
                UnauthorizedReason::LoggedOut
            } else {
                UnauthorizedReason::SessionChanged
            });
        }
        if self.judge().is_redirected_work(answered) {
            return Err(UnauthorizedReason::Redirected);
        }
        if self.of.settings.safe_methods_only && !self.sent.method().is_safe() {
            return Err(UnauthorizedReason::NoRetry);
        }
        if let (Kept::Copy(request), Some(credential)) = (&self.sent, &self.held.credential)
            && Self::is_set_by_caller(request, credential)
        {
            return Err(UnauthorizedReason::CallerCredential);
        }
        // A challenge holds the buffer in which its answer came over the wire, which the next answer needs.
        if let Some(only) = Arc::get_mut(&mut refused) {
            only.challenges = Challenges::default();
        }
        match std::mem::replace(&mut self.sent, Kept::Head(refused)) {
            Kept::Copy(mut request) => {
                if let Some(make) = self.options.body.as_deref().filter(|_| self.makes_body) {
                    *request.body_mut() = Some(make());
                }
                Ok(request)
            }
            Kept::Head(_) => Err(UnauthorizedReason::NotReplayable),
        }
    }
}
