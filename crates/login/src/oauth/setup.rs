//! What a caller says of the tokens that are asked for.

use super::dialer::Lines;
use super::rests::Rests;
use super::rotations::Rotations;
use super::scopes::ChallengeScopes;
use super::seen::Seen;
use super::words::{Meaning, meaning};
use reqwest_challenge::dpop::Dpop;
use reqwest_challenge::{RefreshError, RefreshErrorKind};

/// What every grant of one [`OAuth`](super::OAuth) has.
pub(super) struct Setup {
    pub(super) scopes: Vec<String>,
    /// Which scopes of a challenge a grant without a user asks for.
    pub(super) challenge_scopes: ChallengeScopes,
    pub(super) resource: Option<String>,
    /// Whether requests contain the resource (RFC 8707).
    pub(super) names_resource: bool,
    pub(super) extra: Vec<(String, String)>,
    pub(super) dpop: Option<Dpop>,
    pub(super) lines: Lines,
    /// Whether a person may be asked without having asked for a login.
    pub(super) prompts: bool,
    pub(super) hint: String,
    pub(super) rotations: Rotations,
    pub(super) rests: Rests,
    pub(super) seen: Seen,
}

impl Setup {
    /// Turns the error into a required login if its code says that the user must act.
    pub(super) fn judged(&self, error: RefreshError) -> RefreshError {
        let RefreshErrorKind::Denied { code, .. } = error.kind() else { return error };
        if meaning(code) == Some(Meaning::LoginRequired) {
            RefreshError::login_required(&*self.hint).caused_by(error)
        } else {
            error
        }
    }
}
