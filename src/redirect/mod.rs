//! TODO story of redirect.

mod follow;
mod headers;
mod history;
mod hop;

pub use follow::FollowRedirects;
pub(crate) use follow::chosen_elsewhere;
pub use history::{RedirectHistory, RedirectHop};
