//! The tasks of a session: a flight's, and what a logout leaves to do.

use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll};
use std::time::{Duration, Instant, SystemTime};

use super::event::{Event, RefreshOutcome};
use super::flight_request::{Ended, Purpose, Rest};
use super::session_core::ANCESTRY;
use super::session_core::{Ancestry, Bounds, Core};
use super::step::Landed;
use super::sync::lock;
use super::task_list::{Task, TaskCount};
use super::types::Current;
use super::want::RenewalRequest;
use crate::credential::Credential;
use crate::error::{RefreshError, RefreshErrorKind};
use crate::refresh::Refresh;
use crate::refresh::{RefreshContext, RefreshReason, RefreshSession, SessionAccess};
use crate::session::trace;
use crate::util::timeout;

/// How long a server may ask to be left alone: whoever says a year is not believed.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(300);
/// A piece of a refresher's work.
type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Core {
    /// Begins the flight. What its refresher knows at once is there when this is done; otherwise it goes on as a task, which
    /// outlives whoever waits for it.
    pub(super) async fn launch(&self, number: u64, mut work: Work) {
        // A single poll, so nobody can go away in the midst of it. After a panic the flight's guard has ended it.
        let begun = std::future::poll_fn(|context| {
            let poll = || ANCESTRY.sync_scope(self.ancestry(), || work.as_mut().poll(context).is_pending());
            Poll::Ready(std::panic::catch_unwind(AssertUnwindSafe(poll)).unwrap_or(false))
        });
        if begun.await {
            self.spawn(Some(number), work);
        }
    }

    /// The work of a flight, which ends it whatever becomes of the work.
    pub(super) fn flight(
        self: &Arc<Self>,
        number: u64,
        purpose: Purpose,
        want: RenewalRequest,
        held: &Current,
    ) -> Work {
        let (refused, epoch) = (held.credential.clone(), held.epoch);
        let guard = Guard::new(self.clone(), number);
        let cause = want.cause;
        let carried = held.credential.clone().filter(|_| want.carried);
        let context = self.context(number, want, refused.clone());
        let counted = TaskCount::one(&self.tasks);
        let flight = async move {
            // Locals, so that a panic ends them while it is one.
            let (mut guard, _counted) = (guard, counted);
            let core = &*guard.core;
            let (started, bound) = (Instant::now(), core.bound());
            let refresher = core.refresher.as_ref();
            let discarded = context.clone();
            let answer = match purpose {
                Purpose::Initial => timeout(bound, refresher.initial(context).as_mut()).await,
                Purpose::Renew | Purpose::Login => timeout(bound, refresher.refresh(context).as_mut()).await,
            };
            let answer = answer.unwrap_or_else(|| Err(RefreshError::new(RefreshErrorKind::TimedOut)));
            let answer = answer.map_err(|error| error.masked(&Credential::masker_of(&refused)));
            let waiters = core.waiting(number);
            let (outcome, late) = core.land((number, epoch), cause, (purpose, carried), answer);
            guard.up = false;
            if let Some(late) = late {
                let context = discarded.to_forget(RefreshReason::Discarded, Some(late));
                let _ = forget(refresher, context, bound).await;
            }
            core.listeners.tell(|| {
                let generation = core.current.load().generation;
                Event::Refreshed { cause, outcome, took: started.elapsed(), waiters, generation }
            });
        };
        Box::pin(trace::refresh(cause, flight))
    }

    /// The sessions that are at work above what this one begins, and this one.
    fn ancestry(&self) -> Ancestry {
        let mut above = ANCESTRY.try_with(Clone::clone).unwrap_or_default();
        above.push(self.id());
        above
    }

    /// Runs the work on a task of its own, below the sessions that are at work already.
    pub(super) fn spawn(&self, number: Option<u64>, work: Work) {
        // Without a runtime the work is dropped here, and its guard says that it is gone.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let above = self.ancestry();
        let Some(number) = number else { return drop(runtime.spawn(ANCESTRY.scope(above, work))) };
        // A runtime that is shut down drops the task at once. The work has another owner for as long as the lock is held, because its
        // guard takes the lock.
        let work = Arc::new(Mutex::new(Some(work)));
        let theirs = work.clone();
        let task = async move {
            let work = lock(&theirs).take();
            if let Some(work) = work {
                ANCESTRY.scope(above, work).await;
            }
        };
        // Holds the lock, so that no waiter gives the flight up between the check and the spawn.
        let mut aborts = lock(&self.aborts);
        if let Some((_, begun @ Task::Begun)) = aborts.0.iter_mut().find(|(other, _)| *other == number) {
            *begun = Task::Spawned(runtime.spawn(task).abort_handle());
        }
        drop(aborts);
    }

    /// What the refresher of a flight is told.
    pub(super) fn context(
        self: &Arc<Self>,
        number: u64,
        want: RenewalRequest,
        credential: Option<Credential>,
    ) -> RefreshContext {
        let url = want.occasion.as_ref().map(|request| &request.url);
        let theirs = url.and_then(|url| self.origins.iter().find(|origin| origin.contains(url)));
        RefreshContext {
            reason: want.cause,
            demand: want.demand,
            origin: theirs.unwrap_or_else(|| self.origin()).clone(),
            request: want.occasion,
            credential,
            session: SessionAccess::Session(Arc::downgrade(self) as Weak<dyn RefreshSession>, number),
            clock: self.clock.clone(),
            slot: want.slot,
            renewal_lock: None,
        }
    }

    /// What became of the answer, and a credential that is to be forgotten at its source.
    fn land(
        &self,
        (number, epoch): (u64, u64),
        cause: RefreshReason,
        (purpose, carried): (Purpose, Option<Credential>),
        answer: Result<Option<Credential>, RefreshError>,
    ) -> (RefreshOutcome, Option<Credential>) {
        let checked = answer.and_then(|credential| match credential {
            Some(credential) => credential.check().map(|()| Some(credential)).map_err(RefreshError::other),
            None => Ok(None),
        });
        let outcome = match (checked, purpose) {
            (Ok(Some(credential)), Purpose::Renew) if is_unchanged(cause, carried.as_ref(), &credential) => {
                let now = self.now();
                // Counts as a refused new credential, because the server would refuse it again.
                self.change(|state| state.count_unchanged(number, now));
                self.end(number, Ended::Unchanged, self.bounds.back_off, false);
                RefreshOutcome::Declined
            }
            (Ok(Some(credential)), _) => {
                let (due, now) = (self.due(purpose, &credential), self.now());
                match self.change(|state| state.land((number, epoch), credential, due, now)) {
                    Landed::Kept => RefreshOutcome::Renewed,
                    Landed::Dropped => RefreshOutcome::Discarded,
                    Landed::Forget(late) => return (RefreshOutcome::Discarded, Some(late)),
                }
            }
            (Ok(None), Purpose::Initial) => {
                self.change(|state| state.land_empty(number));
                RefreshOutcome::Declined
            }
            (Ok(None), Purpose::Renew | Purpose::Login) => {
                self.end(number, Ended::Declined, Duration::ZERO, false);
                RefreshOutcome::Declined
            }
            (Err(error), _) => {
                self.fail(number, error);
                RefreshOutcome::Failed
            }
        };
        (outcome, None)
    }

    /// Ends a flight with a failure. Temporary and final failures are remembered. While the held credential is still
    /// valid, so is every other failure.
    pub(super) fn fail(&self, number: u64, error: RefreshError) {
        let Bounds { back_off, cool_down, .. } = self.bounds;
        let (span, whole) = match error.kind() {
            RefreshErrorKind::Transient { retry_after } => {
                (retry_after.map_or(back_off, |span| span.min(LONGEST_RETRY_AFTER)), true)
            }
            RefreshErrorKind::CredentialRevoked { .. } => (cool_down, true),
            RefreshErrorKind::Denied { .. } => (cool_down, false),
            _ => (Duration::ZERO, false),
        };
        self.end(number, Ended::Failed(error), span, whole);
    }

    fn end(&self, number: u64, ended: Ended<RefreshError>, span: Duration, whole: bool) {
        let (now, rest) = (self.now(), Rest { span, early: self.bounds.back_off, whole });
        self.change(|state| state.fail(number, ended, now, rest));
    }

    /// From when on a credential is renewed: before a send, and in the background.
    pub(super) fn due(&self, purpose: Purpose, credential: &Credential) -> [Option<SystemTime>; 2] {
        let renew_at = self.renew_at(credential);
        // A stored credential may have expired, by the clock that stored it. A new credential cannot have expired yet.
        let expired = || credential.expiry().filter(|time| purpose == Purpose::Initial && *time <= self.now());
        let renew_at = renew_at.or_else(expired);
        [renew_at, renew_at.and_then(|time| self.ahead_of(time))]
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

/// Has the refresher forget a credential. A panic is an error, so that the next credential is forgotten too.
pub(super) async fn forget(
    refresher: &dyn Refresh,
    context: RefreshContext,
    bound: Duration,
) -> Result<(), RefreshError> {
    let mut work = pin!(async {
        let answer = timeout(bound, refresher.forget(context).as_mut()).await;
        answer.unwrap_or_else(|| Err(RefreshError::new(RefreshErrorKind::TimedOut)))
    });
    let poll = |context: &mut Context<'_>| {
        let poll = AssertUnwindSafe(|| work.as_mut().poll(context));
        let panicked = |_| Poll::Ready(Err(RefreshError::new(RefreshErrorKind::Panicked)));
        std::panic::catch_unwind(poll).unwrap_or_else(panicked)
    };
    std::future::poll_fn(poll).await
}

/// Whether the refresher returned the credential that was refused, or that it should replace.
fn is_unchanged(cause: RefreshReason, carried: Option<&Credential>, new: &Credential) -> bool {
    let same = carried == Some(new);
    match cause {
        RefreshReason::Challenged => same,
        // The same token may have a later expiry.
        RefreshReason::Expired => same && carried.and_then(Credential::expiry) == new.expiry(),
        _ => false,
    }
}

/// Ends a flight whose task ended without landing it: by a panic, by an abort, by the end of its runtime.
struct Guard {
    core: Arc<Core>,
    number: u64,
    up: bool,
}

impl Guard {
    fn new(core: Arc<Core>, number: u64) -> Self {
        lock(&core.aborts).begin(number);
        Self { core, number, up: true }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        lock(&self.core.aborts).end(self.number);
        if !self.up {
            return;
        }
        if std::thread::panicking() {
            return self.core.fail(self.number, RefreshError::new(RefreshErrorKind::Panicked));
        }
        let gone = Ended::Failed(RefreshError::new(RefreshErrorKind::Gone));
        self.core.change(|state| state.lose(self.number, gone));
    }
}
