//! Refresh tokens that a server refused without ending them. For a while they are not presented again.

use crate::util::lock;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use reqwest_challenge::Secret;
use reqwest_challenge::{RefreshError, RefreshErrorKind};

/// How long a refused token is not presented: as long as the middleware remembers a final failure.
const REST: Duration = Duration::from_secs(30);
/// How many tokens are remembered.
const ROOM: usize = 8;

/// The refused tokens, and the claims of the last renewal.
#[derive(Default)]
pub(super) struct Rests(Mutex<Vec<Rest>>, Mutex<Option<(Secret, String)>>);

/// A token, the claims it was presented for, and the server's error.
struct Rest {
    token: Secret,
    claims: Option<String>,
    since: SystemTime,
    error: RefreshError,
}

impl Rests {
    /// The server's error for that token, while the token is not presented again.
    pub(super) fn answer(&self, token: &Secret, claims: Option<&str>, now: SystemTime) -> Option<RefreshError> {
        let mut rests = lock(&self.0);
        // If the clock was set back, the waiting time ends.
        rests.retain(|rest| now.duration_since(rest.since).is_ok_and(|age| age < REST));
        let found = rests.iter().find(|rest| rest.token == *token && rest.claims.as_deref() == claims);
        found.map(|rest| rest.error.clone())
    }

    /// Remembers the claims for which an access token was renewed.
    pub(super) fn met(&self, access_token: &str, claims: Option<&str>) {
        let met = claims.map(|claims| (Secret::new(access_token), claims.to_owned()));
        *lock(&self.1) = met;
    }

    /// Whether the access token was already renewed for these claims. Then another renewal does not help.
    pub(super) fn has_met(&self, access_token: Option<&Secret>, claims: Option<&str>) -> bool {
        let met = lock(&self.1);
        met.as_ref().is_some_and(|(token, met)| access_token == Some(token) && claims == Some(met.as_str()))
    }

    /// Remembers a token that the server refused without ending it.
    pub(super) fn hear(&self, token: &Secret, claims: Option<&str>, now: SystemTime, error: &RefreshError) {
        if !matches!(error.kind(), RefreshErrorKind::LoginRequired { .. }) {
            return;
        }
        let mut rests = lock(&self.0);
        if rests.len() == ROOM {
            rests.remove(0);
        }
        rests.push(Rest { token: token.clone(), claims: claims.map(str::to_owned), since: now, error: error.clone() });
    }
}
