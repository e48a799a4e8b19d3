//! Bounds on the time that a future may take.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Sleep, sleep};

/// The longest duration that a setting keeps: ten years. Adding a longer one to a time could overflow.
const MAX_DURATION: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// The duration, limited so that it can be added to any time.
pub(crate) fn clamped(duration: Duration) -> Duration {
    duration.min(MAX_DURATION)
}

/// The output of the future, or `None` if the future takes longer than `limit`.
///
/// The timer is made when the future is first pending, so a future that is ready at once costs no timer. The caller
/// pins the future, so a large future is not moved. `tokio::time::timeout` always makes a timer and moves the future
/// (row `401, replay` of the bench `engine`).
pub(crate) fn timeout<F: Future + ?Sized>(
    limit: Duration,
    mut future: Pin<&mut F>,
) -> impl Future<Output = Option<F::Output>> {
    let mut timer: Option<Pin<Box<Sleep>>> = None;
    poll_fn(move |context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => {
            let timer = timer.get_or_insert_with(|| Box::pin(sleep(limit)));
            timer.as_mut().poll(context).map(|()| None)
        }
    })
}
