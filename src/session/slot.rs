//! What one slot of a session knows: the credential of one partition or resource, and the failed attempts to get a newer
//! one.

use std::time::{Duration, SystemTime};

use super::budget::Budget;
use super::flight_request::{FlightRequest, NoCredential, Purpose};
use super::sync::Arc;

/// What a slot holds: the credential of one generation, or none. Requests read it without a lock.
#[derive(Clone, Debug)]
pub(crate) struct Held<C, D> {
    /// The number of the identity. A successful login and a logout begin a new one.
    pub(crate) epoch: u64,
    /// The number of the credential. It increases over all epochs and slots of the session. Zero if there was none yet.
    pub(crate) generation: u64,
    pub(crate) stage: Stage,
    pub(crate) credential: Option<C>,
    pub(crate) renew_at: RenewalTimes,
    /// The demand for which this credential was obtained.
    pub(crate) met_demand: D,
    /// When a refresh or a login obtained this credential. `None` for an initial credential.
    pub(crate) obtained_at: Option<SystemTime>,
    /// How many flights had failed when this was published. A request that saw fewer was signed before the last
    /// failure.
    pub(crate) failures: u64,
}

/// From when on a credential is renewed. `None` means never, or only after a 401.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RenewalTimes {
    /// From this time on the credential is renewed before it is sent.
    pub(crate) before_send: Option<SystemTime>,
    /// From this time on the credential is renewed in the background, if the caller enabled that.
    pub(crate) in_background: Option<SystemTime>,
}

/// What a caller does before it sends a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The caller requests an initial credential, because the refresher was not called for one yet.
    New,
    /// The caller sends the request with the held credential, or without a credential if none is held.
    Ready,
    /// The caller renews first, because the credential is known to be invalid.
    Invalid,
    /// The caller sends no credential, and requests none until the next login.
    LoggedOut,
}

impl<C, D: Default> Held<C, D> {
    /// No credential, in this epoch.
    pub(crate) fn empty(epoch: u64, stage: Stage, failures: u64) -> Self {
        Self {
            epoch,
            generation: 0,
            stage,
            credential: None,
            renew_at: RenewalTimes::default(),
            met_demand: D::default(),
            obtained_at: None,
            failures,
        }
    }
}

/// For how long a failure is shared with requests that were signed before it. Requests that run at the same time are
/// signed within a shorter time.
const SHARED_FAILURE_SPAN: Duration = Duration::from_secs(60);
/// How many failures a slot remembers. A hostile server can send many different challenges.
const MAX_FAILURES: usize = 16;
/// How many older credentials a slot keeps, each for a demand that the newest one does not meet.
const MAX_KEPT: usize = 8;

/// A failed refresh.
pub(crate) struct Failure<E, D> {
    pub(crate) purpose: Purpose,
    pub(crate) demand: D,
    pub(crate) question_id: u64,
    /// Whether the failure is the result of every request for this slot with the same demand, whatever its question
    /// is.
    pub(crate) is_for_slot: bool,
    /// The place of the failure in the count of all failures of the session.
    pub(crate) number: u64,
    pub(crate) reason: NoCredential<E>,
    pub(crate) since: SystemTime,
    /// For how long after `since` the failure is the result of further requests.
    pub(crate) span: Duration,
}

pub(crate) struct Slot<C, E, D> {
    pub(crate) held: Arc<Held<C, D>>,
    /// Older credentials that meet other demands than the newest one.
    kept: Vec<Arc<Held<C, D>>>,
    failures: Vec<Failure<E, D>>,
    pub(crate) budget: Budget,
    /// The generation whose refusal was counted last. A thousand requests with one credential count once. Each slot has its own,
    /// because a server can refuse the credentials of several slots in any order.
    last_counted: u64,
    /// When the slot was last used, as a counter.
    pub(crate) last_use: u64,
}

impl<C: Clone, E: Clone, D: Clone + PartialEq + Default> Slot<C, E, D> {
    pub(crate) fn new(held: Arc<Held<C, D>>) -> Self {
        Self { held, kept: Vec::new(), failures: Vec::new(), budget: Budget::default(), last_counted: 0, last_use: 0 }
    }

    pub(crate) fn change(&mut self, change: impl FnOnce(&mut Held<C, D>)) {
        let mut held = Held::clone(&self.held);
        change(&mut held);
        self.held = Arc::new(held);
    }

