//! How flights end, and what the server says about the credentials that they brought.

use std::time::SystemTime;

use super::budget::{FEW, MANY};
use super::flight_request::{Ended, Purpose, Rest};
use super::slot::{Failure, Held, Stage};
use super::slots::Key;
use super::state::{State, Up};
use super::step::Landed;

impl<C: Clone, E: Clone, D: Clone + PartialEq + Default, K: Key> State<C, E, D, K> {
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
        let mut epoch = up.epoch;
        if up.purpose == Purpose::Login {
            self.end_epoch(&Ended::SessionChanged);
            // A credential that arrived while the login was pending, such as the first one, belongs to another identity.
            epoch = self.slots.main.held.epoch + u64::from(self.identified);
        }
        self.generations += 1;
        self.identified = true;
        self.streak.clear();
        let main = &self.slots.main.held;
        let held = Held {
            epoch,
            generation: self.generations,
            stage: Stage::Open,
            credential: Some(credential),
            renew_at: due[0],
            ahead_at: due[1],
            met: up.demand,
            since: (up.purpose != Purpose::Initial).then_some(since),
            failures: main.failures,
        };
        let slot = self.slot_mut(&up.slot);
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
        // A failed login says nothing about the held identity. A declined login had no challenge, so a 401 asks again.
        if is_login && (self.identified || matches!(ended, Ended::Declined)) {
            return;
        }
        let purpose = if is_login { Purpose::Renew } else { up.purpose };
        let Up { demand, about, slot, early, .. } = up;
        let (span, whole) = (if early { rest.early.max(rest.span) } else { rest.span }, rest.whole || is_login);
        if slot != K::default() && !span.is_zero() {
            self.streak.failed(ended.clone(), since, span);
        }
        let slot = self.slot_mut(&slot);
        slot.change(|held| held.failures = number);
        slot.remember(Failure { purpose, demand, about, whole, number, ended, since, rest: span });
    }

    /// Ends the flight of that number without a shared outcome: its waiters ask again.
    pub(crate) fn lose(&mut self, number: u64, ended: Ended<E>) {
        if let Some(up) = self.take(number) {
            self.ended.push((up.flight, Err(ended)));
        }
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
            self.slot_mut(&payer).budget.refused(generation, FEW, now);
        }
    }

    /// The refresher of that flight returned the credential that was refused.
    pub(crate) fn count_unchanged(&mut self, number: u64, now: SystemTime) {
        let Some(payer) = self.ups.iter().find(|up| up.number == number).map(|up| up.slot.payer()) else { return };
        self.generations += 1;
        self.budget.refused(self.generations, MANY, now);
        let generation = self.generations;
        self.slot_mut(&payer).budget.refused(generation, FEW, now);
    }

    /// The server accepted the credential of that generation: its slot and the session may refresh again.
    pub(crate) fn accepted(&mut self, generation: u64) {
        self.budget.clear();
        if let Some(payer) = self.slots.holder(generation).map(|(key, _)| key.payer()) {
            self.slot_mut(&payer).budget.clear();
        }
    }
}
