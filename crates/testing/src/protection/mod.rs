//! Which credentials a mock server accepts.
//!
//! [`Tokens`] is the table of the bearer tokens that exist. A [`Protection`] reads the credential of a request (`basic`,
//! and `proof` with the feature `dpop`), compares it with the table or with a fixed value, and makes a [`Judgement`] of it.
//! It then turns the judgement into the 401 or 403 of the RFC, or into no refusal at all.

mod judgement;
mod tokens;
mod basic;
#[cfg(feature = "dpop")]
mod proof;
mod protection;

pub(crate) use basic::basic_pair;
pub use judgement::Judgement;
#[cfg(feature = "dpop")]
pub(crate) use proof::{ProofTarget, is_signed_client, proven_key};
pub use protection::Protection;
pub use tokens::Tokens;
