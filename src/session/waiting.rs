//! How a caller comes to a credential: by a flight of its own, or by one that is up already.

use crate::error::Renewed;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::flight::Wait;
use super::flight_request::{Ended, Purpose};
use super::session_core::ANCESTRY;
use super::session_core::Core;
use super::slot::Stage;
use super::step::{Outcome, Start, Step};
use super::sync::lock;
use super::types::Ending;
use super::waits::Waiting;
use super::want::{Renewal, RenewalRequest};
use crate::credential::Credential;
use crate::error::{RefreshError, RefreshErrorKind};
use crate::refresh::Demand;
use crate::util::timeout;

/// Extra time that a waiter gives a flight beyond its bound, before the waiter treats the flight as dead.
pub(super) const GRACE: Duration = Duration::from_secs(1);
/// How many times the bound of a refresh one caller waits for flights that answer other questions. Demands that alternate must not
/// hold a caller for ever.
const LONGEST_QUEUE: u32 = 2;

impl Core {
    #[allow(clippy::manual_async_fn, reason = "an argument of an `async fn` takes its room twice")]
    pub(super) fn fly(
        self: &Arc<Self>,
        purpose: Purpose,
        want: RenewalRequest,
    ) -> impl Future<Output = Result<Renewal, Ending>> + Send {
        async move {
            self.ready()?;
            let mut began = None;
            let start = loop {
                let (number, wait, joins) = match self.change(|state| state.next(&want.ask(purpose), || self.now())) {
                    Step::Take(held) => return Ok(Renewal { held, how: Renewed::TakenOver }),
                    Step::End(ended) => return Err(ended),
                    Step::Start(start) => break start,
                    Step::Await(number, wait) => (number, wait, false),
                    Step::Join(number, wait) => (number, wait, true),
                };
                let began = *began.get_or_insert_with(Instant::now);
                match self.wait(number, wait).await {
                    // Its runtime was shut down, and ours was not: one of those who look again starts a new flight.
                    Err(Ended::Failed(error)) if *error.kind() == RefreshErrorKind::Gone => {}
                    // A login has no challenge to answer. If it declines, the 401 with its challenges asks again.
                    Err(Ended::Declined) if want.bare => {}
                    outcome if joins => return outcome.map(|held| Renewal { held, how: Renewed::Joined }),
                    _ => {}
                }
                if began.elapsed() > self.bound().saturating_mul(LONGEST_QUEUE) {
                    return self.newer_than(&want);
                }
            };
            self.begin(start, purpose, want).await.map(|held| Renewal { held, how: Renewed::ByUs })
        }
    }

    /// Starts a flight and waits for its end.
    pub(super) async fn begin(
        self: &Arc<Self>,
        start: Start<Credential, RefreshError, Demand>,
        purpose: Purpose,
        want: RenewalRequest,
    ) -> Outcome<Credential, RefreshError, Demand> {
        let _waiting = self.begin_to_wait().inspect_err(|ended| {
            if let Ended::Failed(error) = ended {
                self.fail(start.number, error.clone());
            }
        })?;
        self.launch(start.number, self.flight(start.number, purpose, want, &start.held)).await;
        self.wait_noted(start.number, start.wait).await
    }

    /// For a caller that waited long enough for flights with other demands: a newer credential, which the server may still refuse.
    fn newer_than(&self, ask: &RenewalRequest) -> Result<Renewal, Ending> {
        let held = self.current_in(&ask.slot);
        if held.epoch == ask.epoch && held.generation > ask.generation && held.stage == Stage::Open {
            return Ok(Renewal { held, how: Renewed::TakenOver });
        }
        Err(Ended::Failed(RefreshError::new(RefreshErrorKind::TimedOut)))
    }

    /// Whether it can be waited here at all.
    pub(super) fn ready(&self) -> Result<(), Ending> {
        if tokio::runtime::Handle::try_current().is_err() {
            return Err(Ended::Failed(RefreshError::new(RefreshErrorKind::Gone)));
        }
        let recursive = ANCESTRY.try_with(|above| above.contains(&self.id())).unwrap_or(false);
        if recursive { Err(Ended::Failed(RefreshError::new(RefreshErrorKind::Recursive))) } else { Ok(()) }
    }

    pub(super) fn id(&self) -> usize {
        self.id
    }

    /// Records that the refresher above this call waits for this session.
    fn begin_to_wait(&self) -> Result<Waiting, Ending> {
        let begun = ANCESTRY.try_with(|above| Waiting::begin(above, self.id()));
        match begun {
            Ok(Err(_)) => Err(Ended::Failed(RefreshError::new(RefreshErrorKind::Recursive))),
            Ok(Ok(waiting)) => Ok(waiting),
            Err(_) => Ok(Waiting::none()),
        }
    }

    /// Waits for a flight, unless the flight waits for the caller.
    pub(super) async fn wait(
        &self,
        number: u64,
        wait: Wait<Outcome<Credential, RefreshError, Demand>>,
    ) -> Outcome<Credential, RefreshError, Demand> {
        let _waiting = self.begin_to_wait()?;
        self.wait_noted(number, wait).await
    }

    /// Waits with the caller's own deadline: if the flight's runtime is parked, only a waiter can end the flight.
    async fn wait_noted(
        &self,
        number: u64,
        wait: Wait<Outcome<Credential, RefreshError, Demand>>,
    ) -> Outcome<Credential, RefreshError, Demand> {
        let bound = self.bound().saturating_add(GRACE);
        timeout(bound, pin!(wait)).await.unwrap_or_else(|| {
            // Ended before its slot is free, so that two are never at work.
            lock(&self.aborts).evict(number);
            let error = RefreshError::new(RefreshErrorKind::TimedOut);
            self.fail(number, error.clone());
            Err(Ended::Failed(error))
        })
    }
}
