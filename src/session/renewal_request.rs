//! What a call requests from a session, and what it gets.

use std::sync::Arc;
use std::time::Duration;

use super::flight_request::{FlightRequest, Purpose};
use super::slots::Key;
use super::types::Current;
use crate::credential::SlotKey;
use crate::error::Renewed;
use crate::refresh::{Demand, RefreshReason, RefusedRequest};

impl Key for SlotKey {
    fn inherits_main(&self) -> bool {
        !matches!(self, Self::Resource(_))
    }

    fn budget_key(&self) -> Self {
        if self.inherits_main() { self.clone() } else { Self::Main }
    }
}

/// What a call requests from a session. The epoch, the generation and the failures are those of the session when the HTTP
/// request was signed.
pub(crate) struct RenewalRequest {
    pub(crate) reason: RefreshReason,
    pub(crate) slot: SlotKey,
    pub(crate) epoch: u64,
    pub(crate) generation: u64,
    pub(crate) failures: u64,
    pub(crate) demand: Demand,
    /// The [number](crate::refresh::Question::id) of the question that the challenges ask.
    pub(crate) question_id: u64,
    /// Whether the HTTP request carried no credential.
    pub(crate) is_unsigned: bool,
    /// Whether the HTTP request carried the credential of this slot.
    pub(crate) has_credential: bool,
    /// Whether a refresh may start. If not, the session returns only a credential that it holds already.
    pub(crate) may_start: bool,
    /// Whether the session renews ahead of time, and the call does not wait.
    pub(crate) in_background: bool,
    /// The HTTP request and its challenges, if a call makes this request.
    pub(crate) request: Option<Arc<RefusedRequest>>,
}

/// For how long a credential that was obtained for a demand is not renewed for the same demand: as long as a final
/// failure is remembered.
const MIN_AGE_FOR_SAME_DEMAND: Duration = Duration::from_secs(30);

impl RenewalRequest {
    /// A request for the main slot that no HTTP call makes.
    pub(super) fn without_call(reason: RefreshReason, held: &Current) -> Self {
        Self::of(reason, SlotKey::Main, held)
    }

    /// A request for this slot. `held` is what the call was signed with.
    pub(crate) fn of(reason: RefreshReason, slot: SlotKey, held: &Current) -> Self {
        Self {
            reason,
            is_unsigned: held.credential.is_none() && slot == SlotKey::Main && reason == RefreshReason::Challenged,
            has_credential: held.credential.is_some(),
            slot,
            epoch: held.epoch,
            generation: held.generation,
            failures: held.failures,
            demand: Demand::default(),
            question_id: 0,
            may_start: true,
            in_background: false,
            request: None,
        }
    }

    /// The part of this request that decides in the [state](super::state::State) of the session what the caller does
    /// next.
    pub(super) fn flight_request(&self, purpose: Purpose) -> FlightRequest<Demand, SlotKey> {
        FlightRequest {
            purpose,
            slot: self.slot.clone(),
            epoch: self.epoch,
            generation: self.generation,
            failures: self.failures,
            demand: self.demand.clone(),
            question_id: self.question_id,
            is_unsigned: self.is_unsigned,
            is_early: self.reason == RefreshReason::Expired,
            may_start: self.may_start,
            min_age: self.demand.is_for_more().then_some(MIN_AGE_FOR_SAME_DEMAND),
        }
    }
}

/// The successful result of a [`RenewalRequest`].
#[derive(Debug)]
pub(crate) struct Renewal {
    pub(crate) held: Arc<Current>,
    /// How the call got the credential.
    pub(crate) renewed: Renewed,
}
