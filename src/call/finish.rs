//! Ends a call with a response or with a typed error.

use std::future::Future;
use std::sync::Arc;

use http::StatusCode;
use http::header::HeaderMap;
use reqwest::Response;

use super::call::{Call, End, Refusal, SentRequest};
use super::inspect::Seen;
use super::mock_response::lacks_url;
use super::read;
use super::response_kind::{ResponseKind, is_redirect};
use super::settings::Settings;
use crate::challenge::Challenges;
use crate::credential::Credential;
use crate::error::{Answered, AuthReport, Body, Error, Facts, Forbidden, Reading, Renewed, Signed, Unauthorized};
use crate::origin::url_without_secrets;
use crate::refresh::RefusedRequest;
use crate::session::{Event, Verdict, count_call};
use crate::util::response_date;

/// How much of a 401 is kept before the second send. A thousand calls may wait for one refresh.
const KEPT_BEFORE_SECOND_SEND: usize = 4 << 10;

impl Call<'_> {
    /// Passes the first response on if nothing else has to be done about it, as is nearly always the case. Returns
    /// whether it did.
    pub(crate) fn pass_at_once(&self, response: &mut Response) -> bool {
        // A request that was signed at once has a plain credential, and nothing was renewed for it.
        let passes = self.is_signed_at_once
            && !self.asks_caller(response)
            && !self.shared.rejecting_paths.contains(self.sent.method(), self.sent.url())
            && self.target().kind_of(response) == ResponseKind::Other
            && !is_redirect(response.status())
            && !self.has_findings(response);
        if passes {
            self.record_accepted_credential(response);
            response.extensions_mut().insert(Signed { epoch: self.held.epoch, generation: self.held.generation });
            if !self.shared.session.has_settled_dates() {
                self.record_skew(response);
            }
            count_call(Verdict::Ok, 0);
        }
        passes
    }

    /// Learns the server's time from a response that passes at once, while too few dates are known. Reports the skew of
    /// the clocks, if there is one.
    #[cold]
    fn record_skew(&self, response: &mut Response) {
        let session = &self.shared.session;
        if session.reads_next_date()
            && let Some(date) = response_date(response.headers())
            && !self.target().is_foreign(response)
        {
            session.learn_date(date);
        }
        if let Some(skew) = session.clock_skew() {
            response.extensions_mut().insert(skew);
        }
    }

    /// Learns the server's time from a response of the API.
    pub(super) fn learn_date(&mut self, response: &Response) {
        let session = &self.shared.session;
        if let Some(date) = response_date(response.headers()).filter(|_| !self.target().is_foreign(response)) {
            session.learn_date(date);
        }
        self.report.skew = session.clock_skew();
    }

    /// Passes on a response that is neither a 401 nor a 403.
    pub(super) fn pass(&mut self, response: &mut Response, seen: &Seen) -> End {
        if let Err(error) = self.observe(response, &Challenges::default()) {
            return error.into();
        }
        if seen.is_expired {
            self.record_expired();
        } else {
            self.shared.rejecting_paths.remove(self.sent.method(), self.sent.url());
            self.record_accepted_credential(response);
        }
        self.report.findings.add(self.lint(response, &seen.body, None));
        // `FollowRedirects` masks the credentials that a `Location` contains, so it needs the whole report.
        if self.report.has_more_than_numbers() || is_redirect(response.status()) {
            self.list_sent_credential();
            let numbers =
                AuthReport { attempts: self.report.attempts, waited: self.report.waited, ..AuthReport::default() };
            // The numbers of sends and the waiting time stay in the call, for the event about its end.
            response.extensions_mut().insert(std::mem::replace(&mut self.report, numbers));
        } else {
            let extensions = response.extensions_mut();
            if let Some(signed) = self.report.signed {
                extensions.insert(signed);
            }
            if let Some(skew) = self.report.skew {
                extensions.insert(skew);
            }
        }
        End::Response(Verdict::Ok)
    }

    /// Ends the call with a 403.
    pub(super) async fn forbidden(&self, response: &mut Response) -> End {
        let is_foreign = self.target().is_foreign(response);
        if !is_foreign {
            self.shared.session.listeners().notify(|| Event::Forbidden {
                method: self.sent.method().clone(),
                url: url_without_secrets(self.sent.url()),
                scopes: Forbidden::masked_scopes(&Challenges::from_headers(response.headers()), &self.report),
                authenticated: self.report.sent.iter().any(Option::is_some),
            });
        }
        // A scheme learns from every response to a request that it signed. Its result changes nothing here.
        let _ = self.observe(response, &Challenges::default());
        if self.passes_through() {
            // The caller reads the body.
            let facts = || self.facts_of(response, response.headers().clone(), Body::default(), self.report.clone());
            self.record_forbidden(self.means_expired(response, || facts().into_refusal()), response);
            return self.pass_through(response, Verdict::Forbidden);
        }
        let body = self.read(response).await;
        let forbidden = Forbidden::new(self.facts(response, body));
        let is_expired = self.means_expired(response, || forbidden.to_refusal());
        self.record_forbidden(is_expired, response);
        Error::Forbidden(forbidden).into()
    }

    /// Ends the call with a 401, or a response that counts as one, whose body is not read yet.
    pub(super) async fn unauthorized(&self, response: &mut Response, refusal: Refusal) -> End {
        let body = self.read(response).await;
        self.refused(response, body, refusal)
    }

    /// Ends the call with a 401.
    pub(super) fn refused(&self, response: &mut Response, body: Body, refusal: Refusal) -> End {
        if self.passes_through() {
            return self.pass_through(response, Verdict::Unauthorized(refusal.reason));
        }
        let facts = self.facts(response, body);
        // If another call has renewed the credential meanwhile, the server may refuse the new credential on every path.
        let is_accepted_elsewhere =
            self.is_accepted_elsewhere && self.report.renewal != Some(Renewed::Reused) && !self.has_expired();
        let Refusal { reason, error } = refusal;
        Error::Unauthorized(Unauthorized::new(facts, reason, error, is_accepted_elsewhere)).into()
    }

    /// Returns a refusal as a response, with its challenges and its report in the extensions.
    fn pass_through(&self, response: &mut Response, verdict: Verdict) -> End {
        let challenges = Arc::new(Challenges::from_headers(response.headers()));
        response.extensions_mut().insert(challenges);
        let mut report = self.report.clone();
        report.findings.add(self.lint(response, &[], None));
        response.extensions_mut().insert(report);
        End::Response(verdict)
    }

    /// The facts of a refusal. Takes the header fields out of the response.
    fn facts(&self, response: &mut Response, body: Body) -> Facts {
        let report = self.report_of(response, &body);
        let headers = std::mem::take(response.headers_mut());
        self.facts_of(response, headers, body, report)
    }

    pub(super) fn facts_of(&self, response: &Response, headers: HeaderMap, body: Body, report: AuthReport) -> Facts {
        let answered = Answered {
            status: response.status(),
            url: url_without_secrets(response.url()),
            lacks_url: lacks_url(response),
            foreign: self.target().is_foreign(response),
            headers,
            reading: Reading {
                of_caller: self.shared.settings.read_refusals.clone(),
                now: self.shared.session.server_now(),
            },
        };
        Facts::new(self.sent.method().clone(), url_without_secrets(self.sent.url()), answered, body, report)
    }

    fn report_of(&self, response: &Response, body: &Body) -> AuthReport {
        let mut report = self.masking_report();
        report.findings.add(self.lint(response, &body.bytes, None));
        report
    }

    /// A copy of the report that masks all secrets of the request.
    pub(super) fn masking_report(&self) -> AuthReport {
        let mut report = self.report.clone();
        report.mask_url_values(self.sent.url());
        if let SentRequest::Copy(copy) = &self.sent {
            // A server may also echo other values that the caller marked as secret.
            let secret = copy.headers().iter().map(|(_, value)| value).filter(|value| value.is_sensitive());
            report.echoes.extend(secret.cloned().map(Credential::of_caller));
        }
        report
    }

    /// Lists the credential of a first send in the report. This is delayed until the report is needed.
    pub(super) fn list_sent_credential(&mut self) {
        if self.is_signed_at_once && self.report.sent[0].is_none() {
            self.report.sent[0] = self.held.credential.clone();
        }
    }

    /// Records that the server accepted the credential, if the response shows that.
    // Inlined for the row `Get` of the benchmark `engine`.
    #[inline]
    fn record_accepted_credential(&self, response: &Response) {
        let Some(Signed { generation, .. }) = self.report.signed else { return };
        // Checks this first, because in nearly every call the session has recorded the acceptance before.
        if self.shared.session.is_accepted(generation) {
            return;
        }
        let status = response.status();
        let shows_acceptance = !status.is_server_error()
            && !matches!(
                status,
                StatusCode::PROXY_AUTHENTICATION_REQUIRED
                    | StatusCode::REQUEST_TIMEOUT
                    | StatusCode::TOO_MANY_REQUESTS
                    | StatusCode::BAD_REQUEST
            );
        let is_new = shows_acceptance && !self.target().is_foreign(response);
        if is_new && self.shared.session.was_accepted(generation) {
            self.shared.accepted_urls.add(generation, self.sent.url());
        }
    }

    /// Records a 403: the server accepted the credential. But if the caller says that this 403 means an expired credential,
    /// the next call renews first.
    fn record_forbidden(&self, is_expired: bool, response: &Response) {
        if is_expired { self.record_expired() } else { self.record_accepted_credential(response) }
    }

    /// Records that this path rejected a fresh credential.
    pub(super) fn record_rejecting_path(&self) {
        if matches!(self.report.renewal, Some(Renewed::Started | Renewed::Joined | Renewed::Reused)) {
            let (cooldown, now) = (self.shared.settings.rejection_cooldown, self.shared.session.now());
            self.shared.rejecting_paths.add(self.sent.method(), self.sent.url(), self.held.epoch, cooldown, now);
        }
    }

    /// Renews the credential for the next call, if the scheme answered the first 401 itself and the second 401 has another
    /// cause.
    pub(super) async fn renew_for_next_call(&mut self, response: &Response, refused: Arc<RefusedRequest>) {
        let was_asked = self.has_renewed || self.is_declined || self.failure.is_some();
        if self.report.renewal == Some(Renewed::ByScheme)
            && !was_asked
            && self.shared.settings.answers(&refused.challenges)
            && !self.target().is_foreign(response)
        {
            let request = self.renewal_request(refused);
            // The outcome does not change how this call ends.
            drop(self.shared.session.renew(request).await);
        }
    }

    /// Reads the body of a refusal up to the caller's limit.
    pub(super) fn read<'r>(&self, response: &'r mut Response) -> impl Future<Output = Body> + use<'r> {
        read::bounded(response, self.read_limits(usize::MAX))
    }

    /// Reads the body of a 401 before the second send: all of it, so that its connection can be used again, and keeps the
    /// beginning. A body that is more than twice as long as the limit is not read.
    pub(super) fn drain<'r>(&self, response: &'r mut Response) -> impl Future<Output = Body> + use<'r> {
        let limits = read::unless_too_long(response, self.read_limits(KEPT_BEFORE_SECOND_SEND));
        read::bounded(response, limits)
    }

    /// The limits for reading a body. `None` if the caller reads it.
    fn read_limits(&self, keep: usize) -> Option<read::Limits> {
        let Settings { body_limit: bytes, body_timeout: time, .. } = *self.shared.settings;
        (!self.passes_through()).then_some(read::Limits { bytes, keep: keep.min(bytes), time })
    }

    fn passes_through(&self) -> bool {
        self.shared.settings.pass_through || self.options.pass_through
    }
}
