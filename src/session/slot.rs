//! What one slot of a session knows: the credential of one partition or resource, and the failed attempts to get a
//! newer one.

use std::time::{Duration, SystemTime};

use super::budget::Budget;
use super::flight_request::{Ended, FlightRequest, Purpose};
use super::sync::Arc;

/// A credential of one generation, as every request sees it.
#[derive(Clone, Debug)]
pub(crate) struct Held<C, D> {
    /// The number of the identity. A successful login and a logout begin a new one.
    pub(crate) epoch: u64,
    /// The number of the credential. It increases over all epochs and slots of the session.
    pub(crate) generation: u64,
    pub(crate) stage: Stage,
    pub(crate) credential: Option<C>,
    /// From this time on it is renewed before it is sent.
    pub(crate) renew_at: Option<SystemTime>,
    /// From this time on it is renewed in the background, if the caller enabled that.
    pub(crate) ahead_at: Option<SystemTime>,
    /// The demand for which this credential was obtained, and when it was obtained.
    pub(crate) met: D,
    pub(crate) since: Option<SystemTime>,
    /// How many flights had failed when this was published. A request that saw fewer was signed before the last
    /// failure.
    pub(crate) failures: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The refresher was not asked for an initial credential yet.
    New,
    Open,
    /// The credential is known to be invalid: it is renewed before anything is sent.
    Stale,
    /// Nothing is asked for until the next login.
    LoggedOut,
}

impl<C, D: Default> Held<C, D> {
    /// No credential, in that epoch.
    pub(crate) fn empty(epoch: u64, stage: Stage, failures: u64) -> Self {
        Self {
            epoch,
            generation: 0,
            stage,
            credential: None,
            renew_at: None,
            ahead_at: None,
            met: D::default(),
            since: None,
            failures,
        }
    }
}

/// For how long a failure is shared with requests that were signed before it. Requests that run at the same time are
/// closer together than this.
const SHARED: Duration = Duration::from_secs(60);
/// How many failures a slot remembers. A hostile server can ask many different questions.
const FAILURES: usize = 16;
/// How many older credentials a slot keeps, each for a demand that the newest one does not meet.
const DEMANDS: usize = 8;

pub(crate) struct Failure<E, D> {
    pub(crate) purpose: Purpose,
    pub(crate) demand: D,
    pub(crate) about: u64,
    /// Whether the failure answers every question about this slot with the same demand, whatever the challenges say.
    pub(crate) whole: bool,
    pub(crate) number: u64,
    pub(crate) ended: Ended<E>,
    pub(crate) since: SystemTime,
    /// For how long after `since` the failure answers the same question.
    pub(crate) rest: Duration,
}

pub(crate) struct Slot<C, E, D> {
    pub(crate) held: Arc<Held<C, D>>,
    /// Older credentials that meet other demands than the newest one.
    kept: Vec<Arc<Held<C, D>>>,
    failures: Vec<Failure<E, D>>,
    pub(crate) budget: Budget,
    /// When the slot was last used, as a counter.
    pub(crate) used: u64,
}

impl<C: Clone, E: Clone, D: Clone + PartialEq + Default> Slot<C, E, D> {
    pub(crate) fn new(held: Arc<Held<C, D>>) -> Self {
        Self { held, kept: Vec::new(), failures: Vec::new(), budget: Budget::default(), used: 0 }
    }

    pub(crate) fn change(&mut self, change: impl FnOnce(&mut Held<C, D>)) {
        let mut held = Held::clone(&self.held);
        change(&mut held);
        self.held = Arc::new(held);
    }

    /// Holds a newer credential. An older one of the same identity that meets another demand is kept.
    pub(crate) fn hold(&mut self, newer: Held<C, D>) {
        let older = std::mem::replace(&mut self.held, Arc::new(newer));
        let Held { met, epoch, .. } = &*self.held;
        // What another identity had answers no demand of this one.
        self.kept.retain(|kept| kept.met != *met && kept.epoch == *epoch);
        let is_good = older.credential.is_some() && older.stage == Stage::Open && older.epoch == *epoch;
        if is_good && older.met != D::default() && older.met != *met {
            if self.kept.len() == DEMANDS {
                self.kept.remove(0);
            }
            self.kept.push(older);
        }
        self.failures.clear();
    }

    /// A kept credential for this demand that was not refused for this request.
    pub(crate) fn kept_for(&self, ask: &FlightRequest<D, impl Sized>, now: SystemTime) -> Option<Arc<Held<C, D>>> {
        let meets = |kept: &&Arc<Held<C, D>>| kept.met == ask.demand && kept.generation != ask.generation;
        let found = self.kept.iter().rfind(meets)?;
        found.renew_at.is_none_or(|time| now < time).then(|| found.clone())
    }

    /// Every credential of the slot: the newest, if there is one, and those that are kept.
    pub(crate) fn credentials(&self) -> impl Iterator<Item = Option<C>> {
        std::iter::once(&self.held).chain(&self.kept).map(|held| held.credential.clone())
    }

    pub(crate) fn has_kept(&self) -> bool {
        !self.kept.is_empty()
    }

    /// Drops a kept credential that the server refused.
    pub(crate) fn drop_kept(&mut self, generation: u64) -> bool {
        let before = self.kept.len();
        self.kept.retain(|kept| kept.generation != generation);
        self.kept.len() < before
    }

    pub(crate) fn remember(&mut self, failure: Failure<E, D>) {
        self.failures.retain(|other| {
            (other.purpose, other.about) != (failure.purpose, failure.about) || other.demand != failure.demand
        });
        if self.failures.len() == FAILURES {
            self.failures.remove(0);
        }
        self.failures.push(failure);
    }

    pub(crate) fn forget_failures(&mut self) {
        self.failures.clear();
        self.budget.clear();
    }

    /// The failure that answers the question, if it was asked a moment ago.
    pub(crate) fn remembered(
        &self,
        ask: &FlightRequest<D, impl Sized>,
        now: impl Fn() -> SystemTime,
    ) -> Option<Ended<E>> {
        if self.failures.is_empty() {
            return None;
        }
        let now = now();
        // If the clock was set back, both periods end: a failure must not last for as long as the clock is wrong.
        let age = |failure: &Failure<E, D>| now.duration_since(failure.since).unwrap_or(Duration::MAX);
        // A request that was signed before the failure shares it, as if the request had waited for that flight.
        let lasts = |failure: &&Failure<E, D>| {
            let shared = if ask.failures < failure.number { SHARED } else { Duration::ZERO };
            age(failure) < failure.rest.max(shared)
        };
        let same = |failure: &&Failure<E, D>| {
            failure.purpose == ask.purpose
                && failure.demand == ask.demand
                && (failure.whole || failure.about == ask.about)
        };
        let found = self.failures.iter().rev().find(|failure| same(failure) && lasts(failure));
        // A server that asks a new question each time gets the last failure once it has asked many.
        let flooded = || {
            let rests = |failure: &&Failure<E, D>| age(failure) < failure.rest;
            let all = self.failures.len() == FAILURES && self.failures.iter().all(|failure| rests(&failure));
            self.failures.last().filter(|_| all)
        };
        found.or_else(flooded).map(|failure| failure.ended.clone())
    }
}
