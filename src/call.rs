//! One call through the middleware, from its first send to its end.

use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use http::header::AUTHORIZATION;
use http::{Extensions, Method};
use reqwest::{Request, Response, Url};

use crate::challenge::Challenges;
use crate::credential::{Credential, Observed, ResponseHead};
use crate::end::End;
use crate::error::{AuthorizeError, Body, Error, Reason};
use crate::event::Event;
use crate::options::CallOptions;
use crate::refresh::{Cause, Current, Demand, Ended, How, RefreshError, Stage};
use crate::report::{AuthReport, Renewed};
use crate::settings::{Settings, Shared};
use crate::verdict::{Judge, Verdict};
use crate::{read, replay};

/// One call through the middleware: what was sent, and what became of it.
pub(crate) struct Call<'m> {
    pub(crate) of: &'m Shared,
    pub(crate) options: CallOptions,
    pub(crate) sent: Kept,
    pub(crate) report: AuthReport,
    /// Whether the caller set the credential himself.
    pub(crate) callers_own: bool,
    pub(crate) held: Arc<Current>,
    /// Whether this call has had its one renewal.
    pub(crate) spent: bool,
    /// Whether the first send carries the credential that is held.
    pub(crate) signed_now: bool,
    /// Why a renewal before the send failed, and the old credential was sent.
    pub(crate) failed: Option<RefreshError>,
}

/// What is kept of a request that is sent.
pub(crate) enum Kept {
    /// All of it, to be sent again.
    Copy(Request),
    /// Its body is a stream.
    Head(Method, Url),
}

impl Kept {
    pub(crate) fn method(&self) -> &Method {
        match self {
            Self::Copy(request) => request.method(),
            Self::Head(method, _) => method,
        }
    }

    pub(crate) fn url(&self) -> &Url {
        match self {
            Self::Copy(request) => request.url(),
            Self::Head(_, url) => url,
        }
    }
}

impl<'m> Call<'m> {
    /// Keeps what a second send needs, before the credential goes in.
    #[inline(always)]
    pub(crate) fn new(of: &'m Shared, request: &mut Request, extensions: &Extensions) -> Self {
        let held = of.session.current();
        let options = extensions.get::<CallOptions>().cloned().unwrap_or_default();
        let sent = match replay::copy(request, options.body.as_deref()) {
            Some(copy) => Kept::Copy(copy),
            None => Kept::Head(request.method().clone(), request.url().clone()),
        };
        let callers_own = request.headers().contains_key(AUTHORIZATION);
        Self {
            of,
            options,
            sent,
            callers_own,
            held,
            spent: false,
            signed_now: false,
            failed: None,
            report: AuthReport::default(),
        }
    }

