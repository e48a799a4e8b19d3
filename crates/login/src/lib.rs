//! Logins for [`reqwest_challenge`]: where credentials come from, and where they are kept.
//!
//! The middleware of `reqwest-challenge` answers a 401 with a new credential, which it gets from a
//! [refresher](reqwest_challenge::Refresh). This crate contains refreshers. Each module is a feature of the same name, and none
//! is on by default:
//!
//! - [`oauth`]: tokens of an OAuth 2 authorization server, with or without a user.
//! - [`registry`]: tokens of container registries.
//! - [`store`]: credentials that outlive the process, in a file, in memory, or in a place of your own.
//! - [`cli`]: logins of a command-line tool, with a browser, a code for another device, or a prompt.
//!
//! A refresher can be put into another one. This service keeps its token in a file, so that a restart needs no new token:
//!
//! ```
//! # #[cfg(all(feature = "oauth", feature = "store"))]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use reqwest_challenge::ChallengeMiddleware;
//! use reqwest_challenge_login::oauth::{Client, ClientCredentials, Issuer, OAuth};
//! use reqwest_challenge_login::store::{FileStore, Key, Stored};
//!
//! let issuer = Issuer::new("https://auth.example.com")?;
//! let oauth = OAuth::new(issuer, Client::secret_basic("service", "s3cret"), ClientCredentials)?;
//! let key = Key::new("https://auth.example.com").client("service");
//! let stored = Stored::new(oauth, FileStore::new("/var/lib/service/credentials.json"), key);
//! let auth = ChallengeMiddleware::new("https://api.example.com", stored)?;
//! # Ok(()) }
//! # #[cfg(not(all(feature = "oauth", feature = "store")))]
//! # fn main() {}
//! ```
//!
//! # Scope
//! This crate uses only the public API of `reqwest-challenge`, so another crate can replace each part of it: a grant, a
//! store, a decorator. It does not read ID tokens, and it has no user sessions for a web server.
//!
// Without its feature a module does not exist. Then its link leads to this page, which names the features.
#![cfg_attr(not(feature = "oauth"), doc = "[`oauth`]: crate")]
#![cfg_attr(not(feature = "registry"), doc = "[`registry`]: crate")]
#![cfg_attr(not(feature = "store"), doc = "[`store`]: crate")]
#![cfg_attr(not(feature = "cli"), doc = "[`cli`]: crate")]
#![cfg_attr(all(doctest, feature = "cli"), doc = include_str!("../README.md"))]
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
