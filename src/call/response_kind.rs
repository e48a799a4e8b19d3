//! What a response means for a call: pure functions of the request and the response.

use http::{Method, StatusCode};
use reqwest::{Response, Url};

use super::mock_response::is_mock;

/// What a response means for the call that it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResponseKind {
    /// Neither a 401 nor a 403.
    Other,
    /// A 401 of the API.
    Challenged,
    /// A 401 of another server.
    Foreign,
    /// A 403 of any server.
    Forbidden,
}

/// Whether the response can lead to another URL.
pub(crate) fn is_redirect(status: StatusCode) -> bool {
    status.is_redirection() && status != StatusCode::NOT_MODIFIED
}

/// The method and the URL of a request.
#[derive(Clone, Copy)]
pub(crate) struct Target<'r> {
    pub(crate) method: &'r Method,
    pub(crate) url: &'r Url,
}

impl Target<'_> {
    /// Classifies a response to this request.
    pub(crate) fn kind_of(self, response: &Response) -> ResponseKind {
        match response.status() {
            StatusCode::FORBIDDEN => ResponseKind::Forbidden,
            StatusCode::UNAUTHORIZED if self.is_foreign(response) => ResponseKind::Foreign,
            StatusCode::UNAUTHORIZED => ResponseKind::Challenged,
            _ => ResponseKind::Other,
        }
    }

    /// Whether another origin than the request's sent the response, after a redirect.
    pub(crate) fn is_foreign(self, response: &Response) -> bool {
        !has_same_origin(response.url(), self.url) && !is_mock(response)
    }

    /// Whether the request has an unsafe method and was redirected before it was refused. If it is sent again, its
    /// effect can happen twice.
    pub(crate) fn is_redirected_unsafe(self, response: &Response) -> bool {
        let answered = response.url();
        let is_same = answered.path() == self.url.path() && answered.query() == self.url.query();
        !self.method.is_safe() && !is_same && !is_mock(response)
    }
}

/// Whether two URLs have the same origin. Written by hand, because `Url::origin` allocates.
pub(super) fn has_same_origin(one: &Url, other: &Url) -> bool {
    // Nearly every response has the URL of its request.
    one == other
        || one.scheme() == other.scheme()
            && one.host() == other.host()
            && one.port_or_known_default() == other.port_or_known_default()
}
