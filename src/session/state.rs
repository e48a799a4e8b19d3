//! What one session knows, and what a caller does next. All functions decide under one lock and wait for nothing. The state
//! knows no HTTP, no runtime and no clock.

use std::time::{Duration, SystemTime};

use super::active_flights::{ActiveFlight, ActiveFlights};
use super::budget::Budget;
use super::flight::Flight;
use super::flight_request::{FlightRequest, NoCredential, Purpose};
use super::slot::{Held, RenewalTimes, Slot, Stage};
use super::slots::{Key, Slots};
use super::step::{Outcome, Start, Step};
use super::streak::Streak;
use super::sync::Arc;

/// A flight that has ended. Its waiters get the outcome after the state is published and its lock is free.
pub(crate) struct EndedFlight<C, E, D> {
    shared: Arc<Flight<Outcome<C, E, D>>>,
    outcome: Outcome<C, E, D>,
}

impl<C: Clone, E: Clone, D: Clone> EndedFlight<C, E, D> {
    /// Gives the outcome to the waiters.
    pub(crate) fn complete(self) {
        self.shared.complete(self.outcome);
    }
}

pub(crate) struct State<C, E, D, K> {
    pub(super) slots: Slots<C, E, D, K>,
    pub(super) active: ActiveFlights<C, E, D, K>,
    /// How many flights were started. The number of a flight is its place in this count.
    flights: u64,
    /// How many flights have failed.
    pub(super) failures: u64,
    /// How many credentials there were, over all epochs and slots.
    pub(super) generations: u64,
    /// The budget of the whole session. Each slot has its own too.
    pub(super) budget: Budget,
    /// Failures in a row in slots other than the main one.
    pub(super) streak: Streak<E>,
    /// Whether there was a credential in this epoch. If so, the epoch has an identity, and a login that succeeds begins
    /// another epoch.
    pub(super) has_identity: bool,
    /// The epoch that the last logout began. A credential that was requested in an earlier epoch is forgotten on arrival.
    pub(super) logout_epoch: u64,
    /// Whether the main slot has changed since it was last published.
    pub(super) is_changed: bool,
    ended: Vec<EndedFlight<C, E, D>>,
}

impl<C: Clone, E: Clone, D: Clone + PartialEq + Default, K: Key> State<C, E, D, K> {
    /// A state without a credential, with at most that many slots beside the main one.
    pub(crate) fn new(max_slots: usize) -> Self {
        Self {
            slots: Slots::new(max_slots),
            active: ActiveFlights::default(),
            flights: 0,
            failures: 0,
            generations: 0,
            budget: Budget::default(),
            streak: Streak::default(),
            has_identity: false,
            logout_epoch: 0,
            is_changed: false,
            ended: Vec::new(),
        }
    }

    /// Holds an initial credential, so that the refresher is not called for one.
    pub(crate) fn begin(&mut self, credential: C, renew_at: RenewalTimes) {
        self.generations += 1;
        self.has_identity = true;
        let generation = self.generations;
        self.change(|held| {
            (held.generation, held.stage, held.credential) = (generation, Stage::Ready, Some(credential));
            held.renew_at = renew_at;
        });
    }

    /// What the main slot holds, if that has changed since the last call.
    pub(crate) fn take_changed(&mut self) -> Option<&Arc<Held<C, D>>> {
        std::mem::take(&mut self.is_changed).then_some(&self.slots.main.held)
    }

    /// The flights that have ended since the last call.
    pub(crate) fn take_ended(&mut self) -> Vec<EndedFlight<C, E, D>> {
        std::mem::take(&mut self.ended)
    }

    pub(crate) fn held(&self) -> &Arc<Held<C, D>> {
        &self.slots.main.held
    }

    /// What a request of this slot carries.
    pub(crate) fn held_in(&mut self, key: &K) -> Arc<Held<C, D>> {
        self.slots.held_in(key)
    }

    /// The slot that holds the credential of this generation.
    pub(crate) fn holder(&self, generation: u64) -> Option<K> {
        self.slots.holder(generation).map(|(key, _)| key)
    }

