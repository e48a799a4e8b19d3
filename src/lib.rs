//! Authentication for [`reqwest`](https://docs.rs/reqwest) clients: a
//! [`reqwest_middleware`](https://docs.rs/reqwest-middleware) middleware.
//!
//! The middleware answers a 401. It reads the `WWW-Authenticate` challenges, gets a new credential from a refresher, and
//! sends the request once more. It never sends a request a third time. However many requests wait for a credential, one
//! refresh serves all of them. A 403 becomes a typed [`Forbidden`] error and is never sent again. A credential goes only to
//! the origins that the caller lists.
//!
//! ```
//! use reqwest_challenge::{BoxError, ChallengeMiddleware, Credential, RefreshContext};
//! use reqwest_middleware::ClientBuilder;
//!
//! /// The refresher. It is called once per expiry, however many requests wait for the answer.
//! async fn log_in(context: RefreshContext) -> Result<Credential, BoxError> {
//!     let response = context.http_client()?.post("https://auth.example.com/token").send().await?;
//!     // This endpoint answers with the token alone.
//!     let token = response.error_for_status()?.text().await?;
//!     Ok(Credential::bearer(token))
//! }
//!
//! # fn main() -> Result<(), BoxError> {
//! let auth = ChallengeMiddleware::new("https://api.example.com", log_in)?;
//! let client = ClientBuilder::new(reqwest::Client::new()).with(auth).build();
//! # drop(client); Ok(()) }
//! ```
//!
//! # Where to start
//!
//! - [`ChallengeMiddleware`] and its [`Builder`]: the middleware and its settings. [`CallOptions`] are the settings of one
//!   request.
//! - [`Refresh`]: the trait of a refresher. [`Password`], [`FirstOf`] and a fixed [`Credential`] implement it. OAuth,
//!   registries and stores are in the crate `reqwest-challenge-login`; mocks for tests are in `reqwest-challenge-testing`.
//! - [`Error`], [`Unauthorized`], [`Forbidden`]: why a call failed. [`AuthReport`] says what was done for a call.
//! - [`Session`]: login, logout, step-up. [`Session::fresh`] gives its credential to a gRPC, WebSocket or generated client.
//! - [`Authorize`]: the trait of a scheme that signs requests.
//! - [`challenge`]: the parser of `WWW-Authenticate`, which also works without the middleware.
//! - [`guide`]: pages on errors, retries, streams, other clients, tenants, metrics, migration, tests and command-line tools.
//! - [`support`]: functions for crates that extend this one.
//!
//! # Features
//!
//! | feature | what it adds |
//! |---|---|
//! | `digest` | Digest (RFC 7616) in [`Password`]: MD5, SHA-256, SHA-512/256, `-sess`, `auth-int` |
//! | `dpop` | DPoP (RFC 9449): tokens that are bound to a key |
//! | `lint` | findings about the 401s and 403s of a server |
//! | `metrics` | counters and histograms of the `metrics` crate: calls, refreshes, budgets, failed saves |
//! | `retry` | a strategy and a policy of `reqwest-retry` that know the errors of this crate |
//! | `tracing` | a span for each refresh, and events; [`Builder::on_event`] reports the same without this feature |
//!
//! This crate has no TLS stack. Choose one of reqwest's features.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

// The order is the order of the layers: each module uses only modules above it. A test reads the `use` lines.
mod util;
pub mod challenge;
mod credential;
mod origin;
#[cfg(feature = "lint")]
pub mod lint;
mod error;
mod refresh;
mod session;
mod scheme;
mod call;
mod redirect;
mod middleware;
mod pool;
#[cfg(feature = "retry")]
pub mod retry;
pub mod support;
pub mod guide;

pub use async_trait::async_trait;
pub use reqwest;
pub use reqwest_middleware;

pub use call::{CallOptions, MockResponse};
pub use challenge::{Challenge, Challenges, Defect};
pub use credential::{Authorize, Credential, CredentialError, CredentialErrorKind, Observed, ResponseHead, Secret};
pub use error::{
    AuthReport, AuthorizeError, DeniedReason, Error, Forbidden, InsecureUrl, Problem, RawRefusal, RedirectError,
    RedirectErrorKind, RefreshError, RefreshErrorKind, Refusal, Renewed, SessionEnded, StepUpError, StepUpKind,
    TenantError, TenantErrorKind, Unauthorized, UnauthorizedReason,
};
pub use middleware::{BuildError, BuildErrorKind, Builder, ChallengeMiddleware, hardened};
pub use origin::{Origin, OriginError, OriginErrorKind};
pub use pool::{PoolBuilder, SessionPool, TenantHandle};
pub use redirect::{FollowRedirects, RedirectHistory, RedirectHop};
pub use refresh::{
    Clock, Demand, IntoCredential, Refresh, RefreshContext, RefreshContextBuilder, RefreshReason, RenewalLock,
};
#[cfg(feature = "dpop")]
pub use scheme::dpop;
pub use scheme::{FirstOf, Password, Strength, UserPassword};
#[cfg(feature = "metrics")]
pub use session::describe_metrics;
pub use session::{ChallengeDefect, Event, Fresh, RefreshOutcome, Session, Verdict};
pub use util::ClockSkew;

/// Any error, as a refresher or a scheme gives it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
