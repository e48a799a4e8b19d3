//! How a session runs its work: the first poll runs on the caller's task, and the rest on a separate task.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Instant;

use super::event::{Event, RefreshOutcome};
use super::flight_request::NoCredential;
use super::renewal_request::RenewalRequest;
use super::session_core::{REFRESHING_SESSIONS, SessionCore, SessionIds};
use super::sync::lock;
use crate::error::{RefreshError, RefreshErrorKind};
use crate::refresh::{RefreshReason, RefreshSession};

/// The work of a flight, or of a logout.
pub(super) type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

impl SessionCore {
    /// Begins the work of a flight. If the refresher returns at the first poll, the flight has ended when this returns.
    /// Otherwise the work goes on as a task, which outlives the caller.
    pub(super) async fn launch(&self, number: u64, mut work: Work) {
        // A single poll, so the caller cannot be dropped in the middle of it. After a panic the flight's guard has ended it.
        let first_poll = std::future::poll_fn(|context| {
            let poll = || REFRESHING_SESSIONS.sync_scope(self.ids_above(), || work.as_mut().poll(context).is_pending());
            Poll::Ready(std::panic::catch_unwind(AssertUnwindSafe(poll)).unwrap_or(false))
        });
        let is_pending = first_poll.await;
        if is_pending {
            self.spawn_flight(number, work);
        }
    }

    /// The sessions whose refreshers run above this task, and this session.
    fn ids_above(&self) -> SessionIds {
        let mut above = REFRESHING_SESSIONS.try_with(Clone::clone).unwrap_or_default();
        above.push(self.id);
        above
    }

    /// Runs the work on its own task.
    pub(super) fn spawn(&self, work: Work) {
        // Without a runtime the work is dropped here, and the caller's channel is closed.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            drop(runtime.spawn(REFRESHING_SESSIONS.scope(self.ids_above(), work)));
        }
    }

    /// Runs the work of a flight on its own task, which a waiter can abort.
    pub(super) fn spawn_flight(&self, number: u64, work: Work) {
        // Without a runtime the work is dropped here, and its guard ends the flight.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let above = self.ids_above();
        // A runtime that is shut down drops the task inside `spawn`, while the lock below is held. The guard in the work takes
        // the same lock, so the work has this second owner until the lock is free.
        let work = Arc::new(Mutex::new(Some(work)));
        let of_task = work.clone();
        let task = async move {
            let work = lock(&of_task).take();
            if let Some(work) = work {
                REFRESHING_SESSIONS.scope(above, work).await;
            }
        };
        // Holds the lock, so that no waiter aborts the flight between the check and the spawn.
        lock(&self.flight_tasks).spawn(number, || runtime.spawn(task).abort_handle());
    }
}

/// Ends a flight whose work ends without an outcome: by a panic, by an abort, by the end of its runtime.
pub(super) struct FlightGuard {
    pub(super) core: Arc<SessionCore>,
    number: u64,
    pub(super) began: Instant,
    reason: RefreshReason,
    background: bool,
    has_outcome: bool,
}

impl FlightGuard {
    pub(super) fn new(core: Arc<SessionCore>, number: u64, request: &RenewalRequest) -> Self {
        lock(&core.flight_tasks).begin(number);
        let (reason, background) = (request.reason, request.in_background);
        Self { core, number, began: Instant::now(), reason, background, has_outcome: false }
    }

    /// Records that the flight has ended with an outcome.
    pub(super) fn disarm(&mut self) {
        self.has_outcome = true;
    }

    /// Reports the end of a flight that has no outcome.
    fn report(&self, kind: &RefreshErrorKind, waiters: usize) {
        let event = || Event::Refreshed {
            reason: self.reason,
            outcome: RefreshOutcome::Failed,
            took: self.began.elapsed(),
            waiters,
            generation: self.core.current().generation,
            background: self.background,
            error_type: Some(kind.as_str()),
            expiry: None,
            lifetime: None,
        };
        // The thread may be panicking. A listener that panics too would abort the process.
        let _ = std::panic::catch_unwind(AssertUnwindSafe(|| self.core.listeners.count(event)));
    }
}

impl Drop for FlightGuard {
    fn drop(&mut self) {
        lock(&self.core.flight_tasks).end(self.number);
        if self.has_outcome {
            return;
        }
        let waiters = self.core.waiting(self.number);
        if std::thread::panicking() {
            self.core.fail(self.number, RefreshError::new(RefreshErrorKind::Panicked));
            return self.report(&RefreshErrorKind::Panicked, waiters);
        }
        let gone = NoCredential::Failed(RefreshError::new(RefreshErrorKind::Gone));
        self.core.change(|state| state.abandon(self.number, gone));
        self.report(&RefreshErrorKind::Gone, waiters);
    }
}
