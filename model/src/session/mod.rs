//! The crate's own files, with the synchronisation primitives of the model checker.

pub(crate) mod sync {
    pub(crate) use shuttle::sync::{Arc, Mutex, MutexGuard};

    pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        mutex.lock().expect("nothing panics under the lock")
    }
}

#[path = "../../../src/session/active_flights.rs"]
pub(crate) mod active_flights;
#[path = "../../../src/session/budget.rs"]
pub(crate) mod budget;
#[path = "../../../src/session/identity.rs"]
mod identity;
#[path = "../../../src/session/flight.rs"]
pub(crate) mod flight;
#[path = "../../../src/session/flight_request.rs"]
pub(crate) mod flight_request;
#[path = "../../../src/session/completion.rs"]
mod completion;
#[path = "../../../src/session/slot.rs"]
pub(crate) mod slot;
#[path = "../../../src/session/slots.rs"]
pub(crate) mod slots;
#[path = "../../../src/session/state.rs"]
pub(crate) mod state;
#[path = "../../../src/session/step.rs"]
pub(crate) mod step;
#[path = "../../../src/session/streak.rs"]
pub(crate) mod streak;
