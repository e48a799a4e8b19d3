//! Schemes: how a credential answers a challenge.
//!
//! A scheme has two parts. A refresher reads the challenges of a 401 and makes a credential. An `Authorize` inside the
//! credential signs each request and sees each response; Basic needs none, because its header field never changes.
//! `password.rs` is the refresher for Basic and Digest: it picks the strongest challenge, and `digest/` signs. `dpop/` binds
//! a token to a key, for a refresher of the caller. `first_of.rs` combines refreshers for several schemes into one.
//!
//! The engine knows no scheme: it uses only the traits `Refresh` and `Authorize`, and another crate can add a scheme.

#[cfg(feature = "digest")]
mod digest;
#[cfg(feature = "dpop")]
pub mod dpop;
mod first_of;
mod password;

pub use first_of::FirstOf;
pub use password::{Password, Strength, UserPassword};
