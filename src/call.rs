//! One call through the middleware, from its first send to its end.

use std::sync::Arc;
use std::time::Instant;

use http::Method;
use http::header::AUTHORIZATION;
use reqwest::{Request, Response, Url};

use crate::challenge::Challenges;
use crate::credential::{Credential, Observed, ResponseHead};
use crate::error::{Answered, Body, Facts, bare};
use crate::error::{AuthorizeError, Error, Forbidden, Reason, Unauthorized};
use crate::refresh::{Cause, Core, Current, Demand, Ended, How, Stage, Want};
use crate::report::{AuthReport, Renewed};
use crate::settings::Settings;
use crate::verdict::{Judge, Verdict};
use crate::{BoxError, read, replay};

/// One call through the middleware: what was sent, and what became of it.
pub(crate) struct Call<'m> {
    session: &'m Core,
    settings: &'m Settings,
    sent: Kept,
    /// Whether the caller set the credential himself.
    callers_own: bool,
    held: Arc<Current>,
    /// Whether this call has had its one renewal.
    spent: bool,
    report: AuthReport,
}

/// What is kept of a request that is sent.
enum Kept {
    /// All of it, to be sent again.
    Copy(Box<Request>),
    /// Its body is a stream.
    Head(Method, Url),
}

impl Kept {
    fn method(&self) -> &Method {
        match self {
            Self::Copy(request) => request.method(),
            Self::Head(method, _) => method,
        }
    }

    fn url(&self) -> &Url {
        match self {
            Self::Copy(request) => request.url(),
            Self::Head(_, url) => url,
        }
    }
}

pub(crate) enum Judged {
    Done(Response),
    Over(Error),
    Refused(Refused),
}

/// A 401 that there may be an answer to.
pub(crate) struct Refused {
    pub(crate) response: Response,
    pub(crate) challenges: Arc<Challenges>,
}

impl<'m> Call<'m> {
    pub(crate) fn new(session: &'m Core, settings: &'m Settings, request: &mut Request) -> Self {
        let held = session.current();
        let sent = match replay::copy(request) {
            Some(copy) => Kept::Copy(Box::new(copy)),
            None => Kept::Head(request.method().clone(), request.url().clone()),
        };
        let own = held.credential.as_ref().and_then(Credential::header_name);
        let callers_own =
            [Some(&AUTHORIZATION), own].into_iter().flatten().any(|name| request.headers().contains_key(name));
        Self { session, settings, sent, callers_own, held, spent: false, report: AuthReport::default() }
    }