    pub(crate) fn judge(&self) -> Judge<'_> {
        Judge { method: self.sent.method(), url: self.sent.url() }
    }

    /// Whether the response is none of our business, and there is nothing to do about that: nearly always.
    pub(crate) fn is_passed_at_once(&self, response: &Response) -> bool {
        let plain = self.signed_now && self.held.credential.as_ref().is_some_and(|held| held.authorizer().is_none());
        plain
            && self.report.renewal.is_none()
            && self.of.repeats.is_empty()
            && self.judge().verdict(response.status(), response.url()) == Verdict::Pass
    }

    /// What the first response means: the end, or a second request.
    pub(crate) async fn first_answer(&mut self, mut response: Response) -> Result<Request, End> {
        self.remember_sent();
        match self.judge().verdict(response.status(), response.url()) {
            Verdict::Pass => Err(self.pass(&mut response).map_or_else(End::from, |()| End::Response(response))),
            Verdict::Forbidden => Err(self.forbidden(response).await),
            Verdict::Foreign => Err(self.unauthorized(response, Reason::ForeignOrigin).await),
            Verdict::Challenged => self.challenged(response).await,
        }
    }

    /// What the second response means: there is no third.
    pub(crate) async fn second_answer(&mut self, mut response: Response) -> End {
        match self.judge().verdict(response.status(), response.url()) {
            Verdict::Pass => self.pass(&mut response).map_or_else(End::from, |()| End::Response(response)),
            Verdict::Forbidden => self.forbidden(response).await,
            Verdict::Foreign => self.unauthorized(response, Reason::ForeignOrigin).await,
            Verdict::Challenged => {
                let challenges = self.heard(&response);
                if let Err(error) = self.observe(&response, &challenges) {
                    return error.into();
                }
                self.remember_refusal();
                self.keep_for_the_next(&response, challenges).await;
                self.unauthorized(response, Reason::StillRejected).await
            }
        }
    }

    /// What is done about a response that is none of our business.
    fn pass(&mut self, response: &mut Response) -> Result<(), Error> {
        self.observe(response, &Challenges::default())?;
        self.of.repeats.succeeded(self.sent.method(), self.sent.url());
        if self.report.attempts > 1 || self.report.renewal.is_some() {
            self.remember_sent();
            response.extensions_mut().insert(self.report.clone());
        }
        Ok(())
    }

    /// The credential of a first send, which is not counted up until somebody wants to know.
    fn remember_sent(&mut self) {
        if self.signed_now && self.report.sent[0].is_none() {
            self.report.sent[0] = self.held.credential.clone();
        }
    }

    /// The challenges of a 401 of ours, which is told to whoever listens.
    fn heard(&self, response: &Response) -> Arc<Challenges> {
        let challenges = Arc::new(Challenges::from_headers(response.headers()));
        self.of.session.listeners().tell(|| Event::Challenged {
            method: self.sent.method().clone(),
            url: crate::error::bare(self.sent.url()),
            schemes: challenges.iter().map(|challenge| challenge.known_scheme()).collect(),
            defects: challenges.defects().map(|defect| (defect.rule(), defect.line(), defect.byte())).collect(),
        });
        challenges
    }

    async fn challenged(&mut self, mut response: Response) -> Result<Request, End> {
        let challenges = self.heard(&response);
        if self.callers_own {
            return Err(self.unauthorized(response, Reason::CallerCredential).await);
        }
        if self.options.no_retry {
            return Err(self.unauthorized(response, Reason::NoRetry).await);
        }
        if self.observe(&response, &challenges)? == Observed::Resign {
            // Read, so that its connection serves the second send.
            let body = self.read(&mut response).await;
            self.report.renewal = Some(Renewed::ByScheme);
            return self.again(response, body).await;
        }
        let demand = Demand::of(&challenges);
        if let Some(error) = self.failed.take() {
            let body = self.read(&mut response).await;
            return Err(self.refresh_failed(response, body, error));
        }
        let (session, method, url) = (&self.of.session, self.sent.method(), self.sent.url());
        if self.spent || (demand.is_empty() && self.of.repeats.rests(method, url, self.held.epoch, session.now())) {
            return Err(self.unauthorized(response, Reason::StillRejected).await);
        }
        if !self.of.settings.answers(&challenges) {
            return Err(self.unauthorized(response, Reason::Declined).await);
        }
        self.renewed(response, challenges, demand).await
    }

    /// The second request, with a newer credential; what is left of the first answer is read meanwhile.
    async fn renewed(
        &mut self,
        mut response: Response,
        challenges: Arc<Challenges>,
        demand: Demand,
    ) -> Result<Request, End> {
        let started = Instant::now();
        let want = self.want(Cause::Challenged, challenges, demand);
        let (renewal, body) = read::both(pin!(self.of.session.renew(want)), pin!(self.drain(&mut response))).await;
        self.report.waited += started.elapsed();
        let renewal = match renewal {
            Ok(renewal) => renewal,
            Err(Ended::Failed(error)) => return Err(self.refresh_failed(response, body, error)),
            Err(Ended::Declined) => return Err(self.refusal(response, body, Reason::Declined)),
            Err(Ended::SessionChanged) => return Err(self.refusal(response, body, Reason::SessionChanged)),
            Err(Ended::LoggedOut) => return Err(self.refusal(response, body, Reason::LoggedOut)),
        };
        self.report.renewal = Some(renewal.how.into());
        // The very credential that was refused is not sent again.
        if renewal.held.credential.is_some() && renewal.held.credential == self.held.credential {
            return Err(self.refusal(response, body, Reason::StillRejected));
        }
        self.held = renewal.held;
        self.again(response, body).await
    }

    async fn again(&mut self, response: Response, body: Body) -> Result<Request, End> {
        // While the rest of the answer was read, somebody may have logged out, or in as somebody else.
        let now = self.of.session.current();
        if now.epoch != self.held.epoch {
            let logged_out = now.stage == Stage::LoggedOut;
            let reason = if logged_out { Reason::LoggedOut } else { Reason::SessionChanged };
            return Err(self.refusal(response, body, reason));
        }
        if self.judge().is_redirected_work(response.url()) {
            return Err(self.refusal(response, body, Reason::Redirected));
        }
        if self.of.settings.safe_methods_only && !self.sent.method().is_safe() {
            return Err(self.refusal(response, body, Reason::NoRetry));
        }
        let unsigned = |request: &Request| {
            self.held.credential.as_ref().is_none_or(|credential| !Self::is_set_by_caller(request, credential))
        };
        if matches!(&self.sent, Kept::Copy(request) if !unsigned(request)) {
            return Err(self.refusal(response, body, Reason::CallerCredential));
        }
        let head = Kept::Head(self.sent.method().clone(), self.sent.url().clone());
        let Kept::Copy(mut request) = std::mem::replace(&mut self.sent, head) else {
            return Err(self.refusal(response, body, Reason::NotReplayable));
        };
        drop(response);
        self.sign(&mut request, self.held.credential.clone()).await?;
        Ok(request)
    }

    pub(crate) fn observe(&self, response: &Response, challenges: &Challenges) -> Result<Observed, Error> {
        let Some(credential) = self.last_sent() else { return Ok(Observed::Nothing) };
        let authorize = credential.authorizer().filter(|_| !self.judge().is_foreign(response.url()));
        let Some(authorize) = authorize else { return Ok(Observed::Nothing) };
        let (status, url, headers) = (response.status(), response.url(), response.headers());
        let head = ResponseHead { status, url, headers, challenges };
        let seen = authorize.observe(&head);
        seen.map_err(|source| {
            Error::Authorize(AuthorizeError { scheme: credential.scheme().into(), sent: true, source })
        })
    }

    fn last_sent(&self) -> Option<&Credential> {
        let now = || self.held.credential.as_ref().filter(|_| self.signed_now);
        self.report.sent.iter().rev().flatten().next().or_else(now)
    }

    /// Remembers a path that refused a credential which had just been made.
    fn remember_refusal(&self) {
        if matches!(self.report.renewal, Some(Renewed::ByUs | Renewed::Joined | Renewed::TakenOver)) {
            let (session, rest) = (&self.of.session, self.of.settings.repeat_rest);
            self.of.repeats.refused(self.sent.method(), self.sent.url(), self.held.epoch, rest, session.now());
        }
    }

    /// A scheme answered the first 401 by itself, and the second has another reason: the refresh is for the next call.
    async fn keep_for_the_next(&mut self, response: &Response, challenges: Arc<Challenges>) {
        let by_scheme = self.report.renewal == Some(Renewed::ByScheme);
        if by_scheme && self.of.settings.answers(&challenges) && !self.judge().is_foreign(response.url()) {
            let demand = Demand::of(&challenges);
            let want = self.want(Cause::Challenged, challenges, demand);
            // Whatever comes of it, this call has been answered.
            drop(self.of.session.renew(want).await);
        }
    }

    pub(crate) async fn read(&self, response: &mut Response) -> Body {
        if self.passes_through() {
            // Whoever gets the response reads it himself.
            return Body::default();
        }
        self.read_keeping(response, usize::MAX).await
    }

    async fn read_keeping(&self, response: &mut Response, keep: usize) -> Body {
        let Settings { body_bytes, body_time, .. } = self.of.settings;
        read::bounded(response, body_bytes, keep.min(body_bytes), body_time).await
    }

    /// What is left of a 401 that there may be an answer to: all of it is read, for its connection's sake, and little is kept,
    /// because a thousand callers may be waiting.
    async fn drain(&self, response: &mut Response) -> Body {
        const KEPT: usize = 4 << 10;
        if self.passes_through() { Body::default() } else { self.read_keeping(response, KEPT).await }
    }

    pub(crate) fn passes_through(&self) -> bool {
        self.of.settings.pass_through || self.options.pass_through
    }

    fn refresh_failed(&self, response: Response, body: Body, error: RefreshError) -> End {
        self.refused(response, body, Reason::RefreshFailed, Some(error))
    }
}

impl From<How> for Renewed {
    fn from(how: How) -> Self {
        match how {
            How::ByUs => Self::ByUs,
            How::Joined => Self::Joined,
            How::TakenOver => Self::TakenOver,
        }
    }
}
