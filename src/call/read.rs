//! Reads the rest of a refusal's body, up to limits, so that its connection can be used again.

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

/// Reads a body, if there are limits, and copies its beginning. The beginning is copied, because a kept chunk would
/// also keep the whole buffer in which it arrived.
#[allow(
    clippy::manual_async_fn,
    reason = "the future of an `async fn` holds each argument twice; see `peak memory` in the benchmark `engine`"
)]
pub(crate) fn bounded(response: &mut Response, limits: Option<Limits>) -> impl Future<Output = Body> {
    async move {
        let Some(limits) = &limits else { return Body::default() };
        let (mut chunks, mut kept, mut length, mut ended) = (Vec::new(), Vec::new(), 0_usize, false);
        let reading = async {
            // One byte more than the limit shows that the body is longer.
            while length <= limits.bytes {
                match response.chunk().await {
                    Ok(Some(chunk)) => {
                        length += chunk.len();
                        kept.extend_from_slice(&chunk[..chunk.len().min(limits.keep - kept.len())]);
                        if chunks.len() < MAX_HELD_CHUNKS {
                            chunks.push(chunk);
                        }
                    }
                    Ok(None) => return ended = true,
                    // The connection failed. The octets that arrived before are the body.
                    Err(_) => return,
                }
            }
        };
        // After a timeout, too, the octets that arrived before are the body.
        let _ = timeout(limits.time, pin!(reading)).await;
        let whole = ended && length == kept.len();
        Body { bytes: kept.into(), whole }
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