    fn judge_of(&self) -> Judge<'_> {
        Judge { method: self.sent.method(), url: self.sent.url() }
    }

    /// Puts the current credential on the first request, renewed if it is known to be of no use.
    pub(crate) async fn sign_first(&mut self, request: &mut Request) -> Result<(), Error> {
        if self.callers_own {
            self.report.attempts = 1;
            return Ok(());
        }
        if self.held.stage == Stage::New {
            self.held = self.session.initial(&self.held).await.map_err(Error::before_send)?;
        }
        let expired = self.held.renew_at.is_some_and(|time| time <= self.session.now());
        if self.held.credential.is_some() && (expired || self.held.stage == Stage::Stale) {
            self.renew_first().await?;
        }
        self.sign(request).await
    }

    async fn renew_first(&mut self) -> Result<(), Error> {
        let started = Instant::now();
        let want = self.want(Cause::Expired, Arc::default(), Demand::default());
        let stale = self.held.stage == Stage::Stale;
        match self.session.renew(want).await {
            Ok(renewal) => {
                self.report.renewal = Some(renewal.how.into());
                self.report.waited += started.elapsed();
                self.spent = true;
                self.held = renewal.held;
                Ok(())
            }
            // Nothing was signed yet: whoever is logged in now sends it.
            Err(Ended::SessionChanged) => {
                self.held = self.session.current();
                Ok(())
            }
            // The server's word is better than a clock's: the old one is tried.
            Err(Ended::Declined) if !stale => Ok(()),
            Err(Ended::Failed(error)) if !stale && error.is_transient() => {
                self.spent = true;
                Ok(())
            }
            Err(ended) => Err(Error::before_send(ended)),
        }
    }

    /// Puts the credential that is held on the request, which is about to be sent.
    async fn sign(&mut self, request: &mut Request) -> Result<(), Error> {
        let attempt = usize::from(self.report.attempts.min(1));
        self.report.attempts += 1;
        (self.report.epoch, self.report.generation) = (self.held.epoch, self.held.generation);
        let Some(credential) = &self.held.credential else { return Ok(()) };
        self.report.sent[attempt] = Some(credential.clone());
        let done = match credential.authorizer() {
            Some(authorize) => authorize.authorize(request).await,
            None => credential.put_on(request).unwrap_or(Ok(())),
        };
        done.map_err(|source| unsigned(credential, source))
    }

    fn want(&self, cause: Cause, challenges: Arc<Challenges>, demand: Demand) -> Want {
        Want {
            cause,
            epoch: self.held.epoch,
            generation: self.held.generation,
            failures: self.held.failures,
            demand,
            challenges,
            request: Some((self.sent.method().clone(), self.sent.url().clone())),
        }
    }

    /// What the first response means.
    pub(crate) async fn judge(&mut self, mut response: Response) -> Judged {
        match self.judge_of().verdict(response.status(), response.url()) {
            Verdict::Pass => match self.observe(&response, &Challenges::default()) {
                Ok(_) => Judged::Done(self.marked(response)),
                Err(error) => Judged::Over(error),
            },
            Verdict::Forbidden => Judged::Over(self.forbidden(response).await),
            Verdict::Unauthorized(reason) => Judged::Over(self.unauthorized(response, reason).await),
            Verdict::Challenged if self.callers_own => {
                Judged::Over(self.unauthorized(response, Reason::CallerCredential).await)
            }
            Verdict::Challenged => {
                let challenges = Arc::new(Challenges::from_headers(response.headers()));
                match self.observe(&response, &challenges) {
                    Err(error) => Judged::Over(error),
                    Ok(Observed::Resign) => {
                        // Read so that its connection serves the second send.
                        self.read(&mut response).await;
                        self.report.renewal = Some(Renewed::ByScheme);
                        Judged::Refused(Refused { response, challenges })
                    }
                    Ok(Observed::Nothing) if self.spent => {
                        Judged::Over(self.unauthorized(response, Reason::StillRejected).await)
                    }
                    Ok(Observed::Nothing) => Judged::Refused(Refused { response, challenges }),
                }
            }
        }
    }

    fn observe(&self, response: &Response, challenges: &Challenges) -> Result<Observed, Error> {
        let credential = self.held.credential.as_ref();
        let Some((credential, authorize)) = credential.and_then(|held| Some((held, held.authorizer()?))) else {
            return Ok(Observed::Nothing);
        };
        let head =
            ResponseHead { status: response.status(), url: response.url(), headers: response.headers(), challenges };
        authorize.observe(&head).map_err(|source| unsigned(credential, source))
    }

    /// The second request: signed with a newer credential, while what is left of the first answer is read.
    pub(crate) async fn second(
        &mut self,
        mut response: Response,
        challenges: Arc<Challenges>,
    ) -> Result<Request, Error> {
        if self.report.renewal == Some(Renewed::ByScheme) {
            return self.again(response, Body::default()).await;
        }
        let started = Instant::now();
        let want = self.want(Cause::Challenged, challenges.clone(), Demand::of(&challenges));
        let (renewal, body) = read::both(self.session.renew(want), self.read(&mut response)).await;
        self.report.waited += started.elapsed();
        let renewal = match renewal {
            Ok(renewal) => renewal,
            Err(Ended::Failed(error)) => {
                return Err(Error::Unauthorized(Unauthorized::refresh_failed(self.facts(response, body), error)));
            }
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

    async fn again(&mut self, response: Response, body: Body) -> Result<Request, Error> {
        if self.judge_of().is_redirected_work(response.url()) {
            return Err(self.refusal(response, body, Reason::Redirected));
        }
        let head = Kept::Head(self.sent.method().clone(), self.sent.url().clone());
        let Kept::Copy(mut request) = std::mem::replace(&mut self.sent, head) else {
            return Err(self.refusal(response, body, Reason::NotReplayable));
        };
        drop(response);
        self.sign(&mut request).await?;
        Ok(*request)
    }

    /// What the second response means: there is no third.
    pub(crate) async fn conclude(&mut self, response: Response) -> Result<Response, Error> {
        match self.judge_of().verdict(response.status(), response.url()) {
            Verdict::Pass => {
                self.observe(&response, &Challenges::default())?;
                Ok(self.marked(response))
            }
            Verdict::Forbidden => Err(self.forbidden(response).await),
            Verdict::Unauthorized(reason) => Err(self.unauthorized(response, reason).await),
            Verdict::Challenged => Err(self.unauthorized(response, Reason::StillRejected).await),
        }
    }

    /// The response with its report, where there is more to say than that it was sent once.
    fn marked(&self, mut response: Response) -> Response {
        if self.report.attempts > 1 || self.report.renewal.is_some() {
            response.extensions_mut().insert(self.report.clone());
        }
        response
    }

    async fn read(&self, response: &mut Response) -> Body {
        read::bounded(response, self.settings.body_bytes, self.settings.body_time).await
    }

    async fn forbidden(&self, mut response: Response) -> Error {
        let body = self.read(&mut response).await;
        Error::Forbidden(Forbidden::new(self.facts(response, body)))
    }

    async fn unauthorized(&self, mut response: Response, reason: Reason) -> Error {
        let body = self.read(&mut response).await;
        self.refusal(response, body, reason)
    }

    fn refusal(&self, response: Response, body: Body, reason: Reason) -> Error {
        let fresh = matches!(self.report.renewal, Some(Renewed::ByUs | Renewed::Joined));
        let error = Unauthorized::new(self.facts(response, body), reason);
        Error::Unauthorized(if fresh { error.of_fresh_credential() } else { error })
    }

    fn facts(&self, mut response: Response, body: Body) -> Facts {
        let answered = Answered {
            status: response.status(),
            url: bare(response.url()),
            foreign: self.judge_of().is_foreign(response.url()),
            headers: std::mem::take(response.headers_mut()),
        };
        Facts::new(self.sent.method().clone(), bare(self.sent.url()), answered, body, self.report.clone())
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

fn unsigned(credential: &Credential, source: BoxError) -> Error {
    Error::Authorize(AuthorizeError { scheme: credential.scheme().into(), source })
}
