//! Finds an error of this crate inside an error that hides it.
//!
//! A transparent enum of `thiserror`, and the error of an outer retry middleware, print the error inside them and return the
//! `source()` of that error. A walk over the causes would never visit the inner error itself. While such a walk asks for a
//! cause, the errors of this crate therefore return themselves. At any other time they return their own cause, so a printed
//! chain contains nothing twice.

use std::cell::Cell;
use std::error::Error as StdError;

type DynError = dyn StdError + 'static;

thread_local! {
    /// Whether a walk on this thread waits for the cause of an error.
    static IS_SEEKING: Cell<bool> = const { Cell::new(false) };
}

/// Stops seeking, also if `source()` panics.
struct Stop;

impl Drop for Stop {
    fn drop(&mut self) {
        IS_SEEKING.set(false);
    }
}

/// The cause of an error, and whether that is an error of this crate that returned itself.
pub(super) fn cause(error: &DynError) -> Option<(&DynError, bool)> {
    IS_SEEKING.set(true);
    let _stop = Stop;
    let cause = error.source()?;
    Some((cause, !IS_SEEKING.get()))
}

/// The error itself, if a walk asks for its cause. It returns itself only once, so that the walk then continues with
/// its cause.
pub(super) fn itself(error: &DynError) -> Option<&DynError> {
    IS_SEEKING.replace(false).then_some(error)
}
