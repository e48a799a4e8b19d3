//! What calls and callers ask of a session: a credential, a login, a logout, more scopes.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;

use tokio::sync::oneshot;

use super::flight_request::{Ended, Purpose};
use super::session_core::Core;
use super::state::State;
use super::step::Step;
use super::task_list::TaskCount;
use super::tasks::forget;
use super::types::{Current, Ending};
use super::waiting::GRACE;
use super::want::{Renewal, RenewalRequest};
use crate::credential::SlotKey;
use crate::error::{RefreshError, RefreshErrorKind};
use crate::refresh::{Demand, RefreshReason};
use crate::util::timeout;

impl Core {
    /// What there is to begin with: asked for once an epoch, whoever comes first.
    pub(crate) async fn initial(self: &Arc<Self>, seen: &Current) -> Result<Arc<Current>, Ending> {
        let want = RenewalRequest::seen(RefreshReason::Initial, seen);
        self.fly(Purpose::Initial, want).await.map(|renewal| renewal.held)
    }

    /// A newer credential than the one that was seen: there already, or by the one flight that is up, or by a new one.
    pub(crate) fn renew(
        self: &Arc<Self>,
        want: RenewalRequest,
    ) -> impl Future<Output = Result<Renewal, Ending>> + Send {
        self.fly(Purpose::Renew, want)
    }

    /// Asks for the first credential of a new epoch, or waits for the login that is pending. Until it arrives, the held
    /// credential stays and is renewed as before.
    pub(crate) async fn login(self: &Arc<Self>) -> Result<Arc<Current>, Ending> {
        self.ready()?;
        match self.change(State::login) {
            Step::Start(start) => {
                let want = RenewalRequest::seen(RefreshReason::Login, &start.held);
                self.begin(start, Purpose::Login, want).await
            }
            Step::Join(number, wait) | Step::Await(number, wait) => self.wait(number, wait).await,
            Step::Take(held) => Ok(held),
            Step::End(ended) => Err(ended),
        }
    }

    /// Always begins a new epoch without a credential. Then the refresher forgets the former credentials, on a task
    /// that outlives the caller.
    pub(crate) async fn logout(self: &Arc<Self>) -> Result<(), Ending> {
        let Some(held) = self.change(State::logout) else { return Ok(()) };
        self.ready()?;
        let (done, forgotten) = oneshot::channel();
        let (refresher, bound) = (self.refresher.clone(), self.bound());
        let counted = TaskCount::one(&self.tasks);
        let context = self.context(0, RenewalRequest::seen(RefreshReason::Logout, &self.current()), None);
        let forget = Box::pin(async move {
            let mut outcome = Ok(());
            for credential in held {
                // Returns the first failure after the refresher was asked to forget each credential.
                outcome = outcome.and(
                    forget(refresher.as_ref(), context.clone().to_forget(RefreshReason::Logout, credential), bound)
                        .await,
                );
            }
            // The caller may no longer wait.
            let _ = done.send(outcome);
            drop(counted);
        });
        self.spawn(None, forget);
        let answer = timeout(bound.saturating_add(GRACE), pin!(forgotten)).await.ok_or(RefreshErrorKind::TimedOut);
        let answer = answer.and_then(|sent| sent.map_err(|_| RefreshErrorKind::Gone));
        answer.unwrap_or_else(|kind| Err(RefreshError::new(kind))).map_err(Ended::Failed)
    }

    /// A credential with these scopes: one flight for all who ask for the same.
    pub(crate) async fn step_up(
        self: &Arc<Self>,
        slot: SlotKey,
        seen: &Current,
        scopes: Vec<String>,
    ) -> Result<Arc<Current>, Ending> {
        let mut want = RenewalRequest::of(RefreshReason::StepUp, slot, seen);
        want.demand = Demand::of_scopes(scopes);
        self.fly(Purpose::Renew, want).await.map(|renewal| renewal.held)
    }

    /// Starts a renewal, unless a flight for it is in progress, and does not wait for it.
    pub(crate) fn renew_soon(self: &Arc<Self>, slot: SlotKey, seen: &Current) {
        let want = RenewalRequest::of(RefreshReason::Expired, slot, seen);
        let ask = want.ask(Purpose::Renew);
        if self.ready().is_ok()
            && let Step::Start(start) = self.change(|state| state.next(&ask, || self.now()))
        {
            self.spawn(Some(start.number), self.flight(start.number, Purpose::Renew, want, &start.held));
        }
    }
}
