//! Reads what is left of a refusal, bounded, so that its connection can be used again.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::Response;
use tokio::time::{Instant, timeout_at};

use crate::error::Body;

/// Reads a body up to that many bytes and for that long.
pub(crate) async fn bounded(response: &mut Response, bytes: usize, span: Duration) -> Body {
    let deadline = Instant::now() + span;
    let mut first = Bytes::new();
    let mut more = BytesMut::new();
    let mut whole = false;
    while first.len() + more.len() < bytes {
        match timeout_at(deadline, response.chunk()).await {
            Ok(Ok(Some(chunk))) if first.is_empty() => first = chunk,
            Ok(Ok(Some(chunk))) => more.extend_from_slice(&chunk[..chunk.len().min(bytes)]),
            Ok(Ok(None)) => {
                whole = true;
                break;
            }
            // What broke or took too long is as long as it is.
            Ok(Err(_)) | Err(_) => break,
        }
    }
    let mut body = if more.is_empty() { first } else { Bytes::from([first.as_ref(), more.as_ref()].concat()) };
    whole &= body.len() <= bytes;
    body.truncate(bytes);
    Body { bytes: body, whole }
}

/// Runs both to their ends.
pub(crate) async fn both<A, B>(one: impl Future<Output = A>, other: impl Future<Output = B>) -> (A, B) {
    let (mut one, mut other) = (pin!(one), pin!(other));
    let (mut first, mut second) = (None, None);
    std::future::poll_fn(|context| {
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
    .await
}
