//! The clock of a session. Tests move it.

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, SystemTime};

/// What time it is. A plain `fn() -> SystemTime` is one; tests move theirs.
pub trait Clock: Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> SystemTime;

    /// Comes to its end when that long has passed: by tokio's time, unless a clock has its own way.
    fn after(&self, span: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(tokio::time::sleep(span))
    }
}

impl<F: Fn() -> SystemTime + Send + Sync + 'static> Clock for F {
    fn now(&self) -> SystemTime {
        self()
    }
}
