//! What the examples of this package share: an API on loopback, its tokens, and a check of what a run has cost.

mod api;

pub use api::{Api, challenge};
use reqwest_challenge::BoxError;

/// Compares a count with the count that the example promises.
///
/// # Errors
/// Names the count if it is another one. The example then exits with 1.
pub fn expect(what: &str, got: usize, wanted: usize) -> Result<(), BoxError> {
    if got == wanted { Ok(()) } else { Err(format!("{what}: {got}, and not {wanted}").into()) }
}
