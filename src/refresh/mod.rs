//! The interface of a refresher.
//!
//! The session decides that a credential is needed. It makes a [`RefreshContext`]: the reason, the refused request with
//! its challenges, what the server demands beyond a fresh credential, and the credential that was refused. It calls
//! [`Refresh::refresh`] with it. A decorator changes the context and calls the refresher inside. The result, a credential
//! or a [`RefreshError`](crate::RefreshError), goes back to the session.
//!
//! `question` reads a demand from challenges. `context_builder` makes contexts for tests. `renewal_lock` is the lock that
//! a store holds during a refresh. `clock` and `client` are what the session lends to its refresher.

mod client;
mod clock;
mod context;
mod context_builder;
mod demand;
mod question;
mod reason;
mod refresh;
mod renewal_lock;
mod session_access;

pub use client::refresh_client;
pub use clock::Clock;
pub(crate) use context::RefusedRequest;
pub use context::{RefreshContext, RenewalLock};
pub use context_builder::RefreshContextBuilder;
pub use demand::Demand;
pub(crate) use question::Question;
pub use reason::RefreshReason;
pub use refresh::{IntoCredential, Refresh};
pub(crate) use session_access::{RefreshSession, SessionAccess};
