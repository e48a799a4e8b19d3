//! How a caller gets a credential: from a flight that it starts, or from one that is in progress.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::flight::Wait;
use super::flight_request::{NoCredential, Purpose};
use super::renewal_request::{Renewal, RenewalRequest};
use super::session_core::{REFRESHING_SESSIONS, SessionCore};
use super::slot::Stage;
use super::step::Step;
use super::sync::lock;
use super::types::{SessionOutcome, SessionStart};
use super::wait_graph::RecordedWait;
use crate::error::{RefreshError, RefreshErrorKind, Renewed};
use crate::util::timeout;

/// Extra time beyond the timeout of a refresh, before a waiter treats the refresh as dead.
pub(super) const WAITER_MARGIN: Duration = Duration::from_secs(1);
/// How many times the timeout of a refresh one caller waits for flights for other questions. Without it, demands that
/// alternate could make a caller wait forever.
const MAX_TIMEOUTS_IN_QUEUE: u32 = 2;

impl SessionCore {
    /// A newer credential than the one that the request names.
    pub(crate) fn renew(
        self: &Arc<Self>,
        request: RenewalRequest,
    ) -> impl Future<Output = Result<Renewal, NoCredential<RefreshError>>> + Send {
        self.obtain(Purpose::Renew, request)
    }

    /// Gets what the request is for: held already, from the flight in progress, or from a new flight.
    #[allow(
        clippy::manual_async_fn,
        reason = "the future of an `async fn` holds each argument twice; see `peak memory` in the benchmark `engine`"
    )]
    pub(super) fn obtain(
        self: &Arc<Self>,
        purpose: Purpose,
        request: RenewalRequest,
    ) -> impl Future<Output = Result<Renewal, NoCredential<RefreshError>>> + Send {
        async move {
            self.check_can_wait()?;
            let mut began = None;
            let start = loop {
                let step = self.change(|state| state.next(&request.flight_request(purpose), || self.now()));
                let (number, wait, is_answer) = match step {
                    Step::Use(held) => return Ok(Renewal { held, renewed: Renewed::Reused }),
                    Step::Refuse(reason) => return Err(reason),
                    Step::Start(start) => break start,
                    Step::Await(number, wait) => (number, wait, false),
                    Step::Join(number, wait) => (number, wait, true),
                };
                let began = *began.get_or_insert_with(Instant::now);
                match self.wait(number, wait).await {
                    // The runtime of the flight was shut down, and this one was not: one of the waiters starts a new flight.
                    Err(NoCredential::Failed(error)) if *error.kind() == RefreshErrorKind::Gone => {}
                    // A login has no challenge. If the refresher declines the login, the challenges of a 401 still
                    // start a flight.
                    Err(NoCredential::Declined) if request.is_unsigned => {}
                    outcome if is_answer => {
                        return outcome.map(|held| Renewal { held, renewed: Renewed::Joined });
                    }
                    _ => {}
                }
                if began.elapsed() > self.refresh_timeout().saturating_mul(MAX_TIMEOUTS_IN_QUEUE) {
                    return self.newer_than(&request);
                }
            };
            self.begin(start, purpose, request).await.map(|held| Renewal { held, renewed: Renewed::Started })
        }
    }

    /// Starts a flight and waits for its end.
    pub(super) fn begin(
        self: &Arc<Self>,
        start: SessionStart,
        purpose: Purpose,
        request: RenewalRequest,
    ) -> impl Future<Output = SessionOutcome> + Send {
        let SessionStart { number, wait, held } = start;
        let recorded = self.record_wait().inspect_err(|reason| {
            if let NoCredential::Failed(error) = reason {
                self.fail(number, error.clone());
            }
        });
        // Made outside of the future, which then does not hold the request (row `kB for each` of the benchmark `engine`).
        let started = recorded.map(|recorded| (recorded, self.refresh_work(number, purpose, request, &held)));
        async move {
            let (_recorded, work) = started?;
            self.launch(number, work).await;
            self.wait_recorded(number, wait).await
        }
    }

    /// For a caller that waited long enough for flights with other demands: a newer credential, which the server may still
    /// refuse.
    fn newer_than(&self, request: &RenewalRequest) -> Result<Renewal, NoCredential<RefreshError>> {
        let held = self.current_in(&request.slot);
        if held.epoch == request.epoch && held.generation > request.generation && held.stage == Stage::Ready {
            return Ok(Renewal { held, renewed: Renewed::Reused });
        }
        Err(NoCredential::Failed(RefreshError::new(RefreshErrorKind::TimedOut)))
    }

    /// Checks that this task can wait for a flight.
    ///
    /// # Errors
    /// `Gone` without a runtime, and `Recursive` inside this session's own refresher.
    pub(super) fn check_can_wait(&self) -> Result<(), NoCredential<RefreshError>> {
        let kind = if tokio::runtime::Handle::try_current().is_err() {
            RefreshErrorKind::Gone
        } else if REFRESHING_SESSIONS.try_with(|above| above.contains(&self.id)).unwrap_or(false) {
            RefreshErrorKind::Recursive
        } else {
            return Ok(());
        };
        Err(NoCredential::Failed(RefreshError::new(kind)))
    }

    /// Records that the refresher above this call, if there is one, waits for this session.
    fn record_wait(&self) -> Result<RecordedWait, NoCredential<RefreshError>> {
        match REFRESHING_SESSIONS.try_with(|above| RecordedWait::begin(above, self.id)) {
            Ok(Ok(recorded)) => Ok(recorded),
            Ok(Err(_)) => Err(NoCredential::Failed(RefreshError::new(RefreshErrorKind::Recursive))),
            Err(_) => Ok(RecordedWait::none()),
        }
    }

    /// Waits for a flight, unless the flight waits for the caller.
    pub(super) fn wait(
        &self,
        number: u64,
        wait: Wait<SessionOutcome>,
    ) -> impl Future<Output = SessionOutcome> + Send + '_ {
        let recorded = self.record_wait();
        async move {
            let _recorded = recorded?;
            self.wait_recorded(number, wait).await
        }
    }

    /// Waits with a deadline on the caller's runtime. If the runtime of the flight does not run, only a waiter can end the
    /// flight.
    #[allow(
        clippy::manual_async_fn,
        reason = "the future of an `async fn` holds each argument twice; see `kB for each` in the benchmark `engine`"
    )]
    fn wait_recorded(
        &self,
        number: u64,
        mut wait: Wait<SessionOutcome>,
    ) -> impl Future<Output = SessionOutcome> + Send + '_ {
        async move {
            let bound = self.refresh_timeout().saturating_add(WAITER_MARGIN);
            timeout(bound, Pin::new(&mut wait)).await.unwrap_or_else(|| {
                // Aborts the task before its slot is free, so that two tasks of one slot never run at the same time.
                lock(&self.flight_tasks).abort(number);
                let error = RefreshError::new(RefreshErrorKind::TimedOut);
                self.fail(number, error.clone());
                Err(NoCredential::Failed(error))
            })
        }
    }
}
