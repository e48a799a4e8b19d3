//! The tasks of a session: a flight's, and what a logout leaves to do.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::watch;
use tokio::time::timeout;

use super::error::{RefreshError, RefreshErrorKind};
use super::rejection::{Facts, Rejection};
use super::session::{ANCESTRY, Core, Want};
use super::state::{Ended, Landed, Purpose};
use super::sync::lock;
use crate::credential::Credential;
use crate::origin::Origin;

/// How long a server may ask to be left alone: whoever says a year is not believed.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(300);
impl Core {
    /// Starts the flight's task, which outlives whoever waits for it.
    pub(super) fn launch(&self, number: u64, purpose: Purpose, want: Want) {
        let Some(core) = self.this.upgrade() else { return };
        let refused = self.current.load().credential.clone();
        let guard = Guard { core: core.clone(), number };
        self.spawn(Some(number), async move {
            let bound = core.refresher.timeout();
            let answer = match purpose {
                Purpose::Initial => timeout(bound, core.refresher.initial()).await,
                Purpose::Renew => {
                    let rejection = core.rejection(number, want, refused);
                    timeout(bound, core.refresher.refresh(rejection)).await
                }
            };
            let answer = answer.unwrap_or_else(|_| Err(RefreshError::of(RefreshErrorKind::TimedOut)));
            core.land(number, purpose, answer).await;
            drop(guard);
        });
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
                *lock(&self.aborts) = Some((number, task));
            }
        }
    }

    fn rejection(&self, number: u64, want: Want, refused: Option<Credential>) -> Rejection {
        let theirs = want.request.as_ref().and_then(|(_, url)| Origin::of(url));
        Rejection::new(Facts {
            cause: want.cause,
            challenges: want.challenges,
            demand: want.demand,
            request: want.request,
            origin: theirs.unwrap_or_else(|| self.origin.clone()),
            refused,
            surroundings: self.this.clone(),
            flight: number,
        })
    }

    async fn land(&self, number: u64, purpose: Purpose, answer: Result<Option<Credential>, RefreshError>) {
        let checked = answer.and_then(|credential| match credential {
            Some(credential) => credential.check().map(|()| Some(credential)).map_err(RefreshError::other),
            None => Ok(None),
        });
        match (checked, purpose) {
            (Ok(Some(credential)), _) => {
                let renew_at = self.renew_at(&credential);
                if let Landed::Forget(late) = self.change(|state| state.land(number, credential, renew_at)) {
                    let _ = timeout(self.refresher.timeout(), self.refresher.forget(Some(late))).await;
                }
            }
            (Ok(None), Purpose::Initial) => self.change(|state| state.land_empty(number)),
            (Ok(None), Purpose::Renew) => self.change(|state| state.fail(number, Ended::Declined, None)),
            (Err(error), _) => self.fail(number, error),
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
        let span = rest.and_then(|rest| Some((now, now.checked_add(rest)?)));
        self.change(|state| state.fail(number, Ended::Failed(error), span));
    }

    /// From when on a credential is renewed before it is sent. One that arrives expired, or lives for less than the skew,
    /// has an expiry that cannot be relied on: a clock is wrong somewhere.
    fn renew_at(&self, credential: &Credential) -> Option<SystemTime> {
        let expiry = credential.expiry()?;
        let lifetime = expiry.duration_since(self.now()).ok()?;
        let skew = self.bounds.skew.min(lifetime / 10);
        (lifetime > self.bounds.skew).then(|| expiry.checked_sub(skew)).flatten()
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
struct TaskCount(watch::Sender<usize>);

impl TaskCount {
    fn one(tasks: &watch::Sender<usize>) -> Self {
        tasks.send_modify(|count| *count += 1);
        Self(tasks.clone())
    }
}

impl Drop for TaskCount {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}
