//! Holds tasks back until the test lets them pass.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};

use tokio::sync::{Notify, Semaphore};

use super::until::MAX_WAIT;

/// Holds tasks back until the test opens it. All clones refer to one gate.
///
/// A test closes a gate in front of a response or a refresh, waits until all callers have arrived, and opens it. So the
/// test decides which requests overlap.
#[derive(Clone)]
pub struct Gate(Arc<Inner>);

struct Inner {
    permits: Semaphore,
    arrived: AtomicUsize,
    passed: AtomicUsize,
    arrival: Notify,
}

impl Gate {
    /// A closed gate.
    #[must_use]
    pub fn closed() -> Self {
        let (arrived, passed, arrival) = Default::default();
        Self(Arc::new(Inner { permits: Semaphore::new(0), arrived, passed, arrival }))
    }

    /// Lets one task pass: a task that waits, or the next task that arrives.
    pub fn let_one_through(&self) {
        self.0.permits.add_permits(1);
    }

    /// Lets all tasks pass from now on.
    pub fn open(&self) {
        self.0.permits.close();
    }

    /// Waits until the gate lets this task pass.
    pub async fn pass(&self) {
        self.0.arrived.fetch_add(1, Ordering::SeqCst);
        self.0.arrival.notify_waiters();
        if let Ok(permit) = self.0.permits.acquire().await {
            permit.forget();
        }
        self.0.passed.fetch_add(1, Ordering::SeqCst);
    }

    /// How many tasks have arrived, including those that have passed.
    #[must_use]
    pub fn arrived(&self) -> usize {
        self.0.arrived.load(Ordering::SeqCst)
    }

    /// How many tasks have passed.
    #[must_use]
    pub fn passed(&self) -> usize {
        self.0.passed.load(Ordering::SeqCst)
    }

    /// Waits until that many tasks have arrived.
    ///
    /// # Panics
    /// If fewer tasks arrive within 30 seconds of real time.
    #[track_caller]
    pub fn reached_by(&self, count: usize) -> impl Future<Output = ()> + use<> {
        let (inner, caller) = (self.0.clone(), Location::caller());
        async move {
            let is_late = Arc::new(AtomicBool::new(false));
            // If this future is dropped, the sender in here is dropped too, and the thread ends.
            let mut watch = None;
            loop {
                let arrival = inner.arrival.notified();
                let arrived = inner.arrived.load(Ordering::SeqCst);
                if arrived >= count {
                    return;
                }
                assert!(!is_late.load(Ordering::SeqCst), "{arrived} of {count} tasks arrived at the gate: {caller}");
                watch.get_or_insert_with(|| watch_time(inner.clone(), is_late.clone()));
                arrival.await;
            }
        }
    }
}

/// Wakes the waiters of the gate after [`MAX_WAIT`], unless the returned sender is dropped earlier.
fn watch_time(inner: Arc<Inner>, is_late: Arc<AtomicBool>) -> mpsc::Sender<()> {
    let (watch, ended) = mpsc::channel::<()>();
    // A thread measures the time, because the test may have paused the time of its runtime.
    std::thread::spawn(move || {
        if ended.recv_timeout(MAX_WAIT) == Err(RecvTimeoutError::Timeout) {
            is_late.store(true, Ordering::SeqCst);
            inner.arrival.notify_waiters();
        }
    });
    watch
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate")
            .field("open", &self.0.permits.is_closed())
            .field("arrived", &self.arrived())
            .field("passed", &self.passed())
            .finish()
    }
}
