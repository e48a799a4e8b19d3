//! What one session knows, and what a caller does next: decisions alone, made under one lock, without waiting for
//! anything. It knows no HTTP, no runtime and no clock.

use std::time::{Duration, SystemTime};

use super::budget::Budget;
use super::flight::Flight;
use super::flight_request::{Ended, FlightRequest, Purpose};
use super::slot::{Held, Slot, Stage};
use super::slots::{Key, Slots};
use super::step::{Outcome, Start, Step};
use super::streak::Streak;
use super::sync::Arc;

pub(super) struct Up<C, E, D, K> {
    pub(super) number: u64,
    pub(super) purpose: Purpose,
    pub(super) slot: K,
    pub(super) demand: D,
    pub(super) about: u64,
    pub(super) early: bool,
    /// The epoch of the credential that the flight will bring.
    pub(super) epoch: u64,
    pub(super) flight: Arc<Flight<Outcome<C, E, D>>>,
}

/// A flight that has ended, and its outcome.
type Landing<C, E, D> = (Arc<Flight<Outcome<C, E, D>>>, Outcome<C, E, D>);

pub(crate) struct State<C, E, D, K> {
    pub(super) slots: Slots<C, E, D, K>,
    /// At most one per slot, and one login.
    pub(super) ups: Vec<Up<C, E, D, K>>,
    pub(super) flights: u64,
    pub(super) failures: u64,
    pub(super) generations: u64,
    /// Over all slots.
    pub(super) budget: Budget,
    /// Failures in a row in slots beside the main one.
    pub(super) streak: Streak<E>,
    /// Whether there was a credential in this epoch. Then the epoch has an identity, and a login that ends begins another.
    pub(super) identified: bool,
    /// The epoch that the last logout began: what was asked for in an earlier one is forgotten when it comes.
    pub(super) logout: u64,
    /// Whether the main slot has changed since it was last published.
    pub(super) changed: bool,
    /// Ended flights whose waiters are not told yet. They are told after the state is published and its lock is free.
    pub(super) ended: Vec<Landing<C, E, D>>,
}

