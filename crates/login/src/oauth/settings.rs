//! What the caller sets on an [`OAuth`](super::OAuth), and what it remembers.

use super::challenge_scopes::ChallengeScopes;
use super::http::{HttpClients, Meaning, meaning};
use super::last_challenge::LastChallenge;
use super::token::{MetClaims, RefusedTokens, Rotation};
use reqwest_challenge::dpop::Dpop;
use reqwest_challenge::{RefreshError, RefreshErrorKind};

/// What the caller sets.
pub(super) struct Settings {
    pub(super) scopes: Vec<String>,
    /// Which scopes of the API a grant without a user may ask for.
    pub(super) challenge_scopes: ChallengeScopes,
    pub(super) resource: Option<String>,
    /// Whether requests contain the resource (RFC 8707).
    pub(super) sends_resource: bool,
    pub(super) parameters: Vec<(String, String)>,
    pub(super) dpop: Option<Dpop>,
    pub(super) clients: HttpClients,
    /// Whether a 401 alone may ask the user.
    pub(super) prompts_on_401: bool,
    /// How the user logs in, for errors.
    pub(super) hint: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            scopes: Vec::new(),
            challenge_scopes: ChallengeScopes::none(),
            resource: None,
            sends_resource: true,
            parameters: Vec::new(),
            dpop: None,
            clients: HttpClients::default(),
            prompts_on_401: false,
            hint: "log in".to_owned(),
        }
    }
}

impl Settings {
    /// Turns the error into `LoginRequired` if its code says that the user must act.
    pub(super) fn as_login_required(&self, error: RefreshError) -> RefreshError {
        let RefreshErrorKind::Denied { code, .. } = error.kind() else { return error };
        if meaning(code) == Some(Meaning::LoginRequired) {
            RefreshError::login_required(&*self.hint).caused_by(error)
        } else {
            error
        }
    }
}

/// What an [`OAuth`](super::OAuth) remembers between refreshes.
#[derive(Default)]
pub(super) struct Memory {
    pub(super) rotation: Rotation,
    pub(super) refused_tokens: RefusedTokens,
    pub(super) met_claims: MetClaims,
    pub(super) last_challenge: LastChallenge,
}
