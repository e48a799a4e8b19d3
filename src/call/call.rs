//! One call through the middleware, from its first send to its end.

use super::state::{Call, Kept};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use http::StatusCode;
use http::header::HeaderValue;
use reqwest::{Request, Response};

use super::decide::Decision;
use super::finish::End;
use super::settings::Settings;
use super::verdict::{Judge, Verdict};
use crate::call::verdict;
use crate::call::{linting, read};
use crate::challenge::Challenges;
use crate::credential::{Credential, Observed, ResponseHead};
use crate::error::Findings;
use crate::error::{AuthorizeError, Body, Error, UnauthorizedReason};
use crate::error::{Renewed, Signed};
use crate::origin::url_without_secrets;
use crate::refresh::RefusedRequest;
use crate::session::{ChallengeDefect, Event};

impl Call<'_> {
    pub(crate) fn judge(&self) -> Judge<'_> {
        Judge { method: self.sent.method(), url: self.sent.url() }
    }

    /// Whether the response is none of our business, and there is nothing to do about that: nearly always.
    pub(crate) fn is_passed_at_once(&self, response: &mut Response) -> bool {
        let plain = self.signed_now && self.held.credential.as_ref().is_some_and(|held| held.authorizer().is_none());
        let passes = plain
            && self.report.renewal.is_none()
            && self.of.repeats.is_empty()
            && self.judge().verdict(response) == Verdict::Pass
            && !verdict::is_redirect(response.status())
            && !linting::is_of_note(&self.judge(), response);
        if passes {
            self.accepted(response);
            response.extensions_mut().insert(Signed { epoch: self.held.epoch, generation: self.held.generation });
        }
        passes
    }

    /// Records that the server accepted the credential, if the response shows that.
    pub(crate) fn accepted(&self, response: &Response) {
        let status = response.status();
        let shows = !status.is_server_error()
            && !matches!(
                status,
                StatusCode::PROXY_AUTHENTICATION_REQUIRED
                    | StatusCode::REQUEST_TIMEOUT
                    | StatusCode::TOO_MANY_REQUESTS
                    | StatusCode::BAD_REQUEST
            );
        let Some(Signed { generation, .. }) = self.report.signed.filter(|_| shows) else { return };
        // Nearly always the session knows this already.
        let is_new = !self.of.session.is_accepted(generation) && !self.judge().is_foreign(response);
        if is_new && self.of.session.was_accepted(generation) {
            self.of.worked.note(generation, self.sent.url());
        }
    }

    /// Records that the server refused the credential.
    pub(crate) fn refused_by_server(&mut self) {
        if let Some(Signed { generation, .. }) = self.report.signed {
            self.of.session.was_refused(self.report.signed);
            self.worked |= self.of.worked.elsewhere(generation, self.sent.url());
        }
    }

    /// What a response means.
    pub(crate) fn verdict(&self, response: &Response) -> Verdict {
        self.judge().verdict(response)
    }

    /// What the first response means: the end, or a second request.
    #[allow(clippy::manual_async_fn, reason = "an argument of an `async fn` takes its room twice")]
    pub(crate) fn first_answer(&mut self, mut response: Response) -> impl Future<Output = Result<Request, End>> + Send {
        async move {
            self.remember_sent();
            match self.verdict(&response) {
                Verdict::Pass => return Err(self.pass(response)),
                Verdict::Forbidden => return Err(self.forbidden(response).await),
                Verdict::Foreign => return Err(self.unauthorized(response, UnauthorizedReason::ForeignOrigin).await),
                Verdict::Challenged => {}
            }
            let refused = self.heard(&response);
            let plan = match self.challenged(&response, &refused) {
                Ok(plan) => plan,
                Err(error) => return Err(error.into()),
            };
            let body = match plan {
                Decision::Refuse(reason) => return Err(self.unauthorized(response, reason).await),
                Decision::Fail(error) => {
                    let body = self.read(&mut response).await;
                    return Err(self.refused(response, body, UnauthorizedReason::RefreshFailed, Some(error)));
                }
                // Read, so that its connection serves the second send.
                Decision::Retry => self.read(&mut response).await,
                Decision::Renew(want) => {
                    let started = Instant::now();
                    // What is left of the first answer is read meanwhile.
                    let renewal = pin!(self.of.session.renew(want));
                    let (renewal, body) = read::both(renewal, pin!(self.drain(&mut response))).await;
                    self.report.waited += started.elapsed();
                    if let Err((reason, error)) = self.take(renewal) {
                        return Err(self.refused(response, body, reason, error));
                    }
                    self.learn(&response, &refused.challenges);
                    body
                }
            };
            let again = self.again(&response, refused);
            let mut request = again.map_err(|reason| self.refusal(response, body, reason))?;
            self.sign(&mut request, self.held.credential.clone()).await?;
            Ok(request)
        }
    }

    /// What the second response means: there is no third.
    pub(crate) async fn second_answer(&mut self, response: Response) -> End {
        match self.verdict(&response) {
            Verdict::Pass => self.pass(response),
            Verdict::Forbidden => self.forbidden(response).await,
            Verdict::Foreign => self.unauthorized(response, UnauthorizedReason::ForeignOrigin).await,
            Verdict::Challenged => {
                let refused = self.heard(&response);
                if let Err(error) = self.observe(&response, &refused.challenges) {
                    return error.into();
                }
                self.refused_by_server();
                self.remember_refusal();
                self.keep_for_the_next(&response, refused).await;
                self.unauthorized(response, UnauthorizedReason::StillRejected).await
            }
        }
    }

    /// What is done about a response that is none of our business.
    pub(crate) fn pass(&mut self, mut response: Response) -> End {
        if let Err(error) = self.observe(&response, &Challenges::default()) {
            return error.into();
        }
        self.of.repeats.succeeded(self.sent.method(), self.sent.url());
        self.accepted(&response);
        self.report.findings.add(self.look(&response, (&[], None)));
        // What follows a redirect masks what its `Location` echoes.
        if self.report.has_more_than_numbers() || verdict::is_redirect(response.status()) {
            self.remember_sent();
            response.extensions_mut().insert(std::mem::take(&mut self.report));
        } else if let Some(signed) = self.report.signed {
            response.extensions_mut().insert(signed);
        }
        End::Response(response)
    }

    /// The credential of a first send, which is not counted up until somebody wants to know.
    fn remember_sent(&mut self) {
        if self.signed_now && self.report.sent[0].is_none() {
            self.report.sent[0] = self.held.credential.clone();
        }
    }

    /// The challenges of a 401 of ours, which is told to whoever listens.
    fn heard(&self, response: &Response) -> Arc<RefusedRequest> {
        let challenges = Challenges::from_headers(response.headers());
        self.of.session.listeners().notify(|| Event::Challenged {
            method: self.sent.method().clone(),
            url: url_without_secrets(self.sent.url()),
            schemes: challenges.iter().map(|challenge| challenge.known_scheme()).collect(),
            defects: challenges.defects().map(ChallengeDefect::from).collect(),
        });
        self.occasion(challenges)
    }

    /// Looks whether the answer is as it should be.
    pub(crate) fn look(&self, response: &Response, read: (&[u8], Option<&Challenges>)) -> Findings {
        let to = (&self.judge(), &self.of.told, self.of.session.listeners());
        let sent = if let Kept::Copy(request) = &self.sent { Some(request.headers()) } else { None };
        linting::look(to, response, read, (&self.report, self.callers_own, sent))
    }

    pub(crate) fn observe(&self, response: &Response, challenges: &Challenges) -> Result<Observed, Error> {
        let Some(credential) = self.last_sent() else { return Ok(Observed::Nothing) };
        let authorize = credential.authorizer().filter(|_| !self.judge().is_foreign(response));
        let Some(authorize) = authorize else { return Ok(Observed::Nothing) };
        authorize.observe(&head(response, challenges, self.made())).map_err(|source| {
            Error::Authorize(AuthorizeError { scheme: credential.scheme().into(), sent: true, source: source.into() })
        })
    }

    /// Lets the credential that has just come learn from the answer that it comes after.
    fn learn(&self, response: &Response, challenges: &Challenges) {
        if let Some(authorize) = self.held.credential.as_ref().and_then(Credential::authorizer) {
            authorize.learn(&head(response, challenges, None));
        }
    }

    /// The header that a scheme made for the last send.
    fn made(&self) -> Option<&HeaderValue> {
        self.report.echoes.last().and_then(Credential::header_value)
    }

    fn last_sent(&self) -> Option<&Credential> {
        let now = || self.held.credential.as_ref().filter(|_| self.signed_now);
        self.report.sent.iter().rev().flatten().next().or_else(now)
    }

    /// Remembers a path that refused a credential which had just been made.
    fn remember_refusal(&self) {
        if matches!(self.report.renewal, Some(Renewed::Started | Renewed::Joined | Renewed::Reused)) {
            let (session, rest) = (&self.of.session, self.of.settings.repeat_rest);
            self.of.repeats.refused(self.sent.method(), self.sent.url(), self.held.epoch, rest, session.now());
        }
    }

    /// A scheme answered the first 401 by itself, and the second has another reason: the refresh is for the next call.
    async fn keep_for_the_next(&mut self, response: &Response, refused: Arc<RefusedRequest>) {
        let by_scheme = self.report.renewal == Some(Renewed::ByScheme);
        let was_asked = self.spent || self.declined || self.failed.is_some();
        if by_scheme
            && !was_asked
            && self.of.settings.answers(&refused.challenges)
            && !self.judge().is_foreign(response)
        {
            let want = self.want_after(refused);
            // Whatever comes of it, this call has been answered.
            drop(self.of.session.renew(want).await);
        }
    }

    pub(crate) fn read<'r>(&self, response: &'r mut Response) -> impl Future<Output = Body> + use<'r> {
        read::bounded(response, self.limits(usize::MAX))
    }

    /// What is left of a 401 that there may be an answer to: all of it is read, for its connection's sake, and little is kept,
    /// because a thousand callers may be waiting.
    fn drain<'r>(&self, response: &'r mut Response) -> impl Future<Output = Body> + use<'r> {
        read::bounded(response, self.limits(4 << 10))
    }

    /// How much is read, unless whoever gets the response reads it himself.
    fn limits(&self, keep: usize) -> Option<read::Limits> {
        let Settings { body_bytes: bytes, body_time: time, .. } = self.of.settings;
        (!self.passes_through()).then_some(read::Limits { bytes, keep: keep.min(bytes), time })
    }

    pub(crate) fn passes_through(&self) -> bool {
        self.of.settings.pass_through || self.options.pass_through
    }
}

fn head<'r>(response: &'r Response, challenges: &'r Challenges, sent: Option<&'r HeaderValue>) -> ResponseHead<'r> {
    ResponseHead { status: response.status(), url: response.url(), headers: response.headers(), challenges, sent }
}