impl<C: Clone, E: Clone, D: Clone + PartialEq + Default, K: Key> State<C, E, D, K> {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            slots: Slots::new(limit),
            ups: Vec::new(),
            flights: 0,
            failures: 0,
            generations: 0,
            budget: Budget::default(),
            streak: Streak::default(),
            identified: false,
            logout: 0,
            changed: false,
            ended: Vec::new(),
        }
    }

    /// Holds an initial credential, so that the refresher is not asked for one.
    pub(crate) fn begin(&mut self, credential: C, due: [Option<SystemTime>; 2]) {
        self.generations += 1;
        self.identified = true;
        let generation = self.generations;
        self.change(|held| {
            (held.generation, held.stage, held.credential) = (generation, Stage::Open, Some(credential));
            [held.renew_at, held.ahead_at] = due;
        });
    }

    /// What is held, if that has changed since this was last asked.
    pub(crate) fn changed(&mut self) -> Option<&Arc<Held<C, D>>> {
        std::mem::take(&mut self.changed).then_some(&self.slots.main.held)
    }

    /// The flights that have ended since the last call.
    pub(crate) fn ended(&mut self) -> Vec<Landing<C, E, D>> {
        std::mem::take(&mut self.ended)
    }

    pub(crate) fn held(&self) -> &Arc<Held<C, D>> {
        &self.slots.main.held
    }

    /// What a request of that slot carries.
    pub(crate) fn held_in(&mut self, key: &K) -> Arc<Held<C, D>> {
        self.slots.held_in(key)
    }

    /// The slot that holds the credential of that generation.
    pub(crate) fn holder(&self, generation: u64) -> Option<K> {
        self.slots.holder(generation).map(|(key, _)| key)
    }

    pub(crate) fn next(&mut self, ask: &FlightRequest<D, K>, now: impl Fn() -> SystemTime) -> Step<C, E, D> {
        let logged_out = self.slots.main.held.stage == Stage::LoggedOut;
        if self.slots.main.held.epoch != ask.epoch {
            return Step::End(if logged_out { Ended::LoggedOut } else { Ended::SessionChanged });
        }
        if ask.bare
            && let Some(login) = self.login_up()
        {
            return Step::Join(login.number, login.flight.wait());
        }
        if logged_out {
            return Step::End(Ended::LoggedOut);
        }
        let held = self.held_in(&ask.slot);
        if Self::answers(&held, ask) {
            return Step::Take(held);
        }
        if ask.demand != D::default()
            && let Some(kept) =
                self.slots.get(&ask.slot).filter(|slot| slot.has_kept()).and_then(|slot| slot.kept_for(ask, now()))
        {
            return Step::Take(kept);
        }
        if let Some(up) = self.ups.iter().find(|up| up.slot == ask.slot && up.purpose != Purpose::Login) {
            let same = up.purpose == ask.purpose && up.demand == ask.demand && up.about == ask.about;
            let wait = up.flight.wait();
            return if same { Step::Join(up.number, wait) } else { Step::Await(up.number, wait) };
        }
        match self.speaks_against(ask, &held, now) {
            Some(ended) => Step::End(ended),
            None => Step::Start(self.start(ask.clone(), held)),
        }
    }

    /// Whether what is held now is what is asked for.
    fn answers(held: &Held<C, D>, ask: &FlightRequest<D, K>) -> bool {
        match ask.purpose {
            Purpose::Initial => held.stage != Stage::New,
            Purpose::Renew | Purpose::Login => {
                held.stage == Stage::Open
                    && held.generation > ask.generation
                    && (ask.demand == D::default() || ask.demand == held.met)
            }
        }
    }

    /// Why no flight may start.
    fn speaks_against(
        &self,
        ask: &FlightRequest<D, K>,
        held: &Held<C, D>,
        now: impl Fn() -> SystemTime,
    ) -> Option<Ended<E>> {
        let slot = self.slots.get(&ask.slot);
        if let Some(ended) = slot.and_then(|slot| slot.remembered(ask, &now)) {
            return Some(ended);
        }
        if ask.slot != K::default()
            && let Some(ended) = self.streak.remembered(&now)
        {
            return Some(ended);
        }
        let age = |since: SystemTime| now().duration_since(since).unwrap_or(Duration::MAX);
        let got_for_it = |span| held.met == ask.demand && held.since.is_some_and(|since| age(since) < span);
        if !ask.starts || ask.once.is_some_and(got_for_it) {
            return Some(Ended::Rests);
        }
        if ask.purpose == Purpose::Initial {
            return None;
        }
        let spent =
            self.budget.rests(&now) || self.slots.get(&ask.slot.payer()).is_some_and(|slot| slot.budget.rests(&now));
        spent.then_some(Ended::Spent)
    }

    pub(super) fn start(&mut self, ask: FlightRequest<D, K>, held: Arc<Held<C, D>>) -> Start<C, E, D> {
        self.flights += 1;
        let flight = Flight::new();
        let wait = flight.wait();
        let FlightRequest { purpose, slot, epoch, demand, about, early, .. } = ask;
        self.ups.push(Up { number: self.flights, purpose, slot, demand, about, early, epoch, flight });
        Start { number: self.flights, wait, held }
    }

    pub(super) fn login_up(&self) -> Option<&Up<C, E, D, K>> {
        self.ups.iter().find(|up| up.purpose == Purpose::Login)
    }

    /// How many wait for the flight of that number, if it is still up.
    pub(crate) fn waiting(&self, number: u64) -> usize {
        self.ups.iter().find(|up| up.number == number).map_or(0, |up| up.flight.waiting())
    }

    pub(super) fn slot_mut(&mut self, key: &K) -> &mut Slot<C, E, D> {
        let ups = &self.ups;
        self.slots.get_mut(key, || ups.iter().map(|up| up.slot.clone()).collect())
    }

    pub(super) fn take(&mut self, number: u64) -> Option<Up<C, E, D, K>> {
        let at = self.ups.iter().position(|up| up.number == number)?;
        Some(self.ups.remove(at))
    }

    pub(super) fn change(&mut self, change: impl FnOnce(&mut Held<C, D>)) {
        self.slots.main.change(change);
        self.changed = true;
    }
}
