//! A refresher that counts, waits at a gate and says what it is told to, and a clock that a test moves.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use reqwest_challenge::{Cause, Clock, Credential, Refresh, RefreshError, Rejection};
use tokio::sync::Semaphore;

type Answer = dyn Fn(usize, &Rejection) -> Result<Option<Credential>, RefreshError> + Send + Sync;

/// A refresher that gives `t1`, `t2`, … unless it is told otherwise.
#[derive(Clone)]
pub(crate) struct Fake {
    answer: Arc<Answer>,
    initial: Option<Result<Option<Credential>, RefreshError>>,
    gate: Option<Arc<Semaphore>>,
    seen: Arc<Seen>,
    timeout: Duration,
}

#[derive(Default)]
struct Seen {
    started: AtomicUsize,
    initial: AtomicUsize,
    forgotten: Mutex<Vec<Option<Credential>>>,
    rejections: Mutex<Vec<Rejection>>,
}

impl Fake {
    pub(crate) fn new() -> Self {
        Self::answering(|number, _| Ok(Some(Credential::bearer(format!("t{number}")))))
    }

    /// Answers by the number of the call, from 1, and by what it is asked.
    pub(crate) fn answering(
        answer: impl Fn(usize, &Rejection) -> Result<Option<Credential>, RefreshError> + Send + Sync + 'static,
    ) -> Self {
        Self {
            answer: Arc::new(answer),
            initial: None,
            gate: None,
            seen: Arc::default(),
            timeout: Duration::from_secs(30),
        }
    }

    pub(crate) fn failing(error: RefreshError) -> Self {
        Self::answering(move |_, _| Err(error.clone()))
    }

    /// What there is to begin with.
    pub(crate) fn initially(mut self, initial: Result<Option<Credential>, RefreshError>) -> Self {
        self.initial = Some(initial);
        self
    }

    /// Holds each call until [`open`](Self::open) lets one through.
    pub(crate) fn gated(mut self) -> Self {
        self.gate = Some(Arc::new(Semaphore::new(0)));
        self
    }

    pub(crate) fn within(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    pub(crate) fn open(&self) {
        self.gate.as_ref().unwrap().add_permits(1);
    }

    /// How many calls have begun.
    pub(crate) fn calls(&self) -> usize {
        self.seen.started.load(Ordering::SeqCst)
    }

    pub(crate) fn initial_calls(&self) -> usize {
        self.seen.initial.load(Ordering::SeqCst)
    }

    pub(crate) fn forgotten(&self) -> Vec<Option<Credential>> {
        self.seen.forgotten.lock().unwrap().clone()
    }

    pub(crate) fn rejections(&self) -> Vec<Rejection> {
        self.seen.rejections.lock().unwrap().clone()
    }

    pub(crate) fn causes(&self) -> Vec<Cause> {
        self.rejections().iter().map(Rejection::cause).collect()
    }

    /// Waits until that many calls have begun.
    pub(crate) async fn begun(&self, calls: usize) {
        until(|| self.calls() >= calls).await;
    }

    async fn pass(&self) {
        if let Some(gate) = &self.gate {
            gate.acquire().await.unwrap().forget();
        }
    }
}

#[async_trait]
impl Refresh for Fake {
    async fn refresh(&self, rejection: Rejection) -> Result<Option<Credential>, RefreshError> {
        let number = self.seen.started.fetch_add(1, Ordering::SeqCst) + 1;
        self.seen.rejections.lock().unwrap().push(rejection.clone());
        self.pass().await;
        (self.answer)(number, &rejection)
    }

    async fn initial(&self) -> Result<Option<Credential>, RefreshError> {
        self.seen.initial.fetch_add(1, Ordering::SeqCst);
        self.initial.clone().unwrap_or(Ok(None))
    }

    async fn forget(&self, credential: Option<Credential>) -> Result<(), RefreshError> {
        self.seen.forgotten.lock().unwrap().push(credential);
        Ok(())
    }

    fn timeout(&self) -> Duration {
        self.timeout
    }
}

/// Lets others run until it is so.
#[track_caller]
pub(crate) fn until(so: impl Fn() -> bool) -> impl Future<Output = ()> {
    let place = std::panic::Location::caller();
    async move {
        for _ in 0..1_000_000 {
            if so() {
                return;
            }
            tokio::task::yield_now().await;
        }
        panic!("it never came to that: {place}");
    }
}

/// A clock that stands still until a test moves it.
#[derive(Clone)]
pub(crate) struct Hands(Arc<Mutex<SystemTime>>);

impl Hands {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000))))
    }

    pub(crate) fn time(&self) -> SystemTime {
        *self.0.lock().unwrap()
    }

    pub(crate) fn forward(&self, span: Duration) {
        *self.0.lock().unwrap() += span;
    }

    pub(crate) fn back(&self, span: Duration) {
        *self.0.lock().unwrap() -= span;
    }

    pub(crate) fn in_secs(&self, seconds: u64) -> SystemTime {
        self.time() + Duration::from_secs(seconds)
    }
}

impl Clock for Hands {
    fn now(&self) -> SystemTime {
        self.time()
    }
}
