//! What a caller requests from the state of a session, and why the state may have no credential for it.

use std::time::Duration;

/// A request for a credential. It contains what was known of the session when the caller's HTTP request was signed.
#[derive(Clone, Debug)]
pub(crate) struct FlightRequest<D, K> {
    pub(crate) purpose: Purpose,
    pub(crate) slot: K,
    pub(crate) epoch: u64,
    /// The generation of the credential that the HTTP request carried. Zero if it carried none of this slot.
    pub(crate) generation: u64,
    /// How many flights had failed when the HTTP request was signed.
    pub(crate) failures: u64,
    pub(crate) demand: D,
    /// A hash of what the challenges are about. A remembered failure is the result only of requests with the same
    /// number.
    pub(crate) question_id: u64,
    /// Whether the HTTP request carried no credential. If so, this request waits for a pending login.
    pub(crate) is_unsigned: bool,
    /// Whether the held credential is still valid. If so, every failure is remembered for a while.
    pub(crate) is_early: bool,
    /// Whether a flight may start.
    pub(crate) may_start: bool,
    /// For how long a credential that was obtained for this demand is not renewed for the same demand.
    pub(crate) min_age: Option<Duration>,
}

/// What a flight is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To get the credential to send before a server has refused anything.
    Initial,
    /// To get a newer credential.
    Renew,
    /// To get the credential of another identity, or a new one of the same identity.
    Login,
}

/// Why the session gives no credential: a flight ended without one, or no flight started.
///
/// This is a type of the session alone. A call turns it into an `UnauthorizedReason` if a server sent a 401, and into
/// an `Error` (`Refresh` or `SessionEnded`) if nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoCredential<E> {
    /// The refresher has no credential for the request.
    Declined,
    /// The refresher failed.
    Failed(E),
    /// The refresher returned the credential that was refused.
    Unchanged,
    /// A new epoch began during the flight, or after the HTTP request was signed, because of a login.
    SessionChanged,
    /// The session is logged out.
    LoggedOut,
    /// No flight starts for this question now, because the newest credential was refused for it a moment ago.
    TooSoon,
    /// No flight starts now, because the server refused several new credentials in a row.
    BudgetExhausted,
}

/// For how long, and for which requests, a failure is remembered.
#[derive(Clone, Copy)]
pub(crate) struct FailureMemory {
    pub(crate) span: Duration,
    /// The time for which the failure is remembered if the held credential is still valid, unless `span` is longer.
    pub(crate) early_span: Duration,
    /// Whether the failure is the result of every request for the slot with the same demand, whatever its question
    /// is.
    pub(crate) is_for_slot: bool,
}
