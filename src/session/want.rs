//! What a request wants of a session, and how it got it.

use crate::credential::SlotKey;
use crate::error::Renewed;
use std::sync::Arc;
use std::time::Duration;

use super::flight_request::{FlightRequest, Purpose};
use super::slots::Key;
use super::types::Current;
use crate::refresh::{Demand, RefreshReason, RefusedRequest};

impl Key for SlotKey {
    fn inherits(&self) -> bool {
        !matches!(self, Self::Resource(_))
    }

    fn payer(&self) -> Self {
        if self.inherits() { self.clone() } else { Self::Main }
    }
}

/// What a request wants of a session.
pub(crate) struct RenewalRequest {
    pub(crate) cause: RefreshReason,
    pub(crate) slot: SlotKey,
    pub(crate) epoch: u64,
    pub(crate) generation: u64,
    pub(crate) failures: u64,
    pub(crate) demand: Demand,
    pub(crate) about: u64,
    /// Whether the request carried no credential.
    pub(crate) bare: bool,
    /// Whether the request carried the credential of this slot.
    pub(crate) carried: bool,
    /// Whether a refresh may start for it.
    pub(crate) starts: bool,
    pub(crate) occasion: Option<Arc<RefusedRequest>>,
}

/// For how long a credential that was obtained for a demand is not renewed for the same demand: as long as a final
/// failure is remembered.
const ONCE: Duration = Duration::from_secs(30);

impl RenewalRequest {
    /// A want without a request, from what was seen of the session.
    pub(super) fn seen(cause: RefreshReason, seen: &Current) -> Self {
        Self::of(cause, SlotKey::Main, seen)
    }

    /// A want of a request of that slot, from what the request had seen.
    pub(crate) fn of(cause: RefreshReason, slot: SlotKey, seen: &Current) -> Self {
        Self {
            cause,
            bare: seen.credential.is_none() && slot == SlotKey::Main && cause == RefreshReason::Challenged,
            carried: seen.credential.is_some(),
            slot,
            epoch: seen.epoch,
            generation: seen.generation,
            failures: seen.failures,
            demand: Demand::default(),
            about: 0,
            starts: true,
            occasion: None,
        }
    }

    pub(super) fn ask(&self, purpose: Purpose) -> FlightRequest<Demand, SlotKey> {
        let Self { epoch, generation, failures, about, bare, starts, .. } = *self;
        let early = self.cause == RefreshReason::Expired;
        let once = self.demand.is_for_more().then_some(ONCE);
        let (slot, demand) = (self.slot.clone(), self.demand.clone());
        FlightRequest { purpose, slot, epoch, generation, failures, demand, about, bare, early, starts, once }
    }
}

#[derive(Debug)]
pub(crate) struct Renewal {
    pub(crate) held: Arc<Current>,
    pub(crate) how: Renewed,
}
