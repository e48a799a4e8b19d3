//! Reads what is left of a refusal, bounded, so that its connection can be used again.

use std::future::Future;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use reqwest::Response;
use tokio::time::timeout;

use crate::error::Body;

/// Reads a body up to that many bytes and for that long, and keeps its beginning: a copy, because a piece of what came over
/// the wire holds the whole buffer that it came in.
pub(crate) async fn bounded(response: &mut Response, bytes: usize, keep: usize, span: Duration) -> Body {
    let (mut kept, mut length, mut ended) = (Vec::new(), 0_usize, false);
    let reading = async {
        // One byte more than the cap tells whether it was all.
        while length <= bytes {
            match response.chunk().await {
                Ok(Some(chunk)) => {
                    length += chunk.len();
                    kept.extend_from_slice(&chunk[..chunk.len().min(keep - kept.len())]);
                }
                Ok(None) => return ended = true,
                // What broke is as long as it is.
                Err(_) => return,
            }
        }
    };
    // And so is what took too long.
    let _ = timeout(span, reading).await;
    let whole = ended && length == kept.len();
    Body { bytes: kept.into(), whole }
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
