//! What a caller asks of the state of a session, and why there may be no credential.

use std::time::Duration;

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

/// For how long a failure answers the same question.
#[derive(Clone, Copy)]
pub(crate) struct Rest {
    pub(crate) span: Duration,
    /// The same, if the held credential is still valid.
    pub(crate) early: Duration,
    /// Whether the failure answers every question about the slot with the same demand, whatever the challenges say.
    pub(crate) whole: bool,
}
