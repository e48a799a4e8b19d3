//! Finds an error of this crate inside an error that hides it.
//!
//! A transparent enum of `thiserror`, and the error of an outer retry middleware, print the error inside them and return the
//! `source()` of that error. A walk over the causes would never visit the inner error itself. While such a walk asks for a
//! cause, the errors of this crate therefore return themselves. At any other time they return their own cause, so a printed
//! chain contains nothing twice.

use std::cell::Cell;
use std::error::Error as StdError;

type DynError = dyn StdError + 'static;

/// What a walk on this thread waits for.
#[derive(Clone, Copy)]
enum Seek {
    Off,
    /// The cause of an error.
    On,
    /// The error of this crate at this address has returned itself from `source()`.
    Found(*const ()),
}

thread_local! {
    static SEEK: Cell<Seek> = const { Cell::new(Seek::Off) };
}

/// Restores the state of the outer walk, if `source()` walks too. Also if `source()` panics.
struct Restore(Seek);

impl Drop for Restore {
    fn drop(&mut self) {
        SEEK.set(self.0);
    }
}

/// The cause of an error, and whether that is an error of this crate that returned itself.
pub(super) fn cause(error: &DynError) -> Option<(&DynError, bool)> {
    let _restore = Restore(SEEK.replace(Seek::On));
    let cause = error.source()?;
    let is_itself = matches!(SEEK.get(), Seek::Found(found) if std::ptr::addr_eq(found, cause));
    Some((cause, is_itself))
}

/// The own cause of an error of this crate that returned itself before.
pub(super) fn own_cause(error: &DynError) -> Option<&DynError> {
    let _restore = Restore(SEEK.replace(Seek::Off));
    error.source()
}

/// The error itself, if a walk asks for its cause. It returns itself only once, so that the walk then continues with
/// its cause.
pub(super) fn itself(error: &DynError) -> Option<&DynError> {
    matches!(SEEK.get(), Seek::On).then(|| {
        SEEK.set(Seek::Found(std::ptr::from_ref(error).cast()));
        error
    })
}
