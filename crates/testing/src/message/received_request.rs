//! A request as a mock server received it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Version};
use url::Url;

/// A request as a mock server received it.
#[derive(Clone)]
pub struct ReceivedRequest {
    pub(crate) server: Arc<str>,
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) version: Version,
    pub(crate) timeout: Option<Duration>,
    pub(crate) connection: Option<usize>,
    /// The header field with the API key, if the path of this request is protected by one.
    pub(crate) key_header: Option<HeaderName>,
}

impl ReceivedRequest {
    /// The name of the server that received the request.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.server
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The URL, with its query.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The path of the URL.
    #[must_use]
    pub fn path(&self) -> &str {
        self.url.path()
    }

    /// The header fields.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The first value of this header field, if it is UTF-8 text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        text(self.headers.get(name)?)
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The first value of this parameter of the body, read as `application/x-www-form-urlencoded`.
    #[must_use]
    pub fn form(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(&self.body).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// Whether the `Content-Type` is that of a form (RFC 6749 §4.4.2).
    pub(crate) fn is_form(&self) -> bool {
        let media = self.header("content-type").unwrap_or_default();
        let media = media.split(';').next().unwrap_or_default().trim();
        media.eq_ignore_ascii_case("application/x-www-form-urlencoded")
    }

    /// The HTTP version.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// The timeout that the caller set. Only [`Script`](crate::Script) knows it, because a socket does not transmit it.
    #[must_use]
    pub fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// The number of the connection, from 1. `None` if the server is a [`Script`](crate::Script).
    #[must_use]
    pub fn connection(&self) -> Option<usize> {
        self.connection
    }

    /// The credential: the value of the API's key header if there is one, else of `Authorization`.
    #[must_use]
    pub fn credential(&self) -> Option<&str> {
        text(self.key().or_else(|| self.headers.get(AUTHORIZATION))?)
    }

    /// The value of the API's key header.
    pub(crate) fn key(&self) -> Option<&HeaderValue> {
        self.headers.get(self.key_header.as_ref()?)
    }

    /// The bearer token (RFC 6750 §2.1). Empty if there is none.
    #[must_use]
    pub fn token(&self) -> &str {
        self.token_by("bearer").unwrap_or_default()
    }

    /// The token, if the request has one with this scheme.
    pub(crate) fn token_by(&self, wanted: &str) -> Option<&str> {
        let (scheme, token) = self.header("authorization")?.split_once(' ')?;
        scheme.eq_ignore_ascii_case(wanted).then(|| token.trim_start())
    }

    /// Whether the URL, a header field or the body contains this text as a whole word. `/part1` does not contain `t1`.
    #[must_use]
    pub fn contains(&self, text: &str) -> bool {
        let has = |bytes: &[u8]| contains_word(&String::from_utf8_lossy(bytes), text);
        has(self.url.as_str().as_bytes()) || self.headers.values().any(|value| has(value.as_bytes())) || has(&self.body)
    }
}

/// The value of a header field as text. A Digest answer may contain a user name in UTF-8.
fn text(value: &HeaderValue) -> Option<&str> {
    std::str::from_utf8(value.as_bytes()).ok()
}

/// Whether the text contains the word with no letter or digit next to it.
fn contains_word(text: &str, word: &str) -> bool {
    let is_letter = |character: Option<char>| character.is_some_and(char::is_alphanumeric);
    text.match_indices(word).any(|(at, _)| {
        let (before, after) = (text[..at].chars().next_back(), text[at + word.len()..].chars().next());
        !word.is_empty() && !is_letter(before) && !is_letter(after)
    })
}

/// Prints no query, no values of header fields and no body, which may be secrets.
impl fmt::Debug for ReceivedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceivedRequest")
            .field("server", &self.server)
            .field("method", &self.method)
            .field("path", &self.url.path())
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("body_length", &self.body.len())
            .finish_non_exhaustive()
    }
}
