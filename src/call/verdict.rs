//! What a response means: a pure function, which the middleware obeys.

use http::{Method, StatusCode};
use reqwest::{Response, Url};

/// What a response means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// None of our business.
    Pass,
    /// Who are you?
    Challenged,
    /// Who are you, says another server than ours.
    Foreign,
    /// Not you.
    Forbidden,
}

/// Whether the response may lead to another URL.
pub(crate) fn is_redirect(status: StatusCode) -> bool {
    status.is_redirection() && status != StatusCode::NOT_MODIFIED
}

/// The judge of one request.
pub(crate) struct Judge<'r> {
    pub(crate) method: &'r Method,
    pub(crate) url: &'r Url,
}

impl Judge<'_> {
    pub(crate) fn verdict(&self, response: &Response) -> Verdict {
        match response.status() {
            StatusCode::FORBIDDEN => Verdict::Forbidden,
            StatusCode::UNAUTHORIZED if self.is_foreign(response) => Verdict::Foreign,
            StatusCode::UNAUTHORIZED => Verdict::Challenged,
            _ => Verdict::Pass,
        }
    }

    /// Whether another origin answered, after a redirect.
    pub(crate) fn is_foreign(&self, response: &Response) -> bool {
        let answered = response.url();
        // Written by hand, because `Url::origin` allocates.
        let same = answered.scheme() == self.url.scheme()
            && answered.host() == self.url.host()
            && answered.port_or_known_default() == self.url.port_or_known_default();
        !same && !is_made_by_hand(response)
    }

    /// Whether it was redirected before it was refused, and sending it again would do its work twice.
    pub(crate) fn is_redirected_work(&self, response: &Response) -> bool {
        let path = |url: &Url| (url.path().to_owned(), url.query().map(str::to_owned));
        !self.method.is_safe() && path(response.url()) != path(self.url) && !is_made_by_hand(response)
    }
}

/// Whether a mock made the response: it has neither a URL, in place of which reqwest puts this one, nor the address of a server. A
/// response from the network that lost its URL has the address, and may be of another server.
pub(crate) fn is_made_by_hand(response: &Response) -> bool {
    response.url().as_str() == "http://no.url.provided.local/" && response.remote_addr().is_none()
}
