//! What functions of the caller say about responses: which ones count as a 401, and which ones mean an expired credential.

use reqwest::Response;

use super::call::Call;
use super::decide::head;
use super::response_kind::ResponseKind;
use super::settings::{Shared, Verdicts};
use crate::challenge::Challenges;
use crate::error::Refusal;

impl Call<'_> {
    /// Whether a function of the caller may give the response another meaning.
    // Inlined for the rows `GET` and `POST` of the benchmark `engine`.
    #[inline]
    pub(super) fn asks_caller(&self, response: &Response) -> bool {
        self.shared.settings.verdicts.as_ref().is_some_and(|verdicts| self.concerns(response, verdicts))
    }

    #[cold]
    fn concerns(&self, response: &Response, verdicts: &Verdicts) -> bool {
        let may_be_unauthenticated = verdicts.unauthenticated_when.is_some() && !response.status().is_success();
        may_be_unauthenticated || self.inspect_limit(response).is_some()
    }

    /// What a response means for this call.
    pub(super) fn kind_of(&self, response: &Response) -> ResponseKind {
        let kind = self.target().kind_of(response);
        if kind != ResponseKind::Other || !self.counts_as_401(response) {
            return kind;
        }
        if self.target().is_foreign(response) { ResponseKind::Foreign } else { ResponseKind::Challenged }
    }

    /// Whether the caller says that the response counts as a 401. A success never does.
    fn counts_as_401(&self, response: &Response) -> bool {
        let verdicts = self.shared.settings.verdicts.as_ref();
        let is_unauthenticated = verdicts.and_then(|verdicts| verdicts.unauthenticated_when.as_ref());
        let is_unauthenticated = is_unauthenticated.filter(|_| !response.status().is_success());
        is_unauthenticated.is_some_and(|is_unauthenticated| {
            let challenges = Challenges::from_headers(response.headers());
            let sent = self.last_sent().and_then(|credential| self.sent_header(credential));
            is_unauthenticated(&head(response, &challenges, sent, &|| self.shared.session.server_now()))
        })
    }

    /// Whether the caller says that a refusal means an expired credential. A refusal of another server never does.
    pub(super) fn means_expired(&self, response: &Response, refusal: impl FnOnce() -> Refusal) -> bool {
        let expired_when = self.shared.settings.expired_when.as_ref();
        let expired_when = expired_when.filter(|_| !self.target().is_foreign(response));
        expired_when.is_some_and(|means_expired| means_expired(&refusal()))
    }

    /// Records that the credential has expired, because the caller says so: the next call renews it first. The path then has a
    /// cooldown, in which it marks no other credential as invalid: a path that says this about each credential would
    /// otherwise cost one refresh for each of its calls. A success on the path ends the cooldown.
    pub(super) fn record_expired(&self) {
        let Shared { session, rejecting_paths, settings, .. } = self.shared;
        session.was_refused(self.report.signed);
        let (method, url, epoch) = (self.sent.method(), self.sent.url(), self.held.epoch);
        if !rejecting_paths.is_cooling_down(method, url, epoch, || session.now())
            && session.invalidate(self.report.signed, false)
        {
            rejecting_paths.add(method, url, epoch, settings.rejection_cooldown, session.now());
        }
    }
}
