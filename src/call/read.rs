//! Reads the rest of a refusal's body, up to limits, so that its connection can be used again.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use http::Version;
use http::response::Parts;
use reqwest::{Response, ResponseBuilderExt};

use crate::error::Body;
use crate::util::{BodyEnd, read_chunks, timeout};

/// How much of a body is read.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    /// The largest number of bytes that are read.
    pub(crate) bytes: usize,
    /// The largest number of bytes that are kept.
    pub(crate) keep: usize,
    /// The longest time that the read takes.
    pub(crate) time: Duration,
}

/// How many chunks of a body are held until the body ends. While hyper's read buffer has no held chunk, hyper enlarges
/// it up to twice the size of one read, and the connection keeps the larger buffer (row `peak memory` of the benchmark
/// `engine`).
const MAX_HELD_CHUNKS: usize = 32;

/// How much of a body is read on HTTP/2, if the caller's limit is lower. The bytes after the beginning are dropped.
const MAX_STREAM_BYTES: usize = 1 << 20;

/// Drops the body of a response before another send, if its length is known to be more than twice the limit. Returns the
/// limits if the body is still there.
///
/// The end of such a body would not be reached, so its HTTP/1 connection cannot be used again in either case. A body that is
/// only a little longer has often arrived already, so its beginning is read. On HTTP/2 a longer body is read, because a client
/// closes its connection if data has arrived for a thousand streams that it had closed. Then the other calls on the connection
/// fail too. If a body were kept unread, it would occupy the window of the connection.
pub(crate) fn unless_too_long(response: &mut Response, limits: Option<Limits>) -> Option<Limits> {
    let mut limits = limits?;
    if response.version() == Version::HTTP_2 {
        limits.bytes = limits.bytes.max(MAX_STREAM_BYTES);
    }
    if response.content_length().is_none_or(|length| length / 2 <= limits.bytes as u64) {
        return Some(limits);
    }
    let (head, _body) = take_apart(response);
    *response = Response::from(http::Response::from_parts(head, ""));
    None
}

/// Takes the head and the body out of a response. The head keeps the URL, so that a response with it and another body names
/// the same URL.
pub(super) fn take_apart(response: &mut Response) -> (Parts, reqwest::Body) {
    let url = response.url().clone();
    let taken = std::mem::replace(response, Response::from(http::Response::new("")));
    let (mut head, body) = http::Response::from(taken).into_parts();
    // The URL of a response is an extension that only a builder sets. It is valid, so there is no error.
    if let Ok(named) = http::Response::builder().url(url).body(()) {
        head.extensions.extend(named.into_parts().0.extensions);
    }
    (head, body)
}

/// Reads a body, if there are limits, and copies its beginning. The beginning is copied, because a kept chunk would
/// also keep the whole buffer in which it arrived.
#[allow(
    clippy::manual_async_fn,
    reason = "the future of an `async fn` holds each argument twice; see `peak memory` in the benchmark `engine`"
)]
pub(crate) fn bounded(response: &mut Response, limits: Option<Limits>) -> impl Future<Output = Body> {
    async move {
        let Some(Limits { bytes, keep, time }) = limits else { return Body::default() };
        // On HTTP/2 all streams share the read buffer of the connection.
        let max_held = if response.version() == Version::HTTP_2 { 0 } else { MAX_HELD_CHUNKS };
        let mut read = Read { keep, max_held, ..Read::default() };
        let reading = read_chunks(response, bytes, |chunk| read.add(chunk));
        // After a timeout or a failure of the connection, the octets that arrived before are the body.
        let end = timeout(time, pin!(reading)).await;
        let whole = matches!(end, Some(Ok(BodyEnd::Whole))) && read.length == read.kept.len();
        Body { bytes: read.kept.into(), whole }
    }
}

/// The part of a body that has been read.
#[derive(Default)]
struct Read {
    /// How many octets are kept.
    keep: usize,
    kept: Vec<u8>,
    length: usize,
    /// How many chunks are held.
    max_held: usize,
    held: Vec<Bytes>,
}

impl Read {
    fn add(&mut self, chunk: Bytes) {
        self.length += chunk.len();
        self.kept.extend_from_slice(&chunk[..chunk.len().min(self.keep - self.kept.len())]);
        if self.held.len() < self.max_held {
            self.held.push(chunk);
        }
    }
}

/// Runs two futures to their ends. The caller pins them, because futures that are passed by value would be stored twice
/// (row `peak memory` of the benchmark `engine`).
pub(crate) fn both<A, B>(
    mut one: Pin<&mut impl Future<Output = A>>,
    mut other: Pin<&mut impl Future<Output = B>>,
) -> impl Future<Output = (A, B)> {
    let (mut first, mut second) = (None, None);
    std::future::poll_fn(move |context| {
        if first.is_none()
            && let Poll::Ready(done) = one.as_mut().poll(context)
        {
            first = Some(done);
        }
        if second.is_none()
            && let Poll::Ready(done) = other.as_mut().poll(context)
        {
            second = Some(done);
        }
        match (first.take(), second.take()) {
            (Some(one), Some(other)) => Poll::Ready((one, other)),
            (one, other) => {
                (first, second) = (one, other);
                Poll::Pending
            }
        }
    })
}
