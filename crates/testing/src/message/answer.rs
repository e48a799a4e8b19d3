//! The answer of a mock server.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION, WWW_AUTHENTICATE};
use http::{Response, StatusCode};
use url::Url;

use super::payload::Payload;
use crate::timing::Gate;

/// The answer of a mock server: status, header fields, body, and when it is sent.
#[derive(Clone)]
pub struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) payload: Payload,
    pub(crate) delay: Option<Duration>,
    pub(crate) gate: Option<Gate>,
    /// Whether the connection is closed without a response.
    pub(crate) is_cut: bool,
    pub(crate) url: Option<Url>,
}

impl Answer {
    /// An answer with this status and without a body.
    ///
    /// # Panics
    /// If the number is not a status code, which is 100 to 999.
    #[must_use]
    #[track_caller]
    pub fn new(status: u16) -> Self {
        let Ok(status) = StatusCode::from_u16(status) else {
            panic!("{status} is not a status code: write 100 to 999")
        };
        Self {
            status,
            headers: HeaderMap::new(),
            payload: Payload::from(Bytes::new()),
            delay: None,
            gate: None,
            is_cut: false,
            url: None,
        }
    }

    /// 200 with this body.
    #[must_use]
    pub fn ok(body: impl Into<Bytes>) -> Self {
        Self::new(200).body(body)
    }

    /// 200 with this body as `application/json`.
    #[must_use]
    pub fn json(body: impl fmt::Display) -> Self {
        Self::new(200).json_body(body)
    }

    /// 401 with one `WWW-Authenticate` field per challenge, without one if there is no challenge.
    #[must_use]
    pub fn unauthorized<'c>(challenges: impl IntoIterator<Item = &'c str>) -> Self {
        challenges.into_iter().fold(Self::new(401), |answer, line| answer.header(WWW_AUTHENTICATE.as_str(), line))
    }

    /// 403 with `error="insufficient_scope"` and this scope (RFC 6750 §3.1).
    #[must_use]
    pub fn insufficient_scope(scope: &str) -> Self {
        let challenge = format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"");
        Self::new(403).header(WWW_AUTHENTICATE.as_str(), &challenge)
    }

    /// A redirect that keeps the method: 307.
    #[must_use]
    pub fn redirect(to: impl AsRef<str>) -> Self {
        Self::new(307).header(LOCATION.as_str(), to.as_ref())
    }

    /// The server closes the connection without a response.
    #[must_use]
    pub fn cut() -> Self {
        Self { is_cut: true, ..Self::new(500) }
    }

    /// Adds a header field. The value is sent byte for byte.
    ///
    /// # Panics
    /// If the name is not a field name, or if the value contains a line break or another control character.
    #[must_use]
    #[track_caller]
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let parsed = HeaderName::from_bytes(name.as_bytes());
        let value = HeaderValue::from_bytes(value.as_ref());
        let (Ok(parsed), Ok(value)) = (parsed, value) else {
            panic!("the header field `{}` has a name or a value that HTTP does not allow", name.escape_debug());
        };
        self.headers.append(parsed, value);
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.payload = Payload::from(body.into());
        self
    }

    /// Sets the body, as `application/json`.
    #[must_use]
    pub fn json_body(mut self, body: impl fmt::Display) -> Self {
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self.body(body.to_string())
    }

    /// Sets a body of this many bytes. The server generates the body while it sends it.
    #[must_use]
    pub fn body_of_size(mut self, bytes: u64) -> Self {
        self.payload = Payload::filler(bytes);
        self
    }

    /// Sets a body that never ends.
    #[must_use]
    pub fn endless_body(mut self) -> Self {
        self.payload = Payload::endless();
        self
    }

    /// Lets the body stall: the server sends the bytes of the body, but not its end.
    #[must_use]
    pub fn stall_body(mut self) -> Self {
        self.payload.stall();
        self
    }

    /// Delays the answer by this span after the request.
    #[must_use]
    pub fn delay(mut self, span: Duration) -> Self {
        self.delay = Some(span);
        self
    }

    /// Holds the answer back until the gate lets it pass.
    #[must_use]
    pub fn hold_until(mut self, gate: &Gate) -> Self {
        self.gate = Some(gate.clone());
        self
    }

    /// Sets the URL of the response, as if redirects had led there. Only [`Script`](crate::Script) uses it, because it
    /// does not redirect.
    ///
    /// # Panics
    /// If the text is not a URL.
    #[must_use]
    #[track_caller]
    pub fn url(mut self, url: &str) -> Self {
        let parsed =
            Url::parse(url).unwrap_or_else(|error| panic!("`{url}` is not a URL ({error}): write `https://…`"));
        self.url = Some(parsed);
        self
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The header fields.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Waits for the gate and the delay.
    pub(crate) async fn wait(&self) {
        if let Some(gate) = &self.gate {
            gate.pass().await;
        }
        if let Some(delay) = self.delay {
            tokio::time::sleep(delay).await;
        }
    }

    pub(crate) fn into_response(self) -> Response<Payload> {
        let mut response = Response::new(self.payload);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

/// Prints no values of header fields and no body, which may be secrets.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status.as_u16())
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}
