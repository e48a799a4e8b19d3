//! The crate's own files, on the model checker's primitives.

pub(crate) mod sync {
    pub(crate) use shuttle::sync::{Arc, Mutex, MutexGuard};

    pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        mutex.lock().expect("nothing panics under the lock")
    }
}

#[path = "../../../src/refresh/ask.rs"]
pub(crate) mod ask;
#[path = "../../../src/refresh/budget.rs"]
pub(crate) mod budget;
#[path = "../../../src/refresh/epochs.rs"]
mod epochs;
#[path = "../../../src/refresh/flight.rs"]
pub(crate) mod flight;
#[path = "../../../src/refresh/landing.rs"]
mod landing;
#[path = "../../../src/refresh/slot.rs"]
pub(crate) mod slot;
#[path = "../../../src/refresh/slots.rs"]
pub(crate) mod slots;
#[path = "../../../src/refresh/state.rs"]
pub(crate) mod state;
#[path = "../../../src/refresh/streak.rs"]
pub(crate) mod streak;
