#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

// Each file uses only what stands above it here, and its own folder.
mod chain;
pub mod challenge;
#[cfg(any(feature = "oauth", feature = "registry"))]
mod dial;
#[cfg(any(feature = "oauth", feature = "registry", feature = "store"))]
mod members;
mod origin;
mod retry_after;
mod secret;
mod within;

mod credential;

mod event;
mod refresh;
#[cfg(feature = "tracing")]
mod trace;
#[cfg(not(feature = "tracing"))]
#[path = "trace_off.rs"]
mod trace;

mod error;
#[cfg(feature = "lint")]
pub mod lint;
#[cfg(feature = "lint")]
mod linting;
#[cfg(not(feature = "lint"))]
#[path = "linting_off.rs"]
mod linting;
mod options;
mod repeats;
mod replay;
mod report;
mod resources;
mod verdict;
mod worked;

mod builder;
mod call;
mod end;
mod hardened;
mod middleware;
mod plan;
mod read;
mod session;
mod settings;
mod sign;

#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "digest")]
mod digest;
#[cfg(feature = "dpop")]
pub mod dpop;
mod first_of;
#[cfg(feature = "oauth")]
pub mod oauth;
mod password;
#[cfg(feature = "registry")]
pub mod registry;
#[cfg(feature = "store")]
pub mod store;

#[cfg(feature = "testing")]
pub mod testing;

pub use reqwest;
pub use reqwest_middleware;

pub use builder::{BuildError, Builder};
pub use challenge::{Challenge, Challenges, Defect};
pub use credential::{Authorize, Credential, CredentialError, Observed, ResponseHead};
pub use error::{
    AuthorizeError, Error, Findable, Forbidden, InsecureUrl, Problem, Reason, SessionEnded, StepUpError, StepUpKind,
    Unauthorized,
};
pub use event::{Event, RefreshOutcome};
pub use first_of::FirstOf;
pub use hardened::hardened;
pub use middleware::ChallengeMiddleware;
pub use options::CallOptions;
pub use origin::{Origin, OriginError};
pub use password::{Password, Strength};
pub use refresh::{Cause, Clock, Demand, Refresh, RefreshError, RefreshErrorKind, Rejection};
pub use report::{AuthReport, Renewed};
pub use secret::Secret;
pub use session::Session;

/// Any error, as a refresher or a scheme gives it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
