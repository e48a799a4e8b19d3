#![doc = include_str!("../README.md")]
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
pub mod support;

pub use async_trait::async_trait;
pub use reqwest;
pub use reqwest_middleware;

pub use call::{CallOptions, MockResponse};
pub use challenge::{Challenge, Challenges, Defect};
pub use credential::{Authorize, Credential, CredentialError, Observed, ResponseHead, Secret};
pub use error::{
    AuthReport, AuthorizeError, DeniedReason, Error, Forbidden, InsecureUrl, Problem, RawRefusal, RedirectError,
    RedirectErrorKind, RefreshError, RefreshErrorKind, Renewed, SessionEnded, StepUpError, StepUpKind, Unauthorized,
    UnauthorizedReason,
};
pub use middleware::{BuildError, BuildErrorKind, Builder, ChallengeMiddleware, hardened};
pub use origin::{Origin, OriginError};
pub use redirect::{FollowRedirects, RedirectHistory, RedirectHop};
pub use refresh::{Clock, Demand, Refresh, RefreshContext, RefreshContextBuilder, RefreshReason, RenewalLock};
#[cfg(feature = "dpop")]
pub use scheme::dpop;
pub use scheme::{FirstOf, Password, Strength};
pub use session::{Event, RefreshOutcome, Session};

/// Any error, as a refresher or a scheme gives it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
