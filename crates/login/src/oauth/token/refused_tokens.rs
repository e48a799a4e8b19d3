//! Renewals that would not help now: with a refused refresh token, or for claims that the token already has.

use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use crate::util::lock;
use reqwest_challenge::{RefreshError, RefreshErrorKind, Secret};

/// How long a refused token is not presented: as long as the middleware remembers a final failure.
const COOLDOWN: Duration = Duration::from_secs(30);
/// How many tokens are remembered.
const MAX_TOKENS: usize = 8;

/// Refresh tokens that the server refused although they may still be valid. They are not presented again for 30 s.
#[derive(Default)]
pub(in crate::oauth) struct RefusedTokens(Mutex<Vec<RefusedToken>>);

struct RefusedToken {
    token: Secret,
    /// The claims that the renewal asked for.
    claims: Option<String>,
    since: SystemTime,
    error: RefreshError,
}

impl RefusedTokens {
    /// The server's error for this token and these claims, during the cooldown.
    pub(in crate::oauth) fn error_for(
        &self,
        token: &Secret,
        claims: Option<&str>,
        now: SystemTime,
    ) -> Option<RefreshError> {
        let mut tokens = lock(&self.0);
        // If the clock was set back, the cooldown ends.
        tokens.retain(|refused| now.duration_since(refused.since).is_ok_and(|age| age < COOLDOWN));
        let found = tokens.iter().find(|refused| refused.token == *token && refused.claims.as_deref() == claims);
        found.map(|refused| refused.error.clone())
    }

    /// Remembers the token if the error requires a login and does not end the token.
    pub(in crate::oauth) fn insert(&self, token: &Secret, claims: Option<&str>, now: SystemTime, error: &RefreshError) {
        if !matches!(error.kind(), RefreshErrorKind::LoginRequired { .. }) {
            return;
        }
        let mut tokens = lock(&self.0);
        if tokens.len() == MAX_TOKENS {
            tokens.remove(0);
        }
        let claims = claims.map(str::to_owned);
        tokens.push(RefusedToken { token: token.clone(), claims, since: now, error: error.clone() });
    }
}

/// The claims for which the current access token was issued. If the API demands them again, another renewal does not help.
#[derive(Default)]
pub(in crate::oauth) struct MetClaims(Mutex<Option<(Secret, String)>>);

impl MetClaims {
    pub(in crate::oauth) fn set(&self, access_token: &Secret, claims: Option<&str>) {
        *lock(&self.0) = claims.map(|claims| (access_token.clone(), claims.to_owned()));
    }

    pub(in crate::oauth) fn contains(&self, access_token: Option<&Secret>, claims: Option<&str>) -> bool {
        let met = lock(&self.0);
        met.as_ref().is_some_and(|(token, met)| access_token == Some(token) && claims == Some(met.as_str()))
    }
}
