//! What the state of a session tells a caller or a refresher to do next.

use super::flight::Wait;
use super::flight_request::NoCredential;
use super::slot::Held;
use super::sync::Arc;

/// How a flight ends for all callers that wait for it.
pub(crate) type Outcome<C, E, D> = Result<Arc<Held<C, D>>, NoCredential<E>>;

/// What a caller does about its request for a credential.
pub(crate) enum Step<C, E, D> {
    /// Use this credential. The session holds it already.
    Use(Arc<Held<C, D>>),
    /// Wait for the flight of this number. It is for the same question, so its outcome is the result of the request.
    Join(u64, Wait<Outcome<C, E, D>>),
    /// Wait for the flight of this number, which is for another question of the same slot. Then request again.
    Await(u64, Wait<Outcome<C, E, D>>),
    /// Start this flight and wait for it.
    Start(Start<C, E, D>),
    /// There is no credential.
    Refuse(NoCredential<E>),
}

/// A flight that the caller must start.
pub(crate) struct Start<C, E, D> {
    pub(crate) number: u64,
    pub(crate) wait: Wait<Outcome<C, E, D>>,
    /// What the session holds during the flight.
    pub(crate) held: Arc<Held<C, D>>,
}

/// A flight, and the epoch in which it started.
#[derive(Clone, Copy)]
pub(crate) struct FlightId {
    pub(crate) number: u64,
    pub(crate) epoch: u64,
}

/// What became of the credential that a flight obtained.
pub(crate) enum Completion<C> {
    /// The session holds it.
    Held,
    /// A logout has ended its epoch, so the refresher must forget this credential.
    Forget(C),
    /// The flight had ended before, so the credential is dropped.
    Dropped,
}
