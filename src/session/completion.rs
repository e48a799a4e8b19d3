//! How flights end, and what the server says about the credentials that they obtained.

use std::time::SystemTime;

use super::active_flights::ActiveFlight;
use super::budget::{MAX_SESSION_REFUSALS, MAX_SLOT_REFUSALS, Spent};
use super::flight_request::{FailureMemory, NoCredential, Purpose};
use super::slot::{Failure, Held, RenewalTimes, Slot, Stage};
use super::slots::Key;
use super::state::State;
use super::step::{Completion, FlightId};

impl<C: Clone, E: Clone, D: Clone + PartialEq + Default, K: Key> State<C, E, D, K> {
    /// Ends a flight with a credential, which the refresher returned at `obtained_at`.
    pub(crate) fn complete(
        &mut self,
        id: FlightId,
        credential: C,
        renew_at: RenewalTimes,
        obtained_at: SystemTime,
    ) -> Completion<C> {
        let Some(flight) = self.active.take(id.number) else {
            return if id.epoch < self.logout_epoch { Completion::Forget(credential) } else { Completion::Dropped };
        };
        let mut epoch = flight.epoch;
        if flight.purpose == Purpose::Login {
            self.end_epoch(&NoCredential::SessionChanged);
            // A credential that arrived while the login was pending, such as the first one, belongs to another identity.
            epoch = self.slots.main.held.epoch + u64::from(self.has_identity);
        }
        self.generations += 1;
        self.has_identity = true;
        self.streak.clear();
        let main = &self.slots.main.held;
        let held = Held {
            epoch,
            generation: self.generations,
            stage: Stage::Ready,
            credential: Some(credential),
            renew_at,
            met_demand: flight.demand,
            obtained_at: (flight.purpose != Purpose::Initial).then_some(obtained_at),
            failures: main.failures,
        };
        let active = &self.active;
        let held = self.slots.hold(&flight.slot, held, |key| active.in_slot(key).is_some());
        self.is_changed |= flight.slot == K::default();
        self.end_flight(flight.shared, Ok(held));
        Completion::Held
    }

    /// Ends the first flight of an epoch, whose refresher has no initial credential.
    pub(crate) fn complete_without_credential(&mut self, number: u64) {
        if let Some(flight) = self.active.take(number) {
            self.change(|held| held.stage = Stage::Ready);
            self.end_flight(flight.shared, Ok(self.slots.main.held.clone()));
        }
    }

    /// Ends the flight of this number with a failure, and remembers the failure.
    pub(crate) fn fail(&mut self, number: u64, reason: NoCredential<E>, since: SystemTime, memory: FailureMemory) {
        let Some(flight) = self.active.take(number) else { return };
        let ActiveFlight { purpose, slot, demand, question_id, is_early, shared, .. } = flight;
        self.failures += 1;
        let number = self.failures;
        self.change(|held| held.failures = number);
        self.end_flight(shared, Err(reason.clone()));
        let is_login = purpose == Purpose::Login;
        // A failed login says nothing about the held identity. A login has no challenge, so if it is declined, the
        // next 401, with its challenges, still asks the refresher.
        if is_login && (self.has_identity || matches!(reason, NoCredential::Declined)) {
            return;
        }
        let purpose = if is_login { Purpose::Renew } else { purpose };
        let span = if is_early { memory.early_span.max(memory.span) } else { memory.span };
        let is_for_slot = memory.is_for_slot || is_login;
        if slot != K::default() && !span.is_zero() {
            self.streak.count_failure(reason.clone(), since, span);
        }
        let slot = self.slot_mut(&slot);
        slot.change(|held| held.failures = number);
        slot.remember(Failure { purpose, demand, question_id, is_for_slot, number, reason, since, span });
    }

    /// Ends the flight of this number without an outcome for its waiters: each of them makes its request to the
    /// session again.
    pub(crate) fn abandon(&mut self, number: u64, reason: NoCredential<E>) {
        if let Some(flight) = self.active.take(number) {
            self.end_flight(flight.shared, Err(reason));
        }
    }

    /// Records that the server refused the credential of this generation. If a refresh obtained it, this counts against the
    /// budgets of its slot and of the session. Returns the budget that it has spent.
    pub(crate) fn refused(&mut self, epoch: u64, generation: u64, now: SystemTime) -> Option<Spent> {
        if self.slots.main.held.epoch != epoch || generation == 0 {
            return None;
        }
        let Some(key) = self.holder(generation) else {
            self.drop_kept(generation);
            return None;
        };
        let is_new = self.slots.holder_mut(generation).is_some_and(Slot::is_refusal_new);
        is_new.then(|| self.count_refusal(&key.budget_key(), now))?
    }

    /// Records that the refresher of this flight returned the credential that was refused. Returns the budget that this has
    /// spent.
    pub(crate) fn count_unchanged(&mut self, number: u64, now: SystemTime) -> Option<Spent> {
        let key = self.active.get(number)?.slot.budget_key();
        // Counts in the budget, like a new credential that the server refused.
        self.count_refusal(&key, now)
    }

    fn count_refusal(&mut self, key: &K, now: SystemTime) -> Option<Spent> {
        let of_session = self.budget.count_refusal(MAX_SESSION_REFUSALS, now);
        let of_slot = self.slot_mut(key).budget.count_refusal(MAX_SLOT_REFUSALS, now);
        let is_of_session = of_session.is_some();
        of_session.or(of_slot).map(|pause| Spent { pause, is_of_session })
    }

    /// Records that the server accepted the credential of this generation: its slot and the session may refresh again.
    pub(crate) fn accepted(&mut self, generation: u64) {
        self.budget.clear();
        if let Some(key) = self.slots.holder(generation).map(|(key, _)| key.budget_key()) {
            self.slot_mut(&key).budget.clear();
        }
    }
}
