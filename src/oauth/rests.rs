//! Refresh tokens that a server refused, for reasons that leave them where they are: they rest before they are presented again.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use crate::refresh::{RefreshError, RefreshErrorKind};
use crate::secret::Secret;

/// How long a refused token rests: as long as the middleware remembers a final failure.
const REST: Duration = Duration::from_secs(30);
/// How many are remembered.
const ROOM: usize = 8;

/// The tokens that rest.
#[derive(Default)]
pub(super) struct Rests(Mutex<Vec<Rest>>, Mutex<Option<(Secret, String)>>);

/// A token, what it was presented for, and what the server said.
struct Rest {
    token: Secret,
    claims: Option<String>,
    since: SystemTime,
    error: RefreshError,
}

impl Rests {
    /// What the server said of that token, if it rests.
    pub(super) fn answer(&self, token: &Secret, claims: Option<&str>, now: SystemTime) -> Option<RefreshError> {
        let mut rests = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that was set back ends a rest.
        rests.retain(|rest| now.duration_since(rest.since).is_ok_and(|age| age < REST));
        let found = rests.iter().find(|rest| rest.token == *token && rest.claims.as_deref() == claims);
        found.map(|rest| rest.error.clone())
    }

    /// Remembers which claims an access token was renewed for.
    pub(super) fn met(&self, access_token: &str, claims: Option<&str>) {
        let met = claims.map(|claims| (Secret::new(access_token), claims.to_owned()));
        *self.1.lock().unwrap_or_else(PoisonError::into_inner) = met;
    }

    /// Whether an access token was renewed for these claims, so that another renewal does not help.
    pub(super) fn has_met(&self, access_token: Option<&Secret>, claims: Option<&str>) -> bool {
        let met = self.1.lock().unwrap_or_else(PoisonError::into_inner);
        met.as_ref().is_some_and(|(token, met)| access_token == Some(token) && claims == Some(met.as_str()))
    }

    /// Lets a token rest that the server refused in that way.
    pub(super) fn hear(&self, token: &Secret, claims: Option<&str>, now: SystemTime, error: &RefreshError) {
        if !matches!(error.kind(), RefreshErrorKind::LoginRequired { .. }) {
            return;
        }
        let mut rests = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if rests.len() == ROOM {
            rests.remove(0);
        }
        rests.push(Rest { token: token.clone(), claims: claims.map(str::to_owned), since: now, error: error.clone() });
    }
}
