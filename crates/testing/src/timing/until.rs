//! Waits for a condition without a sleep.

use std::future::Future;
use std::panic::Location;
use std::time::{Duration, Instant};

/// The longest wait for an event of a test, in real time.
pub(crate) const MAX_WAIT: Duration = Duration::from_secs(30);

/// Lets other tasks run until the condition is true, for events that have no [`Gate`](crate::Gate).
///
/// It does not sleep, so tokio's paused time does not advance.
///
/// # Panics
/// If the condition is not true within 30 seconds of real time.
#[track_caller]
pub fn until(condition: impl Fn() -> bool) -> impl Future<Output = ()> {
    let caller = Location::caller();
    async move {
        let start = Instant::now();
        while !condition() {
            assert!(start.elapsed() < MAX_WAIT, "the condition is not true after {MAX_WAIT:?}: {caller}");
            tokio::task::yield_now().await;
        }
    }
}
