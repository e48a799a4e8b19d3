//! A clock that a test moves.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use reqwest_challenge::Clock;
use tokio::sync::Notify;

use crate::util::lock;

/// A clock that shows the same time until a test moves it. All clones show the same time.
///
/// Pass it to [`Builder::clock`](reqwest_challenge::Builder::clock) and to the mock servers.
#[derive(Clone)]
pub struct ManualClock(Arc<Inner>);

struct Inner {
    time: Mutex<SystemTime>,
    moved: Notify,
    waiting: AtomicUsize,
}

impl ManualClock {
    /// A clock that shows a fixed time in January 2027.
    #[must_use]
    pub fn new() -> Self {
        let time = Mutex::new(SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000));
        Self(Arc::new(Inner { time, moved: Notify::new(), waiting: AtomicUsize::new(0) }))
    }

    /// How many tasks wait for a later time.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.0.waiting.load(Ordering::SeqCst)
    }

    /// The time that the clock shows.
    #[must_use]
    pub fn time(&self) -> SystemTime {
        *self.lock()
    }

    /// The time that the clock shows, plus that span.
    #[must_use]
    pub fn time_in(&self, span: Duration) -> SystemTime {
        self.time() + span
    }

    /// Moves the clock forward. If the platform cannot represent the new time, the clock does not move.
    pub fn forward(&self, span: Duration) {
        let mut time = self.lock();
        *time = time.checked_add(span).unwrap_or(*time);
        self.0.moved.notify_waiters();
    }

    /// Moves the clock back, as a correction of the system's clock does.
    pub fn back(&self, span: Duration) {
        let mut time = self.lock();
        *time = time.checked_sub(span).unwrap_or(SystemTime::UNIX_EPOCH);
    }

    fn lock(&self) -> MutexGuard<'_, SystemTime> {
        lock(&self.0.time)
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> SystemTime {
        self.time()
    }

    fn sleep(&self, span: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let (clock, end) = (self.clone(), self.time().checked_add(span));
        self.0.waiting.fetch_add(1, Ordering::SeqCst);
        let waiter = Waiter(self.0.clone());
        Box::pin(async move {
            let waiter = waiter;
            loop {
                let mut moved = std::pin::pin!(waiter.0.moved.notified());
                moved.as_mut().enable();
                if end.is_some_and(|end| clock.time() >= end) {
                    return;
                }
                moved.await;
            }
        })
    }
}

/// Counts one waiting task until it is dropped. A task that is cancelled drops it too.
struct Waiter(Arc<Inner>);

impl Drop for Waiter {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

impl fmt::Debug for ManualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ManualClock").field(&self.time()).finish()
    }
}