    /// Decides what a caller does about its request.
    pub(crate) fn next(&mut self, request: &FlightRequest<D, K>, now: impl Fn() -> SystemTime) -> Step<C, E, D> {
        let is_logged_out = self.slots.main.held.stage == Stage::LoggedOut;
        if self.slots.main.held.epoch != request.epoch {
            let reason = if is_logged_out { NoCredential::LoggedOut } else { NoCredential::SessionChanged };
            return Step::Refuse(reason);
        }
        if request.is_unsigned
            && let Some(login) = self.active.login()
        {
            return Step::Join(login.number, login.shared.wait());
        }
        if is_logged_out {
            return Step::Refuse(NoCredential::LoggedOut);
        }
        let held = self.held_in(&request.slot);
        if Self::is_answer(&held, request) {
            return Step::Use(held);
        }
        if request.demand != D::default()
            && let Some(slot) = self.slots.get(&request.slot).filter(|slot| slot.has_kept())
            && let Some(kept) = slot.kept_for(request, now())
        {
            return Step::Use(kept);
        }
        if let Some(flight) = self.active.in_slot(&request.slot) {
            let wait = flight.shared.wait();
            let is_same = flight.purpose == request.purpose
                && flight.demand == request.demand
                && flight.question_id == request.question_id;
            return if is_same { Step::Join(flight.number, wait) } else { Step::Await(flight.number, wait) };
        }
        match self.reason_not_to_start(request, &held, now) {
            Some(reason) => Step::Refuse(reason),
            None => Step::Start(self.start(request.clone(), held)),
        }
    }

    /// Whether what is held now answers the request.
    fn is_answer(held: &Held<C, D>, request: &FlightRequest<D, K>) -> bool {
        match request.purpose {
            Purpose::Initial => held.stage != Stage::New,
            Purpose::Renew | Purpose::Login => {
                held.stage == Stage::Ready
                    && held.generation > request.generation
                    && (request.demand == D::default() || request.demand == held.met_demand)
            }
        }
    }

    /// Why no flight may start.
    fn reason_not_to_start(
        &self,
        request: &FlightRequest<D, K>,
        held: &Held<C, D>,
        now: impl Fn() -> SystemTime,
    ) -> Option<NoCredential<E>> {
        let slot = self.slots.get(&request.slot);
        if let Some(reason) = slot.and_then(|slot| slot.remembered(request, &now)) {
            return Some(reason);
        }
        if request.slot != K::default()
            && let Some(reason) = self.streak.remembered(&now)
        {
            return Some(reason);
        }
        let age = |since: SystemTime| now().duration_since(since).unwrap_or(Duration::MAX);
        let is_too_new =
            |min_age| held.met_demand == request.demand && held.obtained_at.is_some_and(|since| age(since) < min_age);
        if !request.may_start || request.min_age.is_some_and(is_too_new) {
            return Some(NoCredential::TooSoon);
        }
        if request.purpose == Purpose::Initial {
            return None;
        }
        let slot = self.slots.get(&request.slot.budget_key());
        let is_spent = self.budget.is_paused(&now) || slot.is_some_and(|slot| slot.budget.is_paused(&now));
        is_spent.then_some(NoCredential::BudgetExhausted)
    }

    pub(super) fn start(&mut self, request: FlightRequest<D, K>, held: Arc<Held<C, D>>) -> Start<C, E, D> {
        self.flights += 1;
        let number = self.flights;
        let shared = Flight::new();
        let wait = shared.wait();
        let FlightRequest { purpose, slot, epoch, demand, question_id, is_early, .. } = request;
        self.active.add(ActiveFlight { number, purpose, slot, demand, question_id, is_early, epoch, shared });
        Start { number, wait, held }
    }

    /// How many callers wait for the flight of this number, if it is still in progress.
    pub(crate) fn waiting(&self, number: u64) -> usize {
        self.active.get(number).map_or(0, |flight| flight.shared.waiting())
    }

    pub(super) fn slot_mut(&mut self, key: &K) -> &mut Slot<C, E, D> {
        let active = &self.active;
        self.slots.get_mut(key, |key| active.in_slot(key).is_some())
    }

    pub(super) fn end_flight(&mut self, shared: Arc<Flight<Outcome<C, E, D>>>, outcome: Outcome<C, E, D>) {
        self.ended.push(EndedFlight { shared, outcome });
    }

    /// Sets the renewal times of each held credential that no refresh obtained.
    pub(crate) fn set_renewal_times(&mut self, times: impl Fn(&C) -> RenewalTimes) {
        for slot in self.slots.all() {
            if slot.held.obtained_at.is_none()
                && let Some(credential) = &slot.held.credential
            {
                let renew_at = times(credential);
                slot.change(|held| held.renew_at = renew_at);
            }
        }
        self.is_changed = true;
    }

    /// Changes what the main slot holds.
    pub(super) fn change(&mut self, change: impl FnOnce(&mut Held<C, D>)) {
        self.slots.main.change(change);
        self.is_changed = true;
    }
}
