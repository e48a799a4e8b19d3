//! How a call ends: with a response, or with a typed error.

use std::sync::Arc;

use reqwest::Response;

use crate::call::{Call, Kept};
use crate::challenge::Challenges;
use crate::credential::Credential;
use crate::error::{Answered, Body, Error, Facts, Forbidden, Reason, Unauthorized, bare, envelope};
use crate::event::Event;
use crate::refresh::RefreshError;
use crate::report::Renewed;

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
            Self::Error(error) => Err(envelope(error)),
        }
    }
}

impl Call<'_> {
    pub(crate) async fn forbidden(&self, mut response: Response) -> End {
        self.of.session.listeners().tell(|| Event::Forbidden {
            method: self.sent.method().clone(),
            url: bare(self.sent.url()),
            scopes: Forbidden::masked_scopes(&Challenges::from_headers(response.headers()), &self.report),
            authenticated: self.report.sent.iter().any(Option::is_some),
        });
        // A scheme learns from every response to what it signed; what it makes of this one changes nothing.
        let _ = self.observe(&response, &Challenges::default());
        if self.passes_through() {
            return self.through(response);
        }
        let body = self.read(&mut response).await;
        let forbidden = Forbidden::new(self.facts(response, body));
        if self.of.settings.expired_when.as_ref().is_some_and(|means_expired| means_expired(&forbidden)) {
            self.of.session.invalidate(self.report.signed);
        }
        Error::Forbidden(forbidden).into()
    }

    pub(crate) async fn unauthorized(&self, mut response: Response, reason: Reason) -> End {
        let body = self.read(&mut response).await;
        self.refusal(response, body, reason)
    }

    pub(crate) fn refusal(&self, response: Response, body: Body, reason: Reason) -> End {
        self.refused(response, body, reason, None)
    }

    pub(crate) fn refused(&self, response: Response, body: Body, reason: Reason, error: Option<RefreshError>) -> End {
        if self.passes_through() {
            return self.through(response);
        }
        let fresh = matches!(self.report.renewal, Some(Renewed::ByUs | Renewed::Joined));
        Error::Unauthorized(Unauthorized::new(self.facts(response, body), reason, error, fresh)).into()
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

    fn facts(&self, mut response: Response, body: Body) -> Facts {
        let mut report = self.report.clone();
        report.hide_in(self.sent.url());
        if let Kept::Copy(request) = &self.sent {
            // What else the caller marked as a secret may be echoed, too.
            let secret = request.headers().values().filter(|value| value.is_sensitive());
            report.echoes.extend(secret.cloned().map(Credential::of_caller));
        }
        report.findings.add(self.look(&response, (&body.bytes, None)));
        let answered = Answered {
            status: response.status(),
            url: bare(response.url()),
            foreign: self.judge().is_foreign(response.url()),
            headers: std::mem::take(response.headers_mut()),
        };
        Facts::new(self.sent.method().clone(), bare(self.sent.url()), answered, body, report)
    }
}
