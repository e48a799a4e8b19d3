//! Changes which identity is logged in (login and logout), and marks credentials as invalid.

use super::flight_request::{FlightRequest, NoCredential, Purpose};
use super::slot::{Held, Slot, Stage};
use super::slots::Key;
use super::state::State;
use super::step::Step;

impl<C: Clone, E: Clone, D: Clone + PartialEq + Default, K: Key> State<C, E, D, K> {
    /// Starts a flight for the first credential of a new epoch, or joins the login in progress. Until that flight ends, the
    /// held credential stays and is renewed as before.
    pub(crate) fn login(&mut self) -> Step<C, E, D> {
        if let Some(login) = self.active.login() {
            return Step::Join(login.number, login.shared.wait());
        }
        self.clear_failures();
        if !self.has_identity {
            // No identity is logged in, so the session has no identity to keep until the login ends. The new epoch
            // begins now, and requests that are sent without a credential belong to it.
            self.end_epoch(&NoCredential::SessionChanged);
            self.change(|held| held.epoch += 1);
        }
        let held = self.slots.main.held.clone();
        let request = FlightRequest {
            purpose: Purpose::Login,
            slot: K::default(),
            epoch: held.epoch + u64::from(self.has_identity),
            generation: held.generation,
            failures: held.failures,
            demand: D::default(),
            question_id: 0,
            is_unsigned: false,
            is_early: false,
            may_start: true,
            min_age: None,
        };
        Step::Start(self.start(request, held))
    }

    fn clear_failures(&mut self) {
        self.budget.clear();
        self.streak.clear();
        self.slots.all().for_each(Slot::clear_failures);
    }

    /// Begins a new epoch without a credential, in which the refresher is not called. Returns the former credentials
    /// with their slots, the main one first, or `None` if the session was logged out already.
    pub(crate) fn logout(&mut self) -> Option<Vec<(K, Option<C>)>> {
        if self.slots.main.held.stage == Stage::LoggedOut && self.active.is_empty() {
            return None;
        }
        let mut former: Vec<_> = self
            .slots
            .all_with_keys()
            .flat_map(|(key, slot)| slot.credentials().map(move |credential| (key.clone(), credential)))
            .collect();
        let mut is_main = true;
        // The main slot is listed even if it is empty, so that every logout calls the refresher.
        former.retain(|(_, credential)| std::mem::take(&mut is_main) || credential.is_some());
        self.end_epoch(&NoCredential::LoggedOut);
        let epoch = self.slots.main.held.epoch + 1;
        self.slots.main.hold(Held::empty(epoch, Stage::LoggedOut, self.failures));
        self.is_changed = true;
        self.has_identity = false;
        self.logout_epoch = epoch;
        Some(former)
    }

    /// Marks the credential of this generation as invalid, if it is still held. If the caller requests it, remembered
    /// failures are cleared too. Returns whether the credential was still held.
    pub(crate) fn invalidate(&mut self, epoch: u64, generation: u64, by_caller: bool) -> bool {
        if self.slots.main.held.epoch != epoch {
            return false;
        }
        let slot = self.slots.holder_mut(generation).filter(|slot| {
            let held = &slot.held;
            held.stage == Stage::Ready && held.credential.is_some()
        });
        let is_marked = slot.map(|slot| slot.change(|held| held.stage = Stage::Invalid)).is_some();
        self.is_changed |= is_marked;
        let was_held = is_marked || self.drop_kept(generation);
        if was_held && by_caller {
            self.clear_failures();
        }
        was_held
    }

    /// Drops the credential of this generation, if a slot keeps it for a demand. Returns whether one does.
    pub(crate) fn drop_kept(&mut self, generation: u64) -> bool {
        // Nearly every call has the newest credential of its slot, so the other slots are not searched.
        self.slots.holder(generation).is_none()
            && self.slots.all().any(|slot| slot.has_kept() && slot.drop_kept(generation))
    }

    /// Ends all flights and removes all slots except the main one.
    pub(super) fn end_epoch(&mut self, reason: &NoCredential<E>) {
        self.clear_failures();
        self.slots.remove_others();
        for flight in self.active.take_all() {
            self.end_flight(flight.shared, Err(reason.clone()));
        }
    }
}
