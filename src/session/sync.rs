//! The primitives that the flight stands on: one place to put a model checker's in.

pub(super) use std::sync::{Arc, Mutex, MutexGuard};

/// Locks. Nothing panics under these locks; if something did, what they guard is whole after each statement.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
