//! How a caller comes to a credential: by a flight of its own, or by one that is up already.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::ask::{Ended, Outcome, Purpose, Start, Step};
use super::error::{RefreshError, RefreshErrorKind};
use super::flight::Wait;
use super::rejection::Demand;
use super::session::{ANCESTRY, Core, Ending};
use super::slot::Stage;
use super::sync::lock;
use super::waits::Waiting;
use super::want::{How, Renewal, Want};
use crate::credential::Credential;
use crate::within::within;

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
        want: Want,
    ) -> impl Future<Output = Result<Renewal, Ending>> + Send {
        async move {
            self.ready()?;
            let mut began = None;
            let start = loop {
                let (number, wait, joins) = match self.change(|state| state.next(&want.ask(purpose), || self.now())) {
                    Step::Take(held) => return Ok(Renewal { held, how: How::TakenOver }),
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
                    outcome if joins => return outcome.map(|held| Renewal { held, how: How::Joined }),
                    _ => {}
                }
                if began.elapsed() > self.bound().saturating_mul(LONGEST_QUEUE) {
                    return self.newer_than(&want);
                }
            };
            self.begin(start, purpose, want).await.map(|held| Renewal { held, how: How::ByUs })
        }
    }

    /// Starts a flight and waits for its end.
    pub(super) async fn begin(
        self: &Arc<Self>,
        start: Start<Credential, RefreshError, Demand>,
        purpose: Purpose,
        want: Want,
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
    fn newer_than(&self, ask: &Want) -> Result<Renewal, Ending> {
        let held = self.current_in(&ask.slot);
        if held.epoch == ask.epoch && held.generation > ask.generation && held.stage == Stage::Open {
            return Ok(Renewal { held, how: How::TakenOver });
        }
        Err(Ended::Failed(RefreshError::of(RefreshErrorKind::TimedOut)))
    }

    /// Whether it can be waited here at all.
    pub(super) fn ready(&self) -> Result<(), Ending> {
        if tokio::runtime::Handle::try_current().is_err() {
            return Err(Ended::Failed(RefreshError::of(RefreshErrorKind::Gone)));
        }
        let recursive = ANCESTRY.try_with(|above| above.contains(&self.id())).unwrap_or(false);
        if recursive { Err(Ended::Failed(RefreshError::of(RefreshErrorKind::Recursive))) } else { Ok(()) }
    }

    pub(super) fn id(&self) -> usize {
        self.id
    }

    /// Records that the refresher above this call waits for this session.
    fn begin_to_wait(&self) -> Result<Waiting, Ending> {
        let begun = ANCESTRY.try_with(|above| Waiting::begin(above, self.id()));
        match begun {
            Ok(Err(_)) => Err(Ended::Failed(RefreshError::of(RefreshErrorKind::Recursive))),
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
        within(bound, pin!(wait)).await.unwrap_or_else(|| {
            // Ended before its slot is free, so that two are never at work.
            lock(&self.aborts).evict(number);
            let error = RefreshError::of(RefreshErrorKind::TimedOut);
            self.fail(number, error.clone());
            Err(Ended::Failed(error))
        })
    }
}
