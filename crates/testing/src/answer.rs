//! What a server answers.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION, WWW_AUTHENTICATE};
use http::{Response, StatusCode};
use http_body::{Frame, SizeHint};
use url::Url;

use crate::gate::Gate;

/// An answer of a server of this kit: a status, a header, a body, and how it goes out.
#[derive(Clone)]
pub struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) payload: Payload,
    pub(super) delay: Option<Duration>,
    pub(super) gate: Option<Gate>,
    pub(super) cut: bool,
    pub(super) url: Option<Url>,
}

impl Answer {
    /// With that status, without a body.
    ///
    /// # Panics
    /// If the number is no status: 100 to 999.
    #[must_use]
    #[track_caller]
    pub fn new(status: u16) -> Self {
        let Ok(status) = StatusCode::from_u16(status) else { panic!("{status} is no status: write 100 to 999") };
        Self {
            status,
            headers: HeaderMap::new(),
            payload: Payload::from(Bytes::new()),
            delay: None,
            gate: None,
            cut: false,
            url: None,
        }
    }

    /// 200 with that body.
    #[must_use]
    pub fn ok(body: impl Into<Bytes>) -> Self {
        Self::new(200).body(body)
    }

    /// 200 with that body as `application/json`.
    #[must_use]
    pub fn json(body: impl fmt::Display) -> Self {
        Self::new(200).json_body(body)
    }

    /// 401 with these challenges, a line each; none for a bare 401.
    #[must_use]
    pub fn unauthorized<'c>(challenges: impl IntoIterator<Item = &'c str>) -> Self {
        challenges.into_iter().fold(Self::new(401), |answer, line| answer.header(WWW_AUTHENTICATE.as_str(), line))
    }

    /// 403 with `error="insufficient_scope"` and that scope (RFC 6750 §3.1).
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

    /// The same with one header line more. Octets go out as they are.
    ///
    /// # Panics
    /// If they cannot stand in a header: a line break, another control character, a name that is none.
    #[must_use]
    #[track_caller]
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let name = HeaderName::from_bytes(name.as_bytes());
        let value = HeaderValue::from_bytes(value.as_ref());
        let (Ok(name), Ok(value)) = (name, value) else { panic!("it cannot stand in a header") };
        self.headers.append(name, value);
        self
    }

    /// The same with that body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.payload = Payload::from(body.into());
        self
    }

    /// The same with that body as `application/json`.
    #[must_use]
    pub fn json_body(mut self, body: impl fmt::Display) -> Self {
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self.body(body.to_string())
    }

    /// The same with a body of that many octets. The server makes it piece by piece while it sends it.
    #[must_use]
    pub fn body_of_size(mut self, octets: u64) -> Self {
        self.payload = Payload { left: Some(octets), ..Payload::default() };
        self
    }

    /// The same with a body that does not end.
    #[must_use]
    pub fn endless_body(mut self) -> Self {
        self.payload = Payload { left: None, ..Payload::default() };
        self
    }

    /// The same with a body that sends its octets and then neither goes on nor ends.
    #[must_use]
    pub fn stall_body(mut self) -> Self {
        self.payload.stalls = true;
        self
    }

    /// The same, sent that span after the request came.
    #[must_use]
    pub fn delay(mut self, span: Duration) -> Self {
        self.delay = Some(span);
        self
    }

    /// The same, sent once the gate lets it through.
    #[must_use]
    pub fn hold_until(mut self, gate: &Gate) -> Self {
        self.gate = Some(gate.clone());
        self
    }

    /// No answer at all: the connection is cut.
    #[must_use]
    pub fn cut() -> Self {
        Self { cut: true, ..Self::new(500) }
    }

    /// The same with that URL as the URL of the response, as after redirects. For [`Script`](super::Script), which does not
    /// redirect.
    ///
    /// # Panics
    /// If the text is not a URL.
    #[must_use]
    #[track_caller]
    pub fn url(mut self, url: &str) -> Self {
        let Ok(url) = Url::parse(url) else { panic!("it is no URL: write `https://…`") };
        self.url = Some(url);
        self
    }

    /// Its status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Its header.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Waits until it may go out.
    pub(super) async fn due(&self) {
        if let Some(gate) = &self.gate {
            gate.pass().await;
        }
        if let Some(delay) = self.delay {
            tokio::time::sleep(delay).await;
        }
    }

    pub(super) fn into_response(self) -> Response<Payload> {
        let mut response = Response::new(self.payload);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status.as_u16())
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// A body: octets that are there, and then as many as are left, or without an end.
#[derive(Clone, Default)]
pub(super) struct Payload {
    pub(super) bytes: Bytes,
    left: Option<u64>,
    stalls: bool,
}

impl From<Bytes> for Payload {
    fn from(bytes: Bytes) -> Self {
        Self { bytes, left: Some(0), stalls: false }
    }
}

impl Payload {
    /// Whether all of it is there.
    pub(super) fn is_at_hand(&self) -> bool {
        self.left == Some(0) && !self.stalls
    }
}

impl http_body::Body for Payload {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        static PIECE: [u8; 16 << 10] = [b'x'; 16 << 10];
        if !self.bytes.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut self.bytes)))));
        }
        if self.stalls {
            return Poll::Pending;
        }
        let piece = self.left.map_or(PIECE.len(), |left| PIECE.len().min(usize::try_from(left).unwrap_or(usize::MAX)));
        if piece == 0 {
            return Poll::Ready(None);
        }
        self.left = self.left.map(|left| left - piece as u64);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&PIECE[..piece])))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_empty() && self.is_at_hand()
    }

    fn size_hint(&self) -> SizeHint {
        let length = self.left.filter(|_| !self.stalls);
        length.map_or_else(SizeHint::default, |left| SizeHint::with_exact(self.bytes.len() as u64 + left))
    }
}
