//! What a response means: a pure function, which the middleware obeys.

use http::{Method, StatusCode};
use reqwest::Url;

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
    pub(crate) fn verdict(&self, status: StatusCode, answered: &Url) -> Verdict {
        match status {
            StatusCode::FORBIDDEN => Verdict::Forbidden,
            StatusCode::UNAUTHORIZED if self.is_foreign(answered) => Verdict::Foreign,
            StatusCode::UNAUTHORIZED => Verdict::Challenged,
            _ => Verdict::Pass,
        }
    }

    /// Whether another origin answered, after a redirect.
    pub(crate) fn is_foreign(&self, answered: &Url) -> bool {
        // Written by hand, because `Url::origin` allocates. A response without a URL is foreign too: reqwest gives it a
        // placeholder URL, and the middleware that made the response may have lost the URL of another server.
        let same = answered.scheme() == self.url.scheme()
            && answered.host() == self.url.host()
            && answered.port_or_known_default() == self.url.port_or_known_default();
        !same
    }

    /// Whether it was redirected before it was refused, and sending it again would do its work twice.
    pub(crate) fn is_redirected_work(&self, answered: &Url) -> bool {
        let path = |url: &Url| (url.path().to_owned(), url.query().map(str::to_owned));
        !self.method.is_safe() && path(answered) != path(self.url)
    }
}
