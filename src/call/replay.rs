//! A copy of a request, for the second send.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http_body::Body as _;
use reqwest::{Body, Request};

/// A copy of the request: URL, method, header fields, version, timeout and a body of bytes. If the body is a stream and
/// `made_later` is set, the copy has no body. Any other stream cannot be copied.
///
/// By hand, because `Request::try_clone` makes four allocations where one does. What came inside of an `http::Request`'s
/// extensions is reqwest's own and stays with the first.
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

/// A copy of a body of bytes, which shares them with it.
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

/// The bytes of a body that has them at hand, uncopied.
///
/// # Errors
/// The body, if it is a stream.
fn bytes_of(mut body: Body) -> Result<Bytes, Body> {
    match body.as_bytes() {
        None => return Err(body),
        Some([]) => return Ok(Bytes::new()),
        Some(_) => {}
    }
    match Pin::new(&mut body).poll_frame(&mut Context::from_waker(Waker::noop())) {
        // The first frame of such a body is all of it.
        Poll::Ready(Some(Ok(frame))) => frame.into_data().map_err(|_| body),
        _ => Err(body),
    }
}
