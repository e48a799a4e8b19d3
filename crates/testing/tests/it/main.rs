//! One binary; each module tests one behaviour.
#![allow(clippy::unwrap_used)]

mod kit_claims;
mod kit_errands;
mod kit_keys;
mod kit_servers;
#[cfg(feature = "wiremock")]
mod kit_wiremock;
mod support;
