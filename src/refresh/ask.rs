//! What a caller asks of a session's state, and what it is told.

use std::time::Duration;

use super::flight::Wait;
use super::slot::Held;
use super::sync::Arc;

/// Why a flight ended without a credential, or why there was none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ended<E> {
    Declined,
    Failed(E),
    /// The refresher gave the very credential that was refused.
    Unchanged,
    /// A login ended while it was up.
    SessionChanged,
    LoggedOut,
    /// No flight starts for this question now: the newest credential was refused for it a moment ago.
    Rests,
    /// No flight starts now: the server refused several new credentials in a row.
    Spent,
}

pub(crate) type Outcome<C, E, D> = Result<Arc<Held<C, D>>, Ended<E>>;

/// What a caller wants, and what it had seen when it was refused.
#[derive(Clone, Debug)]
pub(crate) struct Ask<D, K> {
    pub(crate) purpose: Purpose,
    pub(crate) slot: K,
    pub(crate) epoch: u64,
    /// Zero, if the request carried no credential of this slot.
    pub(crate) generation: u64,
    pub(crate) failures: u64,
    pub(crate) demand: D,
    /// Tells questions apart: what the challenges are about.
    pub(crate) about: u64,
    /// Whether the request carried no credential at all, so that a pending login is its answer.
    pub(crate) bare: bool,
    /// Whether what is held still serves, so that a failure can rest.
    pub(crate) early: bool,
    /// Whether a flight may start.
    pub(crate) starts: bool,
    /// A credential that was got for this demand is not renewed for the same demand for that long.
    pub(crate) once: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// What there is before the server has refused anything.
    Initial,
    Renew,
    /// The caller asked for another identity, or for the same again.
    Login,
}

/// What to do about an ask.
pub(crate) enum Step<C, E, D> {
    /// There is one already.
    Take(Arc<Held<C, D>>),
    /// A flight for the same is up: its outcome is the answer.
    Join(u64, Wait<Outcome<C, E, D>>),
    /// Another flight of the slot is up: wait for its end, then ask again.
    Await(u64, Wait<Outcome<C, E, D>>),
    /// Nothing is up: the caller starts the flight of this number, and waits for it.
    Start(Start<C, E, D>),
    /// The answer is known.
    End(Ended<E>),
}

/// A flight that is to be started.
pub(crate) struct Start<C, E, D> {
    pub(crate) number: u64,
    pub(crate) wait: Wait<Outcome<C, E, D>>,
    /// What is held while it is up.
    pub(crate) held: Arc<Held<C, D>>,
}

/// How long a failure answers the same question.
#[derive(Clone, Copy)]
pub(crate) struct Rest {
    pub(crate) span: Duration,
    /// The same, if what is held still serves.
    pub(crate) early: Duration,
    /// Whether it answers every question about the slot with the same demand, whatever the challenges say.
    pub(crate) whole: bool,
}

/// What became of a result.
pub(crate) enum Landed<C> {
    Kept,
    /// It came too late, and this is to be forgotten at its source.
    Forget(C),
    /// It came too late.
    Dropped,
}
