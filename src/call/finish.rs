//! How a call ends: with a response, or with a typed error.

use std::sync::Arc;

use http::header::HeaderMap;
use reqwest::Response;

use super::state::{Call, Kept};
use crate::challenge::Challenges;
use crate::credential::Credential;
use crate::error::RefreshError;
use crate::error::{Answered, Body, Error, Facts, Forbidden, Reading, Unauthorized, UnauthorizedReason};
use crate::error::{AuthReport, Renewed};
use crate::origin::url_without_secrets;
use crate::session::Event;

/// How a call ends.
pub(crate) enum End {
    Response(Response),
    Error(Error),
}

impl From<Error> for End {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl End {
    pub(crate) fn into_result(self) -> reqwest_middleware::Result<Response> {
        match self {
            Self::Response(response) => Ok(response),
            Self::Error(error) => Err(error.into_middleware()),
        }
    }
}

impl Call<'_> {
    pub(crate) async fn forbidden(&self, mut response: Response) -> End {
        let foreign = self.judge().is_foreign(&response);
        if !foreign {
            self.of.session.listeners().notify(|| Event::Forbidden {
                method: self.sent.method().clone(),
                url: url_without_secrets(self.sent.url()),
                scopes: Forbidden::masked_scopes(&Challenges::from_headers(response.headers()), &self.report),
                authenticated: self.report.sent.iter().any(Option::is_some),
            });
        }
        // A scheme learns from every response to what it signed; what it makes of this one changes nothing.
        let _ = self.observe(&response, &Challenges::default());
        let asked = self.of.settings.expired_when.as_ref().filter(|_| !foreign);
        if self.passes_through() {
            if let Some(means_expired) = asked {
                // The caller reads the body.
                let (body, headers) = (Body::default(), response.headers().clone());
                let facts = self.facts_of(&response, headers, body, self.report.clone());
                self.judge_expired(means_expired(&Forbidden::new(facts)), &response);
            } else {
                self.judge_expired(false, &response);
            }
            return self.through(response);
        }
        let body = self.read(&mut response).await;
        let forbidden = Forbidden::new(self.facts(&mut response, body));
        self.judge_expired(asked.is_some_and(|means_expired| means_expired(&forbidden)), &response);
        Error::Forbidden(forbidden).into()
    }

    /// A 403 means that the server accepted the credential. If it means an expired credential instead, the next call
    /// renews first.
    fn judge_expired(&self, is_expired: bool, response: &Response) {
        if is_expired {
            self.of.session.was_refused(self.report.signed);
            self.of.session.invalidate(self.report.signed, false);
        } else {
            self.accepted(response);
        }
    }

    pub(crate) async fn unauthorized(&self, mut response: Response, reason: UnauthorizedReason) -> End {
        let body = self.read(&mut response).await;
        self.refusal(response, body, reason)
    }

    pub(crate) fn refusal(&self, response: Response, body: Body, reason: UnauthorizedReason) -> End {
        self.refused(response, body, reason, None)
    }

    pub(crate) fn refused(
        &self,
        response: Response,
        body: Body,
        reason: UnauthorizedReason,
        error: Option<RefreshError>,
    ) -> End {
        if self.passes_through() {
            return self.through(response);
        }
        let mut response = response;
        let facts = self.facts(&mut response, body);
        // Another call may have renewed the credential meanwhile, and the new one may be invalid too.
        let worked = self.worked && self.report.renewal != Some(Renewed::Reused) && !self.has_expired();
        Error::Unauthorized(Unauthorized::new(facts, reason, error, worked)).into()
    }

    /// A refusal as a response, with what was read of it in its extensions.
    fn through(&self, mut response: Response) -> End {
        let challenges = Arc::new(Challenges::from_headers(response.headers()));
        response.extensions_mut().insert(challenges);
        let mut report = self.report.clone();
        report.findings.add(self.look(&response, (&[], None)));
        response.extensions_mut().insert(report);
        End::Response(response)
    }

    /// The facts of a refusal. Takes the header out of the response.
    fn facts(&self, response: &mut Response, body: Body) -> Facts {
        let report = self.report_of(response, &body);
        let headers = std::mem::take(response.headers_mut());
        self.facts_of(response, headers, body, report)
    }

    fn report_of(&self, response: &Response, body: &Body) -> AuthReport {
        let mut report = self.report.clone();
        report.mask_url_values(self.sent.url());
        if let Kept::Copy(request) = &self.sent {
            // A server may also echo other values that the caller marked as secret.
            let secret = request.headers().values().filter(|value| value.is_sensitive());
            report.echoes.extend(secret.cloned().map(Credential::of_caller));
        }
        report.findings.add(self.look(response, (&body.bytes, None)));
        report
    }

    fn facts_of(&self, response: &Response, headers: HeaderMap, body: Body, report: AuthReport) -> Facts {
        let answered = Answered {
            status: response.status(),
            url: url_without_secrets(response.url()),
            foreign: self.judge().is_foreign(response),
            headers,
            reading: Reading { of_caller: self.of.settings.read_refusals.clone(), now: self.of.session.now() },
        };
        Facts::new(self.sent.method().clone(), url_without_secrets(self.sent.url()), answered, body, report)
    }
}
