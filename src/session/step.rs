//! What the state of a session answers.

use super::flight::Wait;
use super::flight_request::Ended;
use super::slot::Held;
use super::sync::Arc;

pub(crate) type Outcome<C, E, D> = Result<Arc<Held<C, D>>, Ended<E>>;

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

/// What happened to the result of a flight.
pub(crate) enum Landed<C> {
    Kept,
    /// The result came too late, and the refresher must forget this credential.
    Forget(C),
    /// The result came too late.
    Dropped,
}
