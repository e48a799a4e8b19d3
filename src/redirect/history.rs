//! The redirects that led to a response.

use http::StatusCode;
use reqwest::{Response, Url};

/// The redirects that [`FollowRedirects`](crate::FollowRedirects) followed before a response, in order: an extension of
/// the response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RedirectHistory(Vec<RedirectHop>);

/// One redirect that was followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedirectHop {
    pub(super) status: StatusCode,
    pub(super) url: Url,
}

impl RedirectHistory {
    /// Returns the history of a response. Returns `None` if no redirect was followed.
    #[must_use]
    pub fn of(response: &Response) -> Option<&Self> {
        response.extensions().get::<Self>()
    }

    /// Returns the redirects, the first one first.
    #[must_use]
    pub fn hops(&self) -> &[RedirectHop] {
        &self.0
    }

    pub(super) fn push(&mut self, hop: RedirectHop) {
        self.0.push(hop);
    }

    /// Puts the history into the response, unless it is empty.
    pub(super) fn put_into(self, mut response: Response) -> Response {
        if !self.0.is_empty() {
            response.extensions_mut().insert(self);
        }
        response
    }
}

impl RedirectHop {
    /// Returns the status of the redirect.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the URL that redirected, without userinfo, query and fragment.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }
}
