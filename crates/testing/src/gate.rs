//! What holds a window open, and a clock that a test moves.

use crate::util::lock;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::{Notify, Semaphore};

use reqwest_challenge::Clock;

/// A gate that is closed until it is opened. Whoever comes to it waits, so that a test says who meets whom.
#[derive(Clone)]
pub struct Gate(Arc<Inner>);

struct Inner {
    permits: Semaphore,
    came: AtomicUsize,
    passed: AtomicUsize,
    coming: Notify,
}

impl Gate {
    /// A closed gate.
    #[must_use]
    pub fn closed() -> Self {
        let (came, passed, coming) = Default::default();
        Self(Arc::new(Inner { permits: Semaphore::new(0), came, passed, coming }))
    }

    /// Lets one through: one that waits, or else the next to come.
    pub fn let_one_through(&self) {
        self.0.permits.add_permits(1);
    }

    /// Lets everybody through, from now on.
    pub fn open(&self) {
        self.0.permits.close();
    }

    /// Waits to be let through.
    pub async fn pass(&self) {
        self.0.came.fetch_add(1, Ordering::SeqCst);
        self.0.coming.notify_waiters();
        if let Ok(permit) = self.0.permits.acquire().await {
            permit.forget();
        }
        self.0.passed.fetch_add(1, Ordering::SeqCst);
    }

    /// How many have come to it, whether they were let through or not.
    #[must_use]
    pub fn came(&self) -> usize {
        self.0.came.load(Ordering::SeqCst)
    }

    /// How many were let through.
    #[must_use]
    pub fn passed(&self) -> usize {
        self.0.passed.load(Ordering::SeqCst)
    }

    /// Waits until that many have come to it.
    ///
    /// # Panics
    /// If they do not come within half a minute by the wall's clock.
    #[track_caller]
    pub fn reached_by(&self, count: usize) -> impl Future<Output = ()> + use<> {
        let (inner, place) = (self.0.clone(), std::panic::Location::caller());
        async move {
            let late = Arc::new(AtomicBool::new(false));
            // Dropped with this future, which ends the watch.
            let mut watch = None;
            loop {
                let coming = inner.coming.notified();
                let came = inner.came.load(Ordering::SeqCst);
                if came >= count {
                    return;
                }
                assert!(!late.load(Ordering::SeqCst), "{came} came to the gate, and not {count}: {place}");
                watch.get_or_insert_with(|| {
                    let (watch, ended) = mpsc::channel::<()>();
                    let (inner, late) = (inner.clone(), late.clone());
                    // On a thread, because time may be paused where this runs.
                    std::thread::spawn(move || {
                        if ended.recv_timeout(NEVER) == Err(RecvTimeoutError::Timeout) {
                            late.store(true, Ordering::SeqCst);
                            inner.coming.notify_waiters();
                        }
                    });
                    watch
                });
                coming.await;
            }
        }
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let open = self.0.permits.is_closed();
        f.debug_struct("Gate").field("open", &open).field("came", &self.came()).field("passed", &self.passed()).finish()
    }
}

/// After that long it will not come any more.
const NEVER: Duration = Duration::from_secs(30);

/// Lets others run until it is so: for what has no gate of its own. It does not sleep, so that paused time stands still
/// meanwhile.
///
/// # Panics
/// If it never comes to that: after half a minute by the wall's clock, however busy the machine is.
#[track_caller]
pub fn until(so: impl Fn() -> bool) -> impl Future<Output = ()> {
    let place = std::panic::Location::caller();
    async move {
        let began = Instant::now();
        while !so() {
            assert!(began.elapsed() < NEVER, "it never came to that: {place}");
            tokio::task::yield_now().await;
        }
    }
}

/// A clock that stands still until a test moves it. Clones show the same time.
#[derive(Clone)]
pub struct ManualClock(Arc<Hands>);

struct Hands {
    time: Mutex<SystemTime>,
    moved: Notify,
    waiting: AtomicUsize,
}

impl ManualClock {
    /// A clock that shows some time in 2027, the same in every run.
    #[must_use]
    pub fn new() -> Self {
        let time = Mutex::new(SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000));
        Self(Arc::new(Hands { time, moved: Notify::new(), waiting: AtomicUsize::new(0) }))
    }

    /// How many wait for it to show a later time.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.0.waiting.load(Ordering::SeqCst)
    }

    /// The time that it shows.
    #[must_use]
    pub fn time(&self) -> SystemTime {
        *self.lock()
    }

    /// That long after the time that it shows.
    #[must_use]
    pub fn time_in(&self, span: Duration) -> SystemTime {
        self.time() + span
    }

    /// Moves it on; as far as a time can be, and no further.
    pub fn forward(&self, span: Duration) {
        let mut time = self.lock();
        *time = time.checked_add(span).unwrap_or(*time);
        self.0.moved.notify_waiters();
    }

    /// Moves it back, as a correction of a system's clock does.
    pub fn back(&self, span: Duration) {
        let mut time = self.lock();
        *time = time.checked_sub(span).unwrap_or(SystemTime::UNIX_EPOCH);
    }

    fn lock(&self) -> MutexGuard<'_, SystemTime> {
        lock(&self.0.time)
    }
}

impl fmt::Debug for ManualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ManualClock").field(&self.time()).finish()
    }
}

/// One who waits, also when he gives up.
struct Waiter(Arc<Hands>);

impl Drop for Waiter {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::SeqCst);
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
