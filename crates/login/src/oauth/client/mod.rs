//! The client that requests tokens, and how it proves who it is (RFC 6749 §2).
//!
//! The caller describes a [`Client`]. For a login it becomes an [`Identity`]: directly, if the caller gave an identifier,
//! or by a [`Registration`] at the server. The identity adds its proof to each request: a Basic header, a secret in the
//! form, or a signed assertion ([`jwt`]).

pub(super) mod jwt;
mod identity;
mod registration;
mod client;

pub use client::Client;
pub(super) use client::Kind;
pub(super) use identity::{Identity, Proof};
pub use registration::Registration;
