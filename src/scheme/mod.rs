//! TODO story of scheme.

#[cfg(feature = "digest")]
mod digest;
#[cfg(feature = "dpop")]
pub mod dpop;
mod first_of;
mod password;

pub use first_of::FirstOf;
pub use password::{Password, Strength};
