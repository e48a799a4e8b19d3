//! Work that another future can stop.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

/// Runs the work until it completes, or until `stop` completes. If both complete at once, the work counts.
// Written by hand because `tokio::select!` needs a feature of tokio, and a procedural macro, that nothing else here needs.
pub(crate) async fn unless<S: Future, F: Future>(
    mut stop: Pin<&mut S>,
    mut work: Pin<&mut F>,
) -> Result<F::Output, S::Output> {
    poll_fn(move |context| match work.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Ok(output)),
        Poll::Pending => stop.as_mut().poll(context).map(Err),
    })
    .await
}
