//! Tokens of container registries (the token authentication of the distribution specification). Feature `registry`.
//!
//! A registry answers 401 and names a token server, a service and scopes. [`Registry`] is the refresher. It checks that
//! the token server is one that the caller trusts (`token_server`), derives missing scopes from the method and the path
//! of the request (`scope`), and fetches a token with the caller's account or without one (`fetch`). A response without a
//! token becomes an error (`token_error`). The token is kept in a cache under its repository and kind of access
//! (`partition`, `cache`). The credential signs each request with the token of that request's repository.
//!
//! ```
//! use reqwest_challenge::ChallengeMiddleware;
//! use reqwest_challenge_login::registry::{Registry, partition};
//!
//! let docker = Registry::new().token_server("https://auth.docker.io")?;
//! let auth = ChallengeMiddleware::builder("https://registry-1.docker.io", docker).partition_by(partition).build()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod account;
mod scope;
mod partition;
mod cache;
mod token_server;
mod token_error;
mod fetch;
mod registry;

pub use partition::partition;
pub use registry::Registry;
