//! What one session knows, and what a caller does next: decisions alone, made under one lock, without waiting for
//! anything. It knows no HTTP, no runtime and no clock.

use std::time::{Duration, SystemTime};

use super::ask::{Ask, Ended, Landed, Outcome, Purpose, Rest, Start, Step};
use super::budget::{Budget, FEW, MANY};
use super::flight::Flight;
use super::slot::{Failure, Held, Slot, Stage};
use super::slots::{Key, Slots};
use super::sync::Arc;

struct Up<C, E, D, K> {
    number: u64,
    purpose: Purpose,
    slot: K,
    demand: D,
    about: u64,
    early: bool,
    /// The epoch of the credential that the flight will bring.
    epoch: u64,
    flight: Arc<Flight<Outcome<C, E, D>>>,
}

/// A flight that has ended, and its outcome.
type Landing<C, E, D> = (Arc<Flight<Outcome<C, E, D>>>, Outcome<C, E, D>);

pub(crate) struct State<C, E, D, K> {
    slots: Slots<C, E, D, K>,
    /// At most one per slot, and one login.
    ups: Vec<Up<C, E, D, K>>,
    flights: u64,
    failures: u64,
    generations: u64,
    /// The budget over all slots.
    budget: Budget,
    /// The epoch that the last logout began: what was asked for in an earlier one is forgotten when it comes.
    logout: u64,
    /// Whether the main slot has changed since it was last published.
    changed: bool,
    /// Ended flights whose waiters are not told yet. They are told after the state is published and its lock is free.
    ended: Vec<Landing<C, E, D>>,
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
            logout: 0,
            changed: false,
            ended: Vec::new(),
        }
    }

    /// Holds an initial credential, so that the refresher is not asked for one.
    pub(crate) fn begin(&mut self, credential: C, due: [Option<SystemTime>; 2]) {
        self.generations += 1;
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

    pub(crate) fn next(&mut self, ask: &Ask<D, K>, now: impl Fn() -> SystemTime) -> Step<C, E, D> {
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
    fn answers(held: &Held<C, D>, ask: &Ask<D, K>) -> bool {
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
    fn speaks_against(&self, ask: &Ask<D, K>, held: &Held<C, D>, now: impl Fn() -> SystemTime) -> Option<Ended<E>> {
        let slot = self.slots.get(&ask.slot);
        if let Some(ended) = slot.and_then(|slot| slot.remembered(ask, &now)) {
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

    fn start(&mut self, ask: Ask<D, K>, held: Arc<Held<C, D>>) -> Start<C, E, D> {
        self.flights += 1;
        let flight = Flight::new();
        let wait = flight.wait();
        let Ask { purpose, slot, epoch, demand, about, early, .. } = ask;
        self.ups.push(Up { number: self.flights, purpose, slot, demand, about, early, epoch, flight });
        Start { number: self.flights, wait, held }
    }

    fn login_up(&self) -> Option<&Up<C, E, D, K>> {
        self.ups.iter().find(|up| up.purpose == Purpose::Login)
    }

    /// How many wait for the flight of that number, if it is still up.
    pub(crate) fn waiting(&self, number: u64) -> usize {
        self.ups.iter().find(|up| up.number == number).map_or(0, |up| up.flight.waiting())
    }

    fn take(&mut self, number: u64) -> Option<Up<C, E, D, K>> {
        let at = self.ups.iter().position(|up| up.number == number)?;
        Some(self.ups.remove(at))
    }

    /// Ends the flight of that number and epoch with a credential. `due` holds the times from which it is renewed
    /// before a send, and in the background. `since` is the time at which the refresher returned it.
    pub(crate) fn land(
        &mut self,
        (number, epoch): (u64, u64),
        credential: C,
        due: [Option<SystemTime>; 2],
        since: SystemTime,
    ) -> Landed<C> {
        let Some(up) = self.take(number) else {
            return if epoch < self.logout { Landed::Forget(credential) } else { Landed::Dropped };
        };
        if up.purpose == Purpose::Login {
            self.end_epoch(&Ended::SessionChanged);
        }
        self.generations += 1;
        let main = &self.slots.main.held;
        let held = Held {
            epoch: up.epoch,
            generation: self.generations,
            stage: Stage::Open,
            credential: Some(credential),
            renew_at: due[0],
            ahead_at: due[1],
            met: up.demand,
            since: (up.purpose != Purpose::Initial).then_some(since),
            failures: main.failures,
        };
        let ups = &self.ups;
        let slot = self.slots.get_mut(&up.slot, |key| ups.iter().any(|up| up.slot == *key));
        slot.hold(held);
        let held = slot.held.clone();
        self.changed |= up.slot == K::default();
        self.ended.push((up.flight, Ok(held)));
        Landed::Kept
    }

    /// Ends the first flight of an epoch, whose refresher has nothing to begin with.
    pub(crate) fn land_empty(&mut self, number: u64) {
        if let Some(up) = self.take(number) {
            self.change(|held| held.stage = Stage::Open);
            self.ended.push((up.flight, Ok(self.slots.main.held.clone())));
        }
    }

    /// Ends the flight of that number with a failure, which is remembered for the given time: for every question about
    /// the slot, or for this question alone.
    pub(crate) fn fail(&mut self, number: u64, ended: Ended<E>, since: SystemTime, rest: Rest) {
        let Some(up) = self.take(number) else { return };
        self.failures += 1;
        let number = self.failures;
        self.change(|held| held.failures = number);
        self.ended.push((up.flight, Err(ended.clone())));
        let is_login = up.purpose == Purpose::Login;
        // A failed login says nothing about the identity that is held.
        if is_login && self.slots.main.held.credential.is_some() {
            return;
        }
        let purpose = if is_login { Purpose::Renew } else { up.purpose };
        let Up { demand, about, slot, early, .. } = up;
        let (span, whole) = (if early { rest.early.max(rest.span) } else { rest.span }, rest.whole || is_login);
        let ups = &self.ups;
        let slot = self.slots.get_mut(&slot, |key| ups.iter().any(|up| up.slot == *key));
        slot.change(|held| held.failures = number);
        slot.remember(Failure { purpose, demand, about, whole, number, ended, since, rest: span });
    }

    /// Ends the flight of that number without a shared outcome: its waiters ask again.
    pub(crate) fn lose(&mut self, number: u64, ended: Ended<E>) {
        if let Some(up) = self.take(number) {
            self.ended.push((up.flight, Err(ended)));
        }
    }

    /// Starts a flight for the first credential of a new epoch, or joins the login in progress. Until it ends, the held
    /// credential stays and is renewed as before.
    pub(crate) fn login(&mut self) -> Step<C, E, D> {
        if let Some(login) = self.login_up() {
            return Step::Join(login.number, login.flight.wait());
        }
        self.forget_failures();
        if self.slots.main.held.credential.is_none() {
            // There is no identity to keep. From now on, requests without a credential belong to the new epoch.
            self.end_epoch(&Ended::SessionChanged);
            self.change(|held| held.epoch += 1);
        }
        let held = self.slots.main.held.clone();
        let ask = Ask {
            purpose: Purpose::Login,
            slot: K::default(),
            epoch: held.epoch + u64::from(held.credential.is_some()),
            generation: held.generation,
            failures: held.failures,
            demand: D::default(),
            about: 0,
            bare: false,
            early: false,
            starts: true,
            once: None,
        };
        Step::Start(self.start(ask, held))
    }

    fn forget_failures(&mut self) {
        self.budget.clear();
        self.slots.all().for_each(Slot::forget_failures);
    }

    /// Begins a new epoch without a credential, in which the refresher is not asked. Returns the former credentials,
    /// the main one first, or `None` if the session was logged out already.
    pub(crate) fn logout(&mut self) -> Option<Vec<Option<C>>> {
        if self.slots.main.held.stage == Stage::LoggedOut && self.ups.is_empty() {
            return None;
        }
        let mut held: Vec<_> = self.slots.all().map(|slot| slot.held.credential.clone()).collect();
        let mut first = true;
        // The main slot is listed even if it is empty, so that the refresher is always told of a logout.
        held.retain(|credential| std::mem::take(&mut first) || credential.is_some());
        self.end_epoch(&Ended::LoggedOut);
        let epoch = self.slots.main.held.epoch + 1;
        self.slots.main.hold(Held::empty(epoch, Stage::LoggedOut, self.failures));
        self.changed = true;
        self.logout = epoch;
        Some(held)
    }

    /// Marks the credential of that generation as invalid, if it is still held. If the caller asks for that, remembered
    /// failures are cleared.
    pub(crate) fn invalidate(&mut self, epoch: u64, generation: u64, by_caller: bool) -> bool {
        if self.slots.main.held.epoch != epoch {
            return false;
        }
        let is_it = |slot: &&mut Slot<C, E, D>| {
            let held = &slot.held;
            held.generation == generation && held.stage == Stage::Open && held.credential.is_some()
        };
        let Some(slot) = self.slots.all().find(is_it) else {
            return self.drop_kept(generation);
        };
        slot.change(|held| held.stage = Stage::Stale);
        self.changed = true;
        if by_caller {
            self.forget_failures();
        }
        true
    }

    /// Drops the credential of that generation if its slot keeps it beside the newest one, because it is no longer valid.
    pub(crate) fn drop_kept(&mut self, generation: u64) -> bool {
        self.slots.all().any(|slot| slot.has_kept() && slot.drop_kept(generation))
    }

    /// The server refused the credential of that generation. If a refresh brought it, this counts against the budgets
    /// of its slot and of the session.
    pub(crate) fn refused(&mut self, epoch: u64, generation: u64, now: SystemTime) {
        if self.slots.main.held.epoch != epoch || generation == 0 || self.drop_kept(generation) {
            return;
        }
        let holder = self.slots.holder(generation).filter(|(_, slot)| slot.held.since.is_some());
        if let Some(payer) = holder.map(|(key, _)| key.payer()) {
            self.budget.refused(generation, MANY, now);
            self.slots.get_mut(&payer, |_| false).budget.refused(generation, FEW, now);
        }
    }

    /// The refresher of that flight returned the credential that was refused.
    pub(crate) fn count_unchanged(&mut self, number: u64, now: SystemTime) {
        let Some(payer) = self.ups.iter().find(|up| up.number == number).map(|up| up.slot.payer()) else { return };
        self.generations += 1;
        self.budget.refused(self.generations, MANY, now);
        let generation = self.generations;
        self.slots.get_mut(&payer, |_| false).budget.refused(generation, FEW, now);
    }

    /// The server accepted the credential of that generation: its slot and the session may refresh again.
    pub(crate) fn accepted(&mut self, generation: u64) {
        self.budget.clear();
        if let Some(payer) = self.slots.holder(generation).map(|(key, _)| key.payer()) {
            self.slots.get_mut(&payer, |_| false).budget.clear();
        }
    }

    /// Ends all flights and removes all slots except the main one.
    fn end_epoch(&mut self, ended: &Ended<E>) {
        self.forget_failures();
        self.slots.forget_others();
        let ups = std::mem::take(&mut self.ups);
        self.ended.extend(ups.into_iter().map(|up| (up.flight, Err(ended.clone()))));
    }

    fn change(&mut self, change: impl FnOnce(&mut Held<C, D>)) {
        self.slots.main.change(change);
        self.changed = true;
    }
}
