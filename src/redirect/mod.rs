//! Redirects, followed above the middleware that signs.
//!
//! `follow.rs` is the middleware: it sends a request, and for each redirect a further one. Each hop is a whole call for the
//! middlewares below. `hop.rs` keeps what a hop needs of a request, computes the target of a redirect, checks it, and makes
//! the request that follows. `headers.rs` selects the header fields that are sent along. `history.rs` is what the caller
//! reads afterwards. A `ChallengeMiddleware` below asks `chosen_elsewhere` before it signs a hop.

mod follow;
mod headers;
mod history;
mod hop;

pub use follow::FollowRedirects;
pub(crate) use follow::chosen_elsewhere;
pub use history::{RedirectHistory, RedirectHop};
