//! TODO story of session.

mod ask;
mod budget;
mod ended;
mod epochs;
mod event;
mod flight;
mod landing;
mod session;
mod session_core;
mod slot;
mod slots;
mod state;
mod streak;
mod sync;
mod tasks;
#[cfg(feature = "tracing")]
pub(crate) mod trace;
#[cfg(not(feature = "tracing"))]
#[path = "trace_off.rs"]
pub(crate) mod trace;
mod waiting;
mod waits;
mod want;

pub(crate) use ask::Ended;
pub(crate) use event::Listeners;
pub use event::{Event, RefreshOutcome};
pub use session::Session;
pub(crate) use session_core::{Bounds, Core, Current};
pub(crate) use slot::Stage;
pub(crate) use want::{Renewal, RenewalRequest};
