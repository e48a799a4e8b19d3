//! Reads what is left of a refusal, bounded, so that its connection can be used again.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use reqwest::Response;

use crate::error::Body;
use crate::util::timeout;

/// How much of a body is read.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    /// Up to that many bytes,
    pub(crate) bytes: usize,
    /// of which the first ones are kept,
    pub(crate) keep: usize,
    /// and for that long.
    pub(crate) time: Duration,
}

/// How many pieces of a body are held until its end. Into a buffer of which nothing is held hyper makes room by growing it in
/// place, up to twice what it reads at once, and the connection keeps that: a thousand of them took half as much again.
const HELD: usize = 32;

/// Reads a body, if there are limits to it, and keeps its beginning: a copy, because a piece of what came over the wire holds
/// the whole buffer that it came in.
#[allow(clippy::manual_async_fn, reason = "an argument of an `async fn` takes its room twice")]
pub(crate) fn bounded(response: &mut Response, limits: Option<Limits>) -> impl Future<Output = Body> {
    async move {
        let Some(limits) = &limits else { return Body::default() };
        let (mut pieces, mut kept, mut length, mut ended) = (Vec::new(), Vec::new(), 0_usize, false);
        let reading = async {
            // One byte more than the cap tells whether it was all.
            while length <= limits.bytes {
                match response.chunk().await {
                    Ok(Some(chunk)) => {
                        length += chunk.len();
                        kept.extend_from_slice(&chunk[..chunk.len().min(limits.keep - kept.len())]);
                        if pieces.len() < HELD {
                            pieces.push(chunk);
                        }
                    }
                    Ok(None) => return ended = true,
                    // What broke is as long as it is.
                    Err(_) => return,
                }
            }
        };
        // And so is what took too long.
        let _ = timeout(limits.time, pin!(reading)).await;
        let whole = ended && length == kept.len();
        Body { bytes: kept.into(), whole }
    }
}

/// Runs both to their ends. They are pinned by the caller: moved in here, they would take their room twice.
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
