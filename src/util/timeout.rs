//! Waiting for a bounded time. What is there at once costs no timer.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Sleep, sleep};

/// The longest duration that is kept. A longer one means "for ever", and would overflow a clock.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// The duration, short enough to be added to any time.
pub(crate) fn clamped(span: Duration) -> Duration {
    span.min(LONGEST)
}

/// Waits for that long at most. The future is pinned by the caller: moved in here, it would take its room twice.
pub(crate) fn within<F: Future + ?Sized>(
    bound: Duration,
    mut future: Pin<&mut F>,
) -> impl Future<Output = Option<F::Output>> {
    let mut timer: Option<Pin<Box<Sleep>>> = None;
    poll_fn(move |context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => {
            let timer = timer.get_or_insert_with(|| Box::pin(sleep(bound)));
            timer.as_mut().poll(context).map(|()| None)
        }
    })
}
