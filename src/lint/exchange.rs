//! What is looked at: one request and its response.

use std::fmt;

use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HeaderMap, HeaderName, WWW_AUTHENTICATE};
use http::{Method, StatusCode};
use url::Url;

/// What a request carried for a credential.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Presented {
    /// That is not known: no rule that depends on it is looked at.
    #[default]
    Unknown,
    /// Nothing.
    Nothing,
    /// A token by `Authorization: Bearer` or `DPoP`.
    Token,
    /// Something else.
    Other,
}

/// One request and its response. It borrows both, and prints neither.
#[derive(Clone, Copy)]
pub struct Exchange<'e> {
    pub(super) method: &'e Method,
    pub(super) url: &'e Url,
    pub(super) status: StatusCode,
    pub(super) headers: &'e HeaderMap,
    pub(super) body: &'e [u8],
    pub(super) presented: Presented,
    pub(super) renewed: bool,
    pub(super) good: bool,
}

impl<'e> Exchange<'e> {
    /// A request of that method to that URL, and the status and header of its response.
    #[must_use]
    pub fn new(method: &'e Method, url: &'e Url, status: StatusCode, headers: &'e HeaderMap) -> Self {
        Self { method, url, status, headers, body: &[], presented: Presented::Unknown, renewed: false, good: false }
    }

    /// With the response's body, or its beginning.
    #[must_use]
    pub fn body(mut self, body: &'e [u8]) -> Self {
        self.body = body;
        self
    }

    /// With what the request carried.
    #[must_use]
    pub fn presented(mut self, presented: Presented) -> Self {
        self.presented = presented;
        self
    }

    /// With the request's header, which says what it carried. A key in a header of its own is named by
    /// [`presented`](Self::presented).
    #[must_use]
    pub fn request_headers(self, headers: &HeaderMap) -> Self {
        let token = |value: &http::HeaderValue| {
            let scheme = value.as_bytes().split(|&octet| octet == b' ').next().unwrap_or_default();
            scheme.eq_ignore_ascii_case(b"bearer") || scheme.eq_ignore_ascii_case(b"dpop")
        };
        let presented =
            headers.get(AUTHORIZATION).map(|value| if token(value) { Presented::Token } else { Presented::Other });
        // A cookie, a key in a custom header field and a signed URL are credentials too, but the lint cannot judge
        // them.
        const WORDS: [&str; 9] =
            ["key", "token", "auth", "signature", "secret", "session", "jwt", "credential", "passw"];
        let has_word = |name: &str| WORDS.iter().any(|word| name.contains(word));
        let may_be = |name: &HeaderName| *name == COOKIE || has_word(name.as_str());
        let in_query = |name: &str| has_word(&name.to_ascii_lowercase()) || ["sig", "code", "hmac"].contains(&name);
        let in_url = !self.url.username().is_empty() || self.url.password().is_some();
        let hidden = in_url || headers.keys().any(may_be) || self.url.query_pairs().any(|(name, _)| in_query(&name));
        self.presented(presented.unwrap_or(if hidden { Presented::Unknown } else { Presented::Nothing }))
    }

    /// The credential was just renewed or just given by the user. A password may still be wrong.
    #[must_use]
    pub fn renewed(mut self) -> Self {
        self.renewed = true;
        self
    }

    /// The credential is known to be good: the server accepts it on another path.
    #[must_use]
    pub fn known_good(mut self) -> Self {
        self.good = true;
        self
    }

    /// Whether there is nothing in it that any rule is about: a success without a challenge, a query and a body to look at.
    pub(super) fn is_plain(&self) -> bool {
        let status = self.status.as_u16();
        !matches!(status, 401 | 403 | 404 | 407)
            && self.url.query().is_none()
            && (self.body.is_empty() || !self.is_json())
            && !self.headers.contains_key(WWW_AUTHENTICATE)
    }

    pub(super) fn is_json(&self) -> bool {
        let media = self.headers.get(CONTENT_TYPE).map(http::HeaderValue::as_bytes).unwrap_or_default();
        let media = media.split(|&octet| octet == b';').next().unwrap_or_default().trim_ascii();
        media.eq_ignore_ascii_case(b"application/json") || media.to_ascii_lowercase().ends_with(b"+json")
    }
}

impl fmt::Debug for Exchange<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange")
            .field("method", &self.method)
            .field("path", &self.url.path())
            .field("status", &self.status.as_u16())
            .field("presented", &self.presented)
            .field("renewed", &self.renewed)
            .field("good", &self.good)
            .finish_non_exhaustive()
    }
}
