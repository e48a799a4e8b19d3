//! What calls and callers can request from a session: a credential, a login, a logout, more scopes.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Weak};

use tokio::sync::oneshot;

use super::flight_request::{NoCredential, Purpose};
use super::obtain::WAITER_MARGIN;
use super::refresh_work::forget;
use super::renewal_request::RenewalRequest;
use super::session_core::SessionCore;
use super::state::State;
use super::step::Step;
use super::task_list::CountedTask;
use super::types::Current;
use crate::credential::{Credential, SlotKey};
use crate::error::{RefreshError, RefreshErrorKind};
use crate::refresh::{Demand, RefreshContext, RefreshReason, RefreshSession, SessionAccess};
use crate::util::timeout;

impl SessionCore {
    /// The credential to send before a server has refused anything. The refresher is called for it once in each epoch, and
    /// all callers share the outcome.
    pub(crate) async fn initial(self: &Arc<Self>, held: &Current) -> Result<Arc<Current>, NoCredential<RefreshError>> {
        let request = RenewalRequest::without_call(RefreshReason::Initial, held);
        self.obtain(Purpose::Initial, request).await.map(|renewal| renewal.held)
    }

    /// Requests the first credential of a new epoch, or waits for the login that is pending. Until it arrives, the held
    /// credential stays and is renewed as before.
    pub(crate) async fn login(self: &Arc<Self>) -> Result<Arc<Current>, NoCredential<RefreshError>> {
        self.check_can_wait()?;
        match self.change(State::login) {
            Step::Start(start) => {
                let request = RenewalRequest::without_call(RefreshReason::Login, &start.held);
                self.begin(start, Purpose::Login, request).await
            }
            Step::Join(number, wait) | Step::Await(number, wait) => self.wait(number, wait).await,
            Step::Use(held) => Ok(held),
            Step::Refuse(reason) => Err(reason),
        }
    }

    /// Always begins a new epoch without a credential. Then the refresher forgets the former credentials, on a task
    /// that outlives the caller.
    pub(crate) async fn logout(self: &Arc<Self>) -> Result<(), NoCredential<RefreshError>> {
        let Some(former) = self.change(State::logout) else { return Ok(()) };
        self.check_can_wait()?;
        let (done, forgotten) = oneshot::channel();
        let counted = CountedTask::new(&self.task_count);
        // This mark is dropped together with this future, which shows that the caller no longer waits.
        let caller = Arc::new(());
        let work = self.forget_all(former, &caller);
        self.spawn(Box::pin(async move {
            // If the caller has stopped waiting, nothing receives the outcome.
            let _ = done.send(work.await);
            drop(counted);
        }));
        let bound = self.refresh_timeout().saturating_add(WAITER_MARGIN);
        let outcome = match timeout(bound, pin!(forgotten)).await {
            Some(Ok(outcome)) => outcome,
            Some(Err(_)) => Err(RefreshError::new(RefreshErrorKind::Gone)),
            None => Err(RefreshError::new(RefreshErrorKind::TimedOut)),
        };
        outcome.map_err(NoCredential::Failed)
    }

    /// Makes the refresher forget each credential. Returns the first failure after it was called for all of them.
    fn forget_all(
        self: &Arc<Self>,
        former: Vec<(SlotKey, Option<Credential>)>,
        caller: &Arc<()>,
    ) -> impl Future<Output = Result<(), RefreshError>> + Send + use<> {
        let context = self.context(0, RenewalRequest::without_call(RefreshReason::Logout, &self.current()), None);
        let session = Arc::downgrade(self) as Weak<dyn RefreshSession>;
        let context = RefreshContext { session: SessionAccess::Logout(session, Arc::downgrade(caller)), ..context };
        // Keeps the session for the context, also if the caller drops the middleware.
        let core = self.clone();
        async move {
            let mut outcome = Ok(());
            for (slot, credential) in former {
                let context = RefreshContext { slot, ..context.clone() };
                let context = context.to_forget(RefreshReason::Logout, credential);
                outcome = outcome.and(forget(core.refresher.as_ref(), context, core.refresh_timeout()).await);
            }
            outcome
        }
    }

    /// A credential with these scopes. Callers that request the same scopes share one flight.
    pub(crate) async fn step_up(
        self: &Arc<Self>,
        slot: SlotKey,
        held: &Current,
        scopes: Vec<String>,
    ) -> Result<Arc<Current>, NoCredential<RefreshError>> {
        let mut request = RenewalRequest::of(RefreshReason::StepUp, slot, held);
        request.demand = Demand::of_scopes(scopes);
        self.obtain(Purpose::Renew, request).await.map(|renewal| renewal.held)
    }

    /// Starts a renewal of the slot, unless one is in progress. Does not wait for the renewal.
    pub(crate) fn renew_soon(self: &Arc<Self>, slot: SlotKey, held: &Current) {
        let mut request = RenewalRequest::of(RefreshReason::Expired, slot, held);
        request.in_background = true;
        let flight_request = request.flight_request(Purpose::Renew);
        if self.check_can_wait().is_ok()
            && let Step::Start(start) = self.change(|state| state.next(&flight_request, || self.now()))
        {
            let work = self.refresh_work(start.number, Purpose::Renew, request, &start.held);
            self.spawn_flight(start.number, work);
        }
    }
}
