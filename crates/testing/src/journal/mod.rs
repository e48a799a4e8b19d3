//! The record of a test: which requests and refreshes happened, in which order.
//!
//! The mock servers and the recording refresher write into a [`Journal`]. The test asserts what must have happened
//! (`assertions`). If an assertion fails, the panic shows all entries as a timeline. The timeline and the search for leaked
//! credentials share the list of secrets that the servers saw (`secrets`). With the feature `lint`, `findings` checks the
//! answers of the servers.

mod journal;
mod secrets;
mod timeline;
mod assertions;
#[cfg(feature = "lint")]
mod findings;

pub use journal::Journal;
