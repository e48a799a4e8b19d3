//! The middleware: the entry point of the engine.
//!
//! `builder.rs` checks the origins and the settings, and makes a `ChallengeMiddleware`. `builder_session.rs`,
//! `builder_calls.rs` and `builder_verdicts.rs` have the settings; `build_error.rs` has the errors of the builder. All clones of a middleware share one session. For each request `middleware.rs` decides whether the URL is inside
//! the origins. Other requests pass through untouched. A request to an origin becomes a `Call`, which signs it; the
//! middleware sends it, hands the response to the call, and sends at most one more request. `hardened.rs` builds a client
//! with this middleware and with `FollowRedirects`.

mod build_error;
mod builder;
mod builder_calls;
mod builder_session;
mod builder_verdicts;
mod hardened;
mod middleware;

pub use build_error::{BuildError, BuildErrorKind};
pub use builder::Builder;
pub use hardened::hardened;
pub use middleware::ChallengeMiddleware;
