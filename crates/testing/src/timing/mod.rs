//! The order of events in a test, without sleeps.
//!
//! A [`Gate`] holds responses or refreshes back until the test opens it, so the test decides which of them overlap.
//! A [`ManualClock`] shows the time that the test sets, so a token expires without a wait. [`until`] lets other tasks run
//! until a condition is true. A gate and `until` fail the test after 30 seconds of real time, so a wrong test does not
//! hang.

mod gate;
mod manual_clock;
mod until;

pub use gate::Gate;
pub use manual_clock::ManualClock;
pub use until::until;
