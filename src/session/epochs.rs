//! Logins, logouts and invalidations: which identity is logged in, and which credential is invalid.

use super::flight_request::{Ended, FlightRequest, Purpose};
use super::slot::{Held, Slot, Stage};
use super::slots::Key;
use super::state::State;
use super::step::Step;

impl<C: Clone, E: Clone, D: Clone + PartialEq + Default, K: Key> State<C, E, D, K> {
    /// Starts a flight for the first credential of a new epoch, or joins the login in progress. Until it ends, the held
    /// credential stays and is renewed as before.
    pub(crate) fn login(&mut self) -> Step<C, E, D> {
        if let Some(login) = self.login_up() {
            return Step::Join(login.number, login.flight.wait());
        }
        self.forget_failures();
        if !self.identified {
            // There is no identity to keep. From now on, requests without a credential belong to the new epoch.
            self.end_epoch(&Ended::SessionChanged);
            self.change(|held| held.epoch += 1);
        }
        let held = self.slots.main.held.clone();
        let ask = FlightRequest {
            purpose: Purpose::Login,
            slot: K::default(),
            epoch: held.epoch + u64::from(self.identified),
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
        self.streak.clear();
        self.slots.all().for_each(Slot::forget_failures);
    }

    /// Begins a new epoch without a credential, in which the refresher is not asked. Returns the former credentials,
    /// the main one first, or `None` if the session was logged out already.
    pub(crate) fn logout(&mut self) -> Option<Vec<Option<C>>> {
        if self.slots.main.held.stage == Stage::LoggedOut && self.ups.is_empty() {
            return None;
        }
        let mut held: Vec<_> = self.slots.all().flat_map(|slot| slot.credentials()).collect();
        let mut first = true;
        // The main slot is listed even if it is empty, so that the refresher is always told of a logout.
        held.retain(|credential| std::mem::take(&mut first) || credential.is_some());
        self.end_epoch(&Ended::LoggedOut);
        let epoch = self.slots.main.held.epoch + 1;
        self.slots.main.hold(Held::empty(epoch, Stage::LoggedOut, self.failures));
        self.changed = true;
        self.identified = false;
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
        let marked = self.slots.all().find(is_it).map(|slot| slot.change(|held| held.stage = Stage::Stale)).is_some();
        self.changed |= marked;
        let found = marked || self.drop_kept(generation);
        if found && by_caller {
            self.forget_failures();
        }
        found
    }

    /// Drops a credential that is kept for a demand.
    pub(crate) fn drop_kept(&mut self, generation: u64) -> bool {
        self.slots.all().any(|slot| slot.has_kept() && slot.drop_kept(generation))
    }

    /// Ends all flights and removes all slots except the main one.
    pub(super) fn end_epoch(&mut self, ended: &Ended<E>) {
        self.forget_failures();
        self.slots.forget_others();
        let ups = std::mem::take(&mut self.ups);
        self.ended.extend(ups.into_iter().map(|up| (up.flight, Err(ended.clone()))));
    }
}
