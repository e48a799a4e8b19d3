//! The tasks of a session: a flight's, and what a logout leaves to do.

use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::Notify;
use tokio::time::timeout;

use super::error::{RefreshError, RefreshErrorKind};
use super::rejection::{Facts, Rejection, Surroundings};
use super::session::{ANCESTRY, Core, Current, Want};
use super::state::{Ended, Landed, Purpose};
use super::sync::lock;
use crate::credential::Credential;
use crate::event::{Event, RefreshOutcome};
use crate::trace;

/// How long a server may ask to be left alone: whoever says a year is not believed.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(300);
/// The tasks that are at work.
#[derive(Default)]
pub(super) struct Tasks {
    pub(super) count: AtomicUsize,
    /// Told when the last of them has ended.
    pub(super) ended: Notify,
}

impl Core {
    /// Starts the flight's task, which outlives whoever waits for it.
    pub(super) fn launch(&self, number: u64, purpose: Purpose, want: Want, held: &Current) {
        let Some(core) = self.this.upgrade() else { return };
        let (refused, epoch) = (held.credential.clone(), held.epoch);
        let guard = Guard { core: core.clone(), number };
        let cause = want.cause;
        let flight = async move {
            let (started, bound) = (Instant::now(), core.bound());
            let answer = match purpose {
                Purpose::Initial => timeout(bound, core.refresher.initial()).await,
                Purpose::Renew => {
                    let rejection = core.rejection(number, want, refused);
                    timeout(bound, core.refresher.refresh(rejection)).await
                }
            };
            let answer = answer.unwrap_or_else(|_| Err(RefreshError::of(RefreshErrorKind::TimedOut)));
            let waiters = core.waiting(number);
            let outcome = core.land(number, epoch, purpose, answer).await;
            let generation = core.current.load().generation;
            core.listeners.tell(|| Event::Refreshed { cause, outcome, took: started.elapsed(), waiters, generation });
            drop(guard);
        };
        self.spawn(Some(number), trace::refresh(cause, flight));
    }

    /// Runs a piece of a refresher's work on a task of its own, below the sessions that are at work already.
    pub(super) fn spawn(&self, number: Option<u64>, work: impl Future<Output = ()> + Send + 'static) {
        let mut above = ANCESTRY.try_with(Clone::clone).unwrap_or_default();
        above.push(self.id());
        let tasks = TaskCount::one(&self.tasks);
        let work = ANCESTRY.scope(above, async move {
            let _tasks = tasks;
            work.await;
        });
        // Without a runtime the work is dropped here, and its guard says that it is gone.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let task = runtime.spawn(work).abort_handle();
            if let Some(number) = number {
                let mut aborts = lock(&self.aborts);
                if aborts.as_ref().is_none_or(|(up, _)| *up < number) {
                    *aborts = Some((number, task));
                }
            }
        }
    }

    fn rejection(&self, number: u64, want: Want, refused: Option<Credential>) -> Rejection {
        let theirs = want.request.as_ref().and_then(|(_, url)| self.origins.iter().find(|origin| origin.contains(url)));
        Rejection::new(Facts {
            cause: want.cause,
            challenges: want.challenges,
            demand: want.demand,
            request: want.request,
            origin: theirs.unwrap_or_else(|| self.origin()).clone(),
            refused,
            surroundings: self.this.clone(),
            flight: number,
        })
    }

    async fn land(
        &self,
        number: u64,
        epoch: u64,
        purpose: Purpose,
        answer: Result<Option<Credential>, RefreshError>,
    ) -> RefreshOutcome {
        let checked = answer.and_then(|credential| match credential {
            Some(credential) => credential.check().map(|()| Some(credential)).map_err(RefreshError::other),
            None => Ok(None),
        });
        match (checked, purpose) {
            (Ok(Some(credential)), _) => {
                // What was stored may have expired since, by the clock that stored it; what was just made cannot have.
                let renew_at = match purpose {
                    Purpose::Initial => {
                        self.renew_at(&credential).or(credential.expiry().filter(|time| *time <= self.now()))
                    }
                    Purpose::Renew => self.renew_at(&credential),
                };
                let due = [renew_at, renew_at.and_then(|time| self.ahead_of(time))];
                match self.change(|state| state.land(number, epoch, credential, due)) {
                    Landed::Kept => RefreshOutcome::Renewed,
                    Landed::Dropped => RefreshOutcome::Discarded,
                    Landed::Forget(late) => {
                        let _ = timeout(self.bound(), self.refresher.forget(Some(late))).await;
                        RefreshOutcome::Discarded
                    }
                }
            }
            (Ok(None), Purpose::Initial) => {
                self.change(|state| state.land_empty(number));
                RefreshOutcome::Declined
            }
            (Ok(None), Purpose::Renew) => {
                let now = self.now();
                self.change(|state| state.fail(number, Ended::Declined, now, Duration::ZERO));
                RefreshOutcome::Declined
            }
            (Err(error), _) => {
                self.fail(number, error);
                RefreshOutcome::Failed
            }
        }
    }

    pub(super) fn fail(&self, number: u64, error: RefreshError) {
        let now = self.now();
        let rest = match error.kind() {
            RefreshErrorKind::Transient { retry_after } => {
                Some(retry_after.unwrap_or(self.bounds.back_off).min(LONGEST_RETRY_AFTER))
            }
            RefreshErrorKind::Rejected { .. } | RefreshErrorKind::Refused { .. } => Some(self.bounds.cool_down),
            _ => None,
        };
        self.change(|state| state.fail(number, Ended::Failed(error), now, rest.unwrap_or_default()));
    }

    /// From when on a credential is renewed before it is sent. One that arrives expired, or lives for less than the skew,
    /// has an expiry that cannot be relied on: a clock is wrong somewhere.
    fn renew_at(&self, credential: &Credential) -> Option<SystemTime> {
        let expiry = credential.expiry()?;
        let lifetime = expiry.duration_since(self.now()).ok()?;
        let skew = self.bounds.skew.min(lifetime / 10);
        (lifetime > self.bounds.skew).then(|| expiry.checked_sub(skew)).flatten()
    }

    /// A moment drawn by chance from the span before the renewal is due.
    fn ahead_of(&self, renew_at: SystemTime) -> Option<SystemTime> {
        let span = self.bounds.ahead?;
        // A hasher's keys are drawn by the system for each of them.
        let drawn = RandomState::new().hash_one(renew_at) as u32;
        renew_at.checked_sub(span.mul_f64(f64::from(drawn) / f64::from(u32::MAX)))
    }
}

/// Ends a flight whose task ended without landing it: by a panic, by an abort, by the end of its runtime.
struct Guard {
    core: Arc<Core>,
    number: u64,
}

impl Drop for Guard {
    fn drop(&mut self) {
        let kind = if std::thread::panicking() { RefreshErrorKind::Panicked } else { RefreshErrorKind::Gone };
        self.core.change(|state| state.lose(self.number, Ended::Failed(RefreshError::of(kind))));
    }
}

/// Counts a task for as long as it is there.
struct TaskCount(Arc<Tasks>);

impl TaskCount {
    fn one(tasks: &Arc<Tasks>) -> Self {
        tasks.count.fetch_add(1, Ordering::SeqCst);
        Self(tasks.clone())
    }
}

impl Drop for TaskCount {
    fn drop(&mut self) {
        if self.0.count.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.ended.notify_waiters();
        }
    }
}
