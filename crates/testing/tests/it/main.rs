//! One binary; each module tests one behaviour.
#![allow(clippy::unwrap_used)]

mod apis;
mod assertions;
mod contracts;
mod decorators;
mod keys;
mod providers;
mod purposes;
mod support;
mod timing;
#[cfg(feature = "wiremock")]
mod wiremock_servers;
