//! The session: the credentials that all clones of one middleware share, and how they get newer ones.
//!
//! A call reads what its slot holds ([`Current`]) and signs its request with it. After a 401 it makes a [`RenewalRequest`].
//! `obtain` hands that to `state`, which decides under one lock: use a newer credential, join the flight in progress, start
//! one, or refuse ([`NoCredential`]). `flight` is the single flight, on which all callers of one refresh wait.
//!
//! The caller that starts a flight runs its `refresh_work`, which calls the refresher; `tasks` moves it to a task that
//! outlives the caller. The result returns to the state by `completion`: a `slot` holds the new credential or remembers the
//! failure, and every waiter gets the same outcome. `budget` and `streak` bound how many refreshes a server can cause.
//!
//! `skew` learns from the dates of responses how far the server's clock is from the session's clock; `dates` uses it.
//!
//! `identity` is login, logout and invalidation; `step_up` requests more scopes. [`Session`] is the public handle. `fresh` gives
//! credentials to clients other than the middleware. [`Event`]s report what happened, to the caller, to `trace` and to
//! `metrics`. `state` and the files that it uses know no HTTP and no runtime, so that a model checker runs them (`model/`).

mod accepted_generations;
mod active_flights;
mod flight_request;
mod step;
mod step_up;
mod budget;
mod call_error;
mod completion;
mod dates;
mod event;
mod flight;
mod fresh;
mod identity;
mod listeners;
#[cfg(feature = "metrics")]
mod metrics;
#[cfg(not(feature = "metrics"))]
#[path = "metrics_off.rs"]
mod metrics;
mod obtain;
mod operations;
mod refresh_work;
mod renewal_request;
mod renewal_times;
mod session;
mod session_core;
mod skew;
mod slot;
mod slots;
mod state;
mod streak;
mod sync;
mod task_list;
mod tasks;
#[cfg(feature = "tracing")]
mod trace;
#[cfg(not(feature = "tracing"))]
#[path = "trace_off.rs"]
mod trace;
mod types;
mod verdict;
mod wait_graph;

pub use event::{ChallengeDefect, Event, RefreshOutcome};
pub(crate) use flight::Flight;
pub(crate) use flight_request::NoCredential;
pub use fresh::Fresh;
pub(crate) use listeners::Listeners;
pub(crate) use metrics::count_call;
#[cfg(feature = "metrics")]
pub use metrics::describe_metrics;
pub(crate) use renewal_request::{Renewal, RenewalRequest};
pub use session::Session;
pub(crate) use session_core::{SessionConfig, SessionCore, Timing};
pub(crate) use slot::Stage;
pub(crate) use types::Current;
pub use verdict::Verdict;
