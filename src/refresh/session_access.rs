//! What a context reads from its session.

use std::sync::{Arc, OnceLock, Weak};

use super::client::refresh_client;
use super::reason::RefreshReason;
use crate::error::{RefreshError, RefreshErrorKind};
use crate::util::ClockSkew;

/// What a context reads from its session.
pub(crate) trait RefreshSession: Send + Sync {
    /// How many callers wait for this flight.
    fn waiting(&self, flight: u64) -> usize;

    /// How far the server's clock is from the session's clock, if it is known.
    fn clock_skew(&self) -> Option<ClockSkew>;

    /// Reports that a store could not save a credential.
    fn save_failed(&self, reason: RefreshReason, error: String);

    /// The client for the refresher's own requests.
    fn http_client(&self) -> Result<reqwest::Client, RefreshError>;
}

/// The session of a context.
#[derive(Clone)]
pub(crate) enum SessionAccess {
    /// A session, and the flight that the context belongs to. A kept context does not keep its session alive.
    Session(Weak<dyn RefreshSession>, u64),
    /// A session, and a mark that exists while the caller of the logout waits.
    Logout(Weak<dyn RefreshSession>, Weak<()>),
    /// A context that was built without a session.
    None { awaited: bool, skew: Option<ClockSkew>, client: Arc<OnceLock<reqwest::Client>> },
}

impl SessionAccess {
    pub(crate) fn is_awaited(&self) -> bool {
        match self {
            Self::Session(session, flight) => session.upgrade().is_some_and(|session| session.waiting(*flight) > 0),
            Self::Logout(_, caller) => caller.strong_count() > 0,
            Self::None { awaited, .. } => *awaited,
        }
    }

    pub(crate) fn clock_skew(&self) -> Option<ClockSkew> {
        match self {
            Self::Session(session, _) | Self::Logout(session, _) => session.upgrade()?.clock_skew(),
            Self::None { skew, .. } => *skew,
        }
    }

    pub(crate) fn save_failed(&self, reason: RefreshReason, error: impl FnOnce() -> String) {
        let session = match self {
            Self::Session(session, _) | Self::Logout(session, _) => session.upgrade(),
            Self::None { .. } => None,
        };
        if let Some(session) = session {
            session.save_failed(reason, error());
        }
    }

    pub(crate) fn http_client(&self) -> Result<reqwest::Client, RefreshError> {
        match self {
            Self::Session(session, _) | Self::Logout(session, _) => {
                session.upgrade().ok_or_else(|| RefreshError::new(RefreshErrorKind::Gone))?.http_client()
            }
            Self::None { client, .. } => match client.get() {
                Some(client) => Ok(client.clone()),
                None => {
                    let new = refresh_client()?;
                    Ok(client.get_or_init(|| new).clone())
                }
            },
        }
    }
}
