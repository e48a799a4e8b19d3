//! A copy of a request, for the second send.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http_body::Body as _;
use reqwest::{Body, Request};

/// A copy of the request: URL, method, header fields, version, timeout and a body of bytes. If the body is a stream and
/// `made_later` is set, the copy has no body. Any other stream cannot be copied.
///
/// Written by hand, because `Request::try_clone` makes four allocations where one is enough: the rows `GET` and `POST` of
/// the benchmark `engine`. The extensions of an `http::Request` that reqwest converted are not copied; only reqwest uses
/// them.
// Inlined for the rows `GET` and `POST` of the benchmark `engine`.
#[inline(always)]
pub(crate) fn copy(request: &mut Request, made_later: bool) -> Option<Request> {
    let body = match request.body() {
        None => None,
        Some(_) => match copy_body(request.body_mut()) {
            None if !made_later => return None,
            body => body,
        },
    };
    let mut copy = Request::new(request.method().clone(), request.url().clone());
    if !request.headers().is_empty() {
        *copy.headers_mut() = request.headers().clone();
    }
    *copy.version_mut() = request.version();
    if let Some(timeout) = request.timeout() {
        *copy.timeout_mut() = Some(*timeout);
    }
    *copy.body_mut() = body;
    Some(copy)
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
