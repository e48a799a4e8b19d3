//! What arrived at a server.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, HeaderMap};
use http::{Method, Version};
use url::Url;

/// A request, as a server of this kit got it.
#[derive(Clone)]
pub struct Arrived {
    pub(super) server: Arc<str>,
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) version: Version,
    pub(super) timeout: Option<Duration>,
    pub(super) connection: Option<usize>,
    /// The header that the API of this path takes its credentials from.
    pub(super) key: Option<http::HeaderName>,
}

impl Arrived {
    /// The name of the server that got it.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Its method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// Its URL, whole.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The path of its URL.
    #[must_use]
    pub fn path(&self) -> &str {
        self.url.path()
    }

    /// Its header.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The first value of that header field, if it is UTF-8 text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        text(self.headers.get(name)?)
    }

    /// Its body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Its body as a form (`application/x-www-form-urlencoded`): the value of that name.
    #[must_use]
    pub fn form(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(&self.body).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// Whether the `Content-Type` is that of a form (RFC 6749 §4.4.2).
    pub(super) fn is_form(&self) -> bool {
        let media = self.header("content-type").unwrap_or_default();
        let media = media.split(';').next().unwrap_or_default().trim();
        media.eq_ignore_ascii_case("application/x-www-form-urlencoded")
    }

    /// Its HTTP version.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// The timeout that it was sent with, where there is no socket in between.
    #[must_use]
    pub fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// The number of the connection that it came on, from 1; `None` where there was none.
    #[must_use]
    pub fn connection(&self) -> Option<usize> {
        self.connection
    }

    /// What it carries for a credential: the value of `Authorization`, or of the header that the API takes its keys from.
    #[must_use]
    pub fn credential(&self) -> Option<&str> {
        let own = self.key.as_ref().and_then(|name| self.headers.get(name));
        text(own.or_else(|| self.headers.get(AUTHORIZATION))?)
    }

    /// The value of the header that the API takes its keys from.
    pub(super) fn presented(&self) -> Option<&http::HeaderValue> {
        self.headers.get(self.key.as_ref()?)
    }

    /// Its bearer token; nothing if it has none (RFC 6750 §2.1).
    #[must_use]
    pub fn token(&self) -> &str {
        self.token_by("bearer").unwrap_or_default()
    }

    /// Its token, if it comes by that scheme.
    pub(super) fn token_by(&self, wanted: &str) -> Option<&str> {
        let (scheme, token) = self.header("authorization")?.split_once(' ')?;
        scheme.eq_ignore_ascii_case(wanted).then(|| token.trim_start())
    }

    /// Whether that text stands anywhere in it as a word of its own: in its URL, its header, its body. `t1` does not stand in
    /// `/part1`.
    #[must_use]
    pub fn contains(&self, text: &str) -> bool {
        let holds = |octets: &[u8]| stands_in(&String::from_utf8_lossy(octets), text);
        holds(self.url.as_str().as_bytes())
            || self.headers.values().any(|value| holds(value.as_bytes()))
            || holds(&self.body)
    }
}

/// The value of a header field as text: a Digest answer may contain a user name in UTF-8.
fn text(value: &http::HeaderValue) -> Option<&str> {
    std::str::from_utf8(value.as_bytes()).ok()
}

/// Whether the word stands in the text, with no letter or digit beside it.
fn stands_in(text: &str, word: &str) -> bool {
    let beside = |character: Option<char>| character.is_some_and(char::is_alphanumeric);
    text.match_indices(word).any(|(at, _)| {
        !word.is_empty() && !beside(text[..at].chars().next_back()) && !beside(text[at + word.len()..].chars().next())
    })
}

impl fmt::Debug for Arrived {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arrived")
            .field("server", &self.server)
            .field("method", &self.method)
            .field("path", &self.url.path())
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("body_length", &self.body.len())
            .finish_non_exhaustive()
    }
}
