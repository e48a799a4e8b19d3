//! What a caller asks of a session's state, and the answer.

use std::time::Duration;

use super::flight::Wait;
use super::slot::Held;
use super::sync::Arc;

/// Why a flight ended without a credential, or why no flight started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ended<E> {
    Declined,
    Failed(E),
    /// The refresher returned the credential that was refused.
    Unchanged,
    /// A login ended during the flight.
    SessionChanged,
    LoggedOut,
    /// No flight starts for this question now, because the newest credential was refused for it a moment ago.
    Rests,
    /// No flight starts now, because the server refused several new credentials in a row.
    Spent,
}

pub(crate) type Outcome<C, E, D> = Result<Arc<Held<C, D>>, Ended<E>>;

/// What a caller asks for, and what it knew of the session when it was refused.
#[derive(Clone, Debug)]
pub(crate) struct FlightRequest<D, K> {
    pub(crate) purpose: Purpose,
    pub(crate) slot: K,
    pub(crate) epoch: u64,
    /// Zero if the request carried no credential of this slot.
    pub(crate) generation: u64,
    pub(crate) failures: u64,
    pub(crate) demand: D,
    /// Distinguishes questions: a hash of what the challenges are about.
    pub(crate) about: u64,
    /// Whether the request carried no credential, so that a pending login is its answer.
    pub(crate) bare: bool,
    /// Whether the held credential is still valid. Then every failure is remembered for a while.
    pub(crate) early: bool,
    /// Whether a flight may start.
    pub(crate) starts: bool,
    /// For how long a credential that was obtained for this demand is not renewed for the same demand.
    pub(crate) once: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Asks for the credential that exists before the server has refused anything.
    Initial,
    Renew,
    /// The caller asked for another identity, or for the same one again.
    Login,
}

/// What to do about a request for a credential.
pub(crate) enum Step<C, E, D> {
    /// A credential is already held.
    Take(Arc<Held<C, D>>),
    /// A flight for the same question is in progress: its outcome is the answer.
    Join(u64, Wait<Outcome<C, E, D>>),
    /// Another flight of the slot is in progress: wait for its end, then ask again.
    Await(u64, Wait<Outcome<C, E, D>>),
    /// No flight is in progress: the caller starts this one and waits for it.
    Start(Start<C, E, D>),
    /// The answer is known.
    End(Ended<E>),
}

/// A flight that the caller must start.
pub(crate) struct Start<C, E, D> {
    pub(crate) number: u64,
    pub(crate) wait: Wait<Outcome<C, E, D>>,
    /// What is held during the flight.
    pub(crate) held: Arc<Held<C, D>>,
}

/// For how long a failure answers the same question.
#[derive(Clone, Copy)]
pub(crate) struct Rest {
    pub(crate) span: Duration,
    /// The same, if the held credential is still valid.
    pub(crate) early: Duration,
    /// Whether the failure answers every question about the slot with the same demand, whatever the challenges say.
    pub(crate) whole: bool,
}

/// What happened to the result of a flight.
pub(crate) enum Landed<C> {
    Kept,
    /// The result came too late, and the refresher must forget this credential.
    Forget(C),
    /// The result came too late.
    Dropped,
}
