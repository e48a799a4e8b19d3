#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

// Each module uses only modules above it. A test reads the `use` lines.
mod util;
#[cfg(any(feature = "oauth", feature = "registry", feature = "store"))]
mod secret_json;
#[cfg(any(feature = "oauth", feature = "registry"))]
mod transport;
#[cfg(feature = "store")]
pub mod store;
#[cfg(feature = "oauth")]
pub mod oauth;
#[cfg(feature = "registry")]
pub mod registry;
#[cfg(feature = "cli")]
pub mod cli;

pub use reqwest_challenge::async_trait;
