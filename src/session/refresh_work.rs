//! The work of a flight: it calls the refresher and hands the result to the state.

use std::pin::pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use super::event::{Event, RefreshOutcome};
use super::flight_request::{FailureMemory, NoCredential, Purpose};
use super::renewal_request::RenewalRequest;
use super::session_core::{SessionCore, Timing};
use super::step::{Completion, FlightId};
use super::task_list::CountedTask;
use super::tasks::{FlightGuard, Work};
use super::trace;
use super::types::Current;
use crate::credential::Credential;
use crate::error::{RefreshError, RefreshErrorKind};
use crate::refresh::{Refresh, RefreshContext, RefreshReason, RefreshSession, SessionAccess};
use crate::util::timeout;

/// The longest `Retry-After` that is obeyed. A server that sends a year does not stop the client for a year.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(300);

/// What a flight is for.
struct FlightFacts {
    id: FlightId,
    purpose: Purpose,
    reason: RefreshReason,
    /// The credential that the refused request carried, if it carried that of the flight's slot.
    sent: Option<Credential>,
}

impl SessionCore {
    /// The work of a flight. The flight ends in every case, because a guard is part of the work.
    pub(super) fn refresh_work(
        self: &Arc<Self>,
        number: u64,
        purpose: Purpose,
        request: RenewalRequest,
        held: &Current,
    ) -> Work {
        let guard = FlightGuard::new(self.clone(), number, &request);
        let (reason, background) = (request.reason, request.in_background);
        let sent = held.credential.clone().filter(|_| request.has_credential);
        let facts = FlightFacts { id: FlightId { number, epoch: held.epoch }, purpose, reason, sent };
        let context = self.context(number, request, held.credential.clone());
        let counted = CountedTask::new(&self.task_count);
        let work = async move {
            // The guard and the counted task are moved into this block. So if the refresher panics, they are dropped
            // while `thread::panicking` is true.
            let (mut guard, _counted) = (guard, counted);
            let core = &*guard.core;
            let bound = core.refresh_timeout();
            let refresher = core.refresher.as_ref();
            let kept_context = context.clone();
            let result = {
                let mut result = match purpose {
                    Purpose::Initial => refresher.initial(context),
                    Purpose::Renew | Purpose::Login => refresher.refresh(context),
                };
                timeout(bound, result.as_mut()).await
            };
            let result = result.unwrap_or_else(|| Err(RefreshError::new(RefreshErrorKind::TimedOut)));
            let result = result.map_err(|error| error.masked(&Credential::masker_of(&kept_context.credential)));
            let waiters = core.waiting(number);
            let error_type = result.as_ref().err().map(|error| error.kind().as_str());
            let new_expiry = result.as_ref().ok().and_then(Option::as_ref).and_then(Credential::expiry);
            let (outcome, late) = core.complete(facts, result);
            guard.disarm();
            let core = &*guard.core;
            if let Some(late) = late {
                let context = kept_context.to_forget(RefreshReason::Discarded, Some(late));
                // The credential cannot be used any more, and no caller waits for this result.
                let _ = forget(core.refresher.as_ref(), context, bound).await;
            }
            core.listeners.count(|| {
                let generation = core.current.load().generation;
                let expiry = new_expiry.filter(|_| outcome == RefreshOutcome::Renewed);
                let lifetime = expiry.map(|expiry| expiry.duration_since(core.now()).unwrap_or_default());
                let took = guard.began.elapsed();
                Event::Refreshed {
                    reason,
                    outcome,
                    took,
                    waiters,
                    generation,
                    background,
                    error_type,
                    expiry,
                    lifetime,
                }
            });
        };
        Box::pin(trace::refresh(reason, work))
    }

    /// The context that the refresher of a flight gets.
    pub(super) fn context(
        self: &Arc<Self>,
        number: u64,
        request: RenewalRequest,
        credential: Option<Credential>,
    ) -> RefreshContext {
        let url = request.request.as_ref().map(|request| &request.url);
        let origin = url.and_then(|url| self.origins.containing(url));
        RefreshContext {
            reason: request.reason,
            demand: request.demand,
            origin: origin.unwrap_or_else(|| self.origin()).clone(),
            request: request.request,
            credential,
            session: SessionAccess::Session(Arc::downgrade(self) as Weak<dyn RefreshSession>, number),
            clock: self.clock.clone(),
            slot: request.slot,
            renewal_lock: None,
        }
    }

