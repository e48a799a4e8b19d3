//! What is done about a 401 of ours: decisions, without waiting for anything.

use std::sync::Arc;

use reqwest::{Request, Response, Url};

use crate::call::{Call, Kept};
use crate::challenge::Challenges;
use crate::credential::Observed;
use crate::error::{Error, Reason};
use crate::refresh::{Cause, Ended, Occasion, RefreshError, Renewal, Stage, Want};
use crate::report::Renewed;

/// What is done about a 401.
pub(crate) enum Plan {
    Refuse(Reason),
    /// A renewal before the send failed already.
    Fail(RefreshError),
    /// The scheme answers by itself.
    Resign,
    Renew(Want),
}

impl Call<'_> {
    /// What is done about a 401 of ours.
    pub(crate) fn challenged(&mut self, response: &Response, refused: &Arc<Occasion>) -> Result<Plan, Error> {
        let challenges = &refused.challenges;
        if self.callers_own {
            return Ok(Plan::Refuse(Reason::CallerCredential));
        }
        if self.options.no_retry {
            return Ok(Plan::Refuse(Reason::NoRetry));
        }
        self.report.findings.add(self.look(response, (&[], Some(challenges))));
        if self.observe(response, challenges)? == Observed::Resign {
            self.report.renewal = Some(Renewed::ByScheme);
            return Ok(Plan::Resign);
        }
        let demand = self.of.settings.demand(refused);
        if let Some(error) = self.failed.take() {
            return Ok(Plan::Fail(error));
        }
        let now = || self.of.session.now();
        let rests = || demand.is_plain() && self.of.repeats.rests(&refused.method, &refused.url, self.held.epoch, now);
        if self.spent || rests() {
            return Ok(Plan::Refuse(Reason::StillRejected));
        }
        if !self.of.settings.answers(challenges) {
            return Ok(Plan::Refuse(Reason::Declined));
        }
        Ok(Plan::Renew(self.want(Cause::Challenged, demand, refused.clone())))
    }

    /// Takes the newer credential over, or says why there is none.
    pub(crate) fn take(
        &mut self,
        renewal: Result<Renewal, Ended<RefreshError>>,
    ) -> Result<(), (Reason, Option<RefreshError>)> {
        let renewal = renewal.map_err(|ended| match ended {
            Ended::Failed(error) => (Reason::RefreshFailed, Some(error)),
            Ended::Declined => (Reason::Declined, None),
            Ended::SessionChanged => (Reason::SessionChanged, None),
            Ended::LoggedOut => (Reason::LoggedOut, None),
        })?;
        self.report.renewal = Some(renewal.how.into());
        // The very credential that was refused is not sent again.
        if renewal.held.credential.is_some() && renewal.held.credential == self.held.credential {
            return Err((Reason::StillRejected, None));
        }
        self.held = renewal.held;
        Ok(())
    }

    /// The request to send again, or what speaks against that.
    pub(crate) fn again(&mut self, answered: &Url, mut refused: Arc<Occasion>) -> Result<Request, Reason> {
        // While the rest of the answer was read, somebody may have logged out, or in as somebody else.
        let now = self.of.session.current();
        if now.epoch != self.held.epoch {
            return Err(if now.stage == Stage::LoggedOut { Reason::LoggedOut } else { Reason::SessionChanged });
        }
        if self.judge().is_redirected_work(answered) {
            return Err(Reason::Redirected);
        }
        if self.of.settings.safe_methods_only && !self.sent.method().is_safe() {
            return Err(Reason::NoRetry);
        }
        if let (Kept::Copy(request), Some(credential)) = (&self.sent, &self.held.credential)
            && Self::is_set_by_caller(request, credential)
        {
            return Err(Reason::CallerCredential);
        }
        // A challenge holds the buffer in which its answer came over the wire, which the next answer needs.
        if let Some(only) = Arc::get_mut(&mut refused) {
            only.challenges = Challenges::default();
        }
        match std::mem::replace(&mut self.sent, Kept::Head(refused)) {
            Kept::Copy(request) => Ok(request),
            Kept::Head(_) => Err(Reason::NotReplayable),
        }
    }
}
