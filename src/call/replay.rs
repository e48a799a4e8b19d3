//! A copy of a request, for the second send.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use http_body::Body as _;
use reqwest::{Body, Method, Request, Url, Version};

/// A copy of a request: method, URL, header fields, version, timeout and a body of bytes.
///
/// `Request::try_clone` makes four allocations where one or two are enough: the rows `Get` and `Post` of the benchmark `engine`. The
/// extensions of an `http::Request` that reqwest converted are not copied; only reqwest uses them.
pub(crate) struct RequestCopy {
    pub(crate) method: Method,
    pub(crate) url: Url,
    /// In their order. A map would be two allocations, and nearly no copy is sent.
    headers: Vec<(HeaderName, HeaderValue)>,
    version: Version,
    timeout: Option<Duration>,
    body: Option<Body>,
    /// Whether the body of the request is a stream that the caller makes again for the second send.
    pub(crate) has_remade_body: bool,
}

impl RequestCopy {
    /// Copies a request. If the body is a stream and `made_later` is set, the copy has no body. Any other stream cannot be copied.
    // Inlined, because a copy is large and an inlined constructor does not move it (rows `Get` and `Post` of the benchmark
    // `engine`).
    #[inline(always)]
    pub(crate) fn of(request: &mut Request, made_later: bool) -> Option<Self> {
        let body = match request.body() {
            None => None,
            Some(_) => match copy_body(request.body_mut()) {
                None if !made_later => return None,
                body => body,
            },
        };
        Some(Self {
            method: request.method().clone(),
            url: request.url().clone(),
            headers: request.headers().iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
            version: request.version(),
            timeout: request.timeout().copied(),
            has_remade_body: body.is_none() && request.body().is_some(),
            body,
        })
    }

    /// The header fields of the caller.
    pub(crate) fn headers(&self) -> &[(HeaderName, HeaderValue)] {
        &self.headers
    }

    /// The request to send again. `make` makes the body of a stream.
    pub(crate) fn into_request(self, make: Option<&(dyn Fn() -> Body + Send + Sync)>) -> Request {
        let mut request = Request::new(self.method, self.url);
        for (name, value) in self.headers {
            request.headers_mut().append(name, value);
        }
        *request.version_mut() = self.version;
        // If the request has no timeout, `timeout_mut` would allocate an entry for it.
        if self.timeout.is_some() {
            *request.timeout_mut() = self.timeout;
        }
        *request.body_mut() = make.filter(|_| self.has_remade_body).map(|make| make()).or(self.body);
        request
    }
}

/// A copy of a body of bytes, which shares the bytes. `None` for a stream.
pub(crate) fn copy_body(body: &mut Option<Body>) -> Option<Body> {
    match bytes_of(body.take()?) {
        Ok(bytes) => {
            *body = Some(Body::from(bytes.clone()));
            Some(Body::from(bytes))
        }
        Err(stream) => {
            *body = Some(stream);
            None
        }
    }
}

/// The bytes of a body, without a copy.
///
/// # Errors
/// Returns the body if it is a stream.
fn bytes_of(mut body: Body) -> Result<Bytes, Body> {
    match body.as_bytes() {
        None => return Err(body),
        Some([]) => return Ok(Bytes::new()),
        Some(_) => {}
    }
    match Pin::new(&mut body).poll_frame(&mut Context::from_waker(Waker::noop())) {
        // A body of bytes has one frame.
        Poll::Ready(Some(Ok(frame))) => frame.into_data().map_err(|_| body),
        _ => Err(body),
    }
}