    /// Ends a flight with the result of its refresher. Returns also a credential that the refresher must forget, because it
    /// arrived after a logout.
    fn complete(
        &self,
        flight: FlightFacts,
        result: Result<Option<Credential>, RefreshError>,
    ) -> (RefreshOutcome, Option<Credential>) {
        let FlightFacts { id, purpose, reason, sent } = flight;
        let checked = result.and_then(|credential| match credential {
            Some(credential) => credential.check().map(|()| Some(credential)).map_err(RefreshError::other),
            None => Ok(None),
        });
        let outcome = match (checked, purpose) {
            (Ok(Some(credential)), Purpose::Renew) if is_unchanged(reason, sent.as_ref(), &credential) => {
                let now = self.now();
                // Counts as a refused new credential, because the server would refuse it again.
                let spent = self.change(|state| state.count_unchanged(id.number, now));
                self.report_spent(spent);
                self.end(id.number, NoCredential::Unchanged, self.timing.transient_backoff, false);
                RefreshOutcome::Declined
            }
            (Ok(Some(credential)), _) => {
                let (renew_at, now) = (self.renewal_times(purpose, &credential), self.now());
                match self.change(|state| state.complete(id, credential, renew_at, now)) {
                    Completion::Held => RefreshOutcome::Renewed,
                    Completion::Dropped => RefreshOutcome::Discarded,
                    Completion::Forget(late) => return (RefreshOutcome::Discarded, Some(late)),
                }
            }
            (Ok(None), Purpose::Initial) => {
                self.change(|state| state.complete_without_credential(id.number));
                RefreshOutcome::Declined
            }
            (Ok(None), Purpose::Renew | Purpose::Login) => {
                self.end(id.number, NoCredential::Declined, Duration::ZERO, false);
                RefreshOutcome::Declined
            }
            (Err(error), _) => {
                self.fail(id.number, error);
                RefreshOutcome::Failed
            }
        };
        (outcome, None)
    }

    /// Ends a flight with an error. Temporary and final failures are remembered. While the held credential is still valid,
    /// every other failure is remembered too.
    pub(super) fn fail(&self, number: u64, error: RefreshError) {
        let Timing { transient_backoff, failure_cooldown, .. } = *self.timing;
        let (span, is_for_slot) = match error.kind() {
            RefreshErrorKind::Transient { retry_after } => {
                (retry_after.map_or(transient_backoff, |span| span.min(MAX_RETRY_AFTER)), true)
            }
            RefreshErrorKind::CredentialRevoked { .. } => (failure_cooldown, true),
            RefreshErrorKind::Denied { .. } => (failure_cooldown, false),
            _ => (Duration::ZERO, false),
        };
        self.end(number, NoCredential::Failed(error), span, is_for_slot);
    }

    fn end(&self, number: u64, reason: NoCredential<RefreshError>, span: Duration, is_for_slot: bool) {
        let memory = FailureMemory { span, early_span: self.timing.transient_backoff, is_for_slot };
        let now = self.now();
        self.change(|state| state.fail(number, reason, now, memory));
    }
}

/// Makes the refresher forget a credential. A panic becomes an error, so that the next credential is forgotten too.
pub(super) async fn forget(
    refresher: &dyn Refresh,
    context: RefreshContext,
    bound: Duration,
) -> Result<(), RefreshError> {
    let mut work = pin!(async {
        let result = timeout(bound, refresher.forget(context).as_mut()).await;
        result.unwrap_or_else(|| Err(RefreshError::new(RefreshErrorKind::TimedOut)))
    });
    let poll = |context: &mut Context<'_>| {
        let poll = std::panic::AssertUnwindSafe(|| work.as_mut().poll(context));
        let panicked = |_| Poll::Ready(Err(RefreshError::new(RefreshErrorKind::Panicked)));
        std::panic::catch_unwind(poll).unwrap_or_else(panicked)
    };
    std::future::poll_fn(poll).await
}

/// Whether the refresher returned the credential that was refused, or that it should replace.
fn is_unchanged(reason: RefreshReason, sent: Option<&Credential>, new: &Credential) -> bool {
    let is_same = sent == Some(new);
    match reason {
        RefreshReason::Challenged => is_same,
        // The same token may have a later expiry.
        RefreshReason::Expired => is_same && sent.and_then(Credential::expiry) == new.expiry(),
        _ => false,
    }
}
