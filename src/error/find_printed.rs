//! Finds a `RefreshError` inside an error that prints it but does not return it as its `source()`. An example is a variant
//! with `#[error("it failed: {0}")]` in an enum of `thiserror`.
//!
//! The error is printed into nothing while this thread records the first `RefreshError` whose `Display` runs.

use std::cell::RefCell;
use std::error::Error as StdError;
use std::fmt::{self, Write};
use std::sync::Arc;

use super::chain;
use super::refresh_error_kind::RefreshErrorKind;

/// The cause of a `RefreshError`.
pub(super) type Source = Arc<dyn StdError + Send + Sync>;

/// The parts of a `RefreshError`.
pub(super) struct Parts {
    pub(super) kind: RefreshErrorKind,
    pub(super) source: Option<Source>,
}

thread_local! {
    static RECORDER: RefCell<Recorder> = const { RefCell::new(Recorder::Off) };
}

enum Recorder {
    Off,
    On,
    Recorded(Parts),
}

/// The `RefreshError` that is printed when the error or one of its causes is printed.
pub(super) fn find_printed(error: &(dyn StdError + 'static)) -> Option<Parts> {
    chain::each(error).find_map(|error| {
        RECORDER.replace(Recorder::On);
        let _ = write!(Nowhere, "{error}");
        match RECORDER.replace(Recorder::Off) {
            Recorder::Recorded(found) => Some(found),
            Recorder::Off | Recorder::On => None,
        }
    })
}

/// Records an error that is being printed, if this thread is looking for one.
pub(super) fn record(kind: &RefreshErrorKind, source: Option<&Source>) {
    // While a thread ends, it has no thread-local variables any more, and looks for no error.
    let _ = RECORDER.try_with(|recorder| {
        let mut recorder = recorder.borrow_mut();
        if matches!(*recorder, Recorder::On) {
            *recorder = Recorder::Recorded(Parts { kind: kind.clone(), source: source.cloned() });
        }
    });
}

/// A writer that discards the text.
struct Nowhere;

impl Write for Nowhere {
    fn write_str(&mut self, _: &str) -> fmt::Result {
        Ok(())
    }
}