    /// Holds a newer credential. An older one of the same identity that meets another demand is kept.
    pub(crate) fn hold(&mut self, newer: Held<C, D>) {
        let older = std::mem::replace(&mut self.held, Arc::new(newer));
        let Held { met_demand, epoch, .. } = &*self.held;
        // A credential of another identity meets no demand of this one.
        self.kept.retain(|kept| kept.met_demand != *met_demand && kept.epoch == *epoch);
        let is_valid = older.credential.is_some() && older.stage == Stage::Ready && older.epoch == *epoch;
        if is_valid && older.met_demand != D::default() && older.met_demand != *met_demand {
            if self.kept.len() == MAX_KEPT {
                self.kept.remove(0);
            }
            self.kept.push(older);
        }
        self.failures.clear();
    }

    /// A kept credential for this demand that was not refused for this request.
    pub(crate) fn kept_for(&self, request: &FlightRequest<D, impl Sized>, now: SystemTime) -> Option<Arc<Held<C, D>>> {
        let meets =
            |kept: &&Arc<Held<C, D>>| kept.met_demand == request.demand && kept.generation != request.generation;
        let found = self.kept.iter().rfind(meets)?;
        found.renew_at.before_send.is_none_or(|time| now < time).then(|| found.clone())
    }

    /// Every credential of the slot: the newest, if there is one, and those that are kept.
    pub(crate) fn credentials(&self) -> impl Iterator<Item = Option<C>> {
        std::iter::once(&self.held).chain(&self.kept).map(|held| held.credential.clone())
    }

    pub(crate) fn has_kept(&self) -> bool {
        !self.kept.is_empty()
    }

    /// Drops a kept credential that the server refused. Returns whether it was kept.
    pub(crate) fn drop_kept(&mut self, generation: u64) -> bool {
        let before = self.kept.len();
        self.kept.retain(|kept| kept.generation != generation);
        self.kept.len() < before
    }

    /// Whether a refusal of the held credential counts: a refresh obtained it, and no refusal of it was counted.
    pub(crate) fn is_refusal_new(&mut self) -> bool {
        let generation = self.held.generation;
        self.held.obtained_at.is_some() && std::mem::replace(&mut self.last_counted, generation) != generation
    }

    pub(crate) fn remember(&mut self, failure: Failure<E, D>) {
        self.failures.retain(|other| {
            (other.purpose, other.question_id) != (failure.purpose, failure.question_id)
                || other.demand != failure.demand
        });
        if self.failures.len() == MAX_FAILURES {
            self.failures.remove(0);
        }
        self.failures.push(failure);
    }

    pub(crate) fn clear_failures(&mut self) {
        self.failures.clear();
        self.budget.clear();
    }

    /// The remembered failure that is the result of this request, if there is one.
    pub(crate) fn remembered(
        &self,
        request: &FlightRequest<D, impl Sized>,
        now: impl Fn() -> SystemTime,
    ) -> Option<NoCredential<E>> {
        if self.failures.is_empty() {
            return None;
        }
        let now = now();
        // If the clock was set back, both spans end: a failure must not last for as long as the clock is wrong.
        let age = |failure: &Failure<E, D>| now.duration_since(failure.since).unwrap_or(Duration::MAX);
        // A request that was signed before the failure shares it, as if the request had waited for that flight.
        let lasts = |failure: &&Failure<E, D>| {
            let shared = if request.failures < failure.number { SHARED_FAILURE_SPAN } else { Duration::ZERO };
            age(failure) < failure.span.max(shared)
        };
        let is_same = |failure: &&Failure<E, D>| {
            failure.purpose == request.purpose
                && failure.demand == request.demand
                && (failure.is_for_slot || failure.question_id == request.question_id)
        };
        let found = self.failures.iter().rev().find(|failure| is_same(failure) && lasts(failure));
        // If a server sends a new question each time, no remembered failure belongs to it. So after many failures,
        // the last one is the result of every request.
        let of_many = || {
            let is_full = self.failures.len() == MAX_FAILURES;
            let all_last = is_full && self.failures.iter().all(|failure| age(failure) < failure.span);
            self.failures.last().filter(|_| all_last)
        };
        found.or_else(of_many).map(|failure| failure.reason.clone())
    }
}
