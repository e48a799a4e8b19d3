//! TODO story of session.

mod flight_request;
mod step;
mod budget;
mod ended;
mod epochs;
mod event;
mod flight;
mod landing;
mod listeners;
mod requests;
mod session;
mod session_core;
mod slot;
mod slots;
mod state;
mod streak;
mod sync;
mod task_list;
mod tasks;
#[cfg(feature = "tracing")]
pub(crate) mod trace;
#[cfg(not(feature = "tracing"))]
#[path = "trace_off.rs"]
pub(crate) mod trace;
mod types;
mod waiting;
mod waits;
mod want;

pub use event::{Event, RefreshOutcome};
pub(crate) use flight_request::Ended;
pub(crate) use listeners::Listeners;
pub use session::Session;
pub(crate) use session_core::{Bounds, Core};
pub(crate) use slot::Stage;
pub(crate) use types::Current;
pub(crate) use want::{Renewal, RenewalRequest};
