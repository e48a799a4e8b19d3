//! The clock of a session.

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, SystemTime};

/// The clock of a session and its refreshers. A `fn() -> SystemTime` and a closure are clocks, and so is
/// [`SystemTime::now`], the default. A test passes a clock that it can move.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use std::time::{Duration, SystemTime};
/// use reqwest_challenge::{ChallengeMiddleware, Credential};
///
/// let seconds = Arc::new(AtomicU64::new(0));
/// let of_clock = seconds.clone();
/// let auth = ChallengeMiddleware::builder("https://api.example.com", Credential::bearer("t1"))
///     .clock(move || SystemTime::UNIX_EPOCH + Duration::from_secs(of_clock.load(Ordering::SeqCst)))
///     .build()?;
/// seconds.store(3600, Ordering::SeqCst);
/// # Ok::<(), reqwest_challenge::BuildError>(())
/// ```
pub trait Clock: Send + Sync + 'static {
    /// Returns the time now.
    fn now(&self) -> SystemTime;

    /// Waits for this time. Refreshers use it between two requests, for example to poll a device login. The default
    /// implementation is [`tokio::time::sleep`](https://docs.rs/tokio/latest/tokio/time/fn.sleep.html).
    fn sleep(&self, span: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(tokio::time::sleep(span))
    }
}

impl<F: Fn() -> SystemTime + Send + Sync + 'static> Clock for F {
    fn now(&self) -> SystemTime {
        self()
    }
}
