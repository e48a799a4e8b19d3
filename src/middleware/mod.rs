//! TODO story of middleware.

mod builder;
mod hardened;
mod middleware;

pub use builder::{BuildError, Builder};
pub use hardened::hardened;
pub use middleware::ChallengeMiddleware;
