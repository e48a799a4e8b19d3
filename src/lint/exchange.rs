//! Exchanges: one request and its response.

use std::fmt;

use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HeaderMap, HeaderName, WWW_AUTHENTICATE};
use http::{Method, StatusCode};
use url::Url;

/// The credential that a request carried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Presented {
    /// It is not known. Rules that depend on the credential are not applied.
    #[default]
    Unknown,
    /// No credential.
    Nothing,
    /// A token, in `Authorization: Bearer` or `Authorization: DPoP`.
    Token,
    /// Another credential.
    Other,
}

/// One request and its response, both borrowed. `Debug` prints no header field and no body.
#[derive(Clone, Copy)]
pub struct Exchange<'e> {
    pub(super) method: &'e Method,
    pub(super) url: &'e Url,
    pub(super) status: StatusCode,
    pub(super) headers: &'e HeaderMap,
    pub(super) body: &'e [u8],
    pub(super) presented: Presented,
    pub(super) is_renewed: bool,
    pub(super) is_known_good: bool,
}

impl<'e> Exchange<'e> {
    /// An exchange: the method and the URL of the request, and the status and the header fields of the response.
    #[must_use]
    pub fn new(method: &'e Method, url: &'e Url, status: StatusCode, headers: &'e HeaderMap) -> Self {
        Self {
            method,
            url,
            status,
            headers,
            body: &[],
            presented: Presented::Unknown,
            is_renewed: false,
            is_known_good: false,
        }
    }

    /// Adds the body of the response, or its beginning.
    #[must_use]
    pub fn body(mut self, body: &'e [u8]) -> Self {
        self.body = body;
        self
    }

    /// Sets the credential that the request carried. Without it, the credential is unknown.
    #[must_use]
    pub fn presented(mut self, presented: Presented) -> Self {
        self.presented = presented;
        self
    }

    /// Finds the credential that the request carried, by the header fields of the request. If a field or the query may be a
    /// credential that is not known, the credential is unknown. Use [`presented`](Self::presented) for a key in a header with
    /// another name.
    #[must_use]
    pub fn request_headers(self, headers: &HeaderMap) -> Self {
        let is_token = |value: &http::HeaderValue| {
            let scheme = value.as_bytes().split(|&octet| octet == b' ').next().unwrap_or_default();
            scheme.eq_ignore_ascii_case(b"bearer") || scheme.eq_ignore_ascii_case(b"dpop")
        };
        let presented =
            headers.get(AUTHORIZATION).map(|value| if is_token(value) { Presented::Token } else { Presented::Other });
        // A cookie, a key in another header field and a signed URL are credentials too, but the rules cannot judge them.
        const CREDENTIAL_WORDS: [&str; 9] =
            ["key", "token", "auth", "signature", "secret", "session", "jwt", "credential", "passw"];
        let has_word = |name: &str| CREDENTIAL_WORDS.iter().any(|word| name.contains(word));
        let may_be = |name: &HeaderName| *name == COOKIE || has_word(name.as_str());
        let in_query = |name: &str| has_word(&name.to_ascii_lowercase()) || ["sig", "code", "hmac"].contains(&name);
        let in_url = !self.url.username().is_empty() || self.url.password().is_some();
        let hidden = in_url || headers.keys().any(may_be) || self.url.query_pairs().any(|(name, _)| in_query(&name));
        self.presented(presented.unwrap_or(if hidden { Presented::Unknown } else { Presented::Nothing }))
    }

    /// States that the credential was just renewed, or that the user just entered it. If the server then
    /// refuses a token and names no fault of it, this is a finding. A refused password is no finding, because it may be
    /// wrong.
    #[must_use]
    pub fn renewed(mut self) -> Self {
        self.is_renewed = true;
        self
    }

    /// States that the credential is good: the server accepted it on another path.
    #[must_use]
    pub fn known_good(mut self) -> Self {
        self.is_known_good = true;
        self
    }

    /// Whether no rule can apply: the status is not about authentication, and there is no challenge, no query and no JSON
    /// body.
    pub(super) fn is_plain(&self) -> bool {
        let status = self.status.as_u16();
        !matches!(status, 401 | 403 | 404 | 407)
            && self.url.query().is_none()
            && (self.body.is_empty() || !self.is_json())
            && !self.headers.contains_key(WWW_AUTHENTICATE)
    }

    /// Whether the body is JSON, by its media type.
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
            .field("renewed", &self.is_renewed)
            .field("known_good", &self.is_known_good)
            .finish_non_exhaustive()
    }
}
