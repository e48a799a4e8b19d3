//! Reports how a call ended.

use http::StatusCode;
use reqwest::{Request, Response};

use super::call::{Call, End};
use super::settings::Shared;
use crate::error::Error;
use crate::origin::url_without_secrets;
use crate::session::{Event, Verdict, count_call};

impl Call<'_> {
    /// Reports how the call ends, and ends it.
    pub(crate) fn end(&self, end: End, response: &Response) -> reqwest_middleware::Result<()> {
        match end {
            End::Response(verdict) => {
                self.report_end(verdict, Some(response.status()));
                Ok(())
            }
            End::Error(error) => Err(self.fail(error)),
        }
    }

    /// Ends the call with an error of this crate.
    #[cold]
    pub(crate) fn fail(&self, error: Error) -> reqwest_middleware::Error {
        let status = match &error {
            Error::Unauthorized(refusal) => Some(refusal.status()),
            Error::Forbidden(refusal) => Some(refusal.status()),
            _ => None,
        };
        self.report_end(Verdict::of(&error), status);
        error.into_middleware()
    }

    /// Ends the call without a response, because a send failed.
    #[cold]
    pub(crate) fn fail_send(&self, error: reqwest_middleware::Error) -> reqwest_middleware::Error {
        self.report_end(Verdict::NoResponse, None);
        error
    }

    fn report_end(&self, verdict: Verdict, status: Option<StatusCode>) {
        let resend_count = self.report.resend_count();
        count_call(verdict, resend_count);
        if verdict != Verdict::Ok || resend_count > 0 {
            self.shared.session.listeners().notify(|| Event::CallEnded {
                method: self.sent.method().clone(),
                url: url_without_secrets(self.sent.url()),
                verdict,
                status,
                resend_count,
                waited: self.report.waited,
            });
        }
    }
}

impl Shared {
    /// Ends a call before anything is signed, because the request is not allowed.
    #[cold]
    pub(crate) fn forbid(&self, request: &Request, error: Error) -> reqwest_middleware::Error {
        count_call(Verdict::Failed, 0);
        self.session.listeners().notify(|| Event::CallEnded {
            method: request.method().clone(),
            url: url_without_secrets(request.url()),
            verdict: Verdict::Failed,
            status: None,
            resend_count: 0,
            waited: std::time::Duration::ZERO,
        });
        error.into_middleware()
    }
}
