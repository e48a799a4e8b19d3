//! A refresher for tests.
//!
//! A [`RecordingRefresher`] records the context of each call, writes the refresh into a journal, waits at a gate, and
//! returns what the test configured.

mod recording_refresher;

pub use recording_refresher::RecordingRefresher;
