//! A step-up that cannot help.

use std::error::Error as StdError;
use std::fmt;

use super::seek;

/// Why [`Session::step_up`](crate::Session::step_up) or [`Session::step_up_to`](crate::Session::step_up_to) requested no credential, or got one without the scopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepUpError(pub(crate) StepUpKind);

/// The kind of a [`StepUpError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StepUpKind {
    /// The 403 names no scopes, or the caller named none. [`Session::step_up_to`](crate::Session::step_up_to) requests scopes
    /// that the caller names.
    NoScopes,
    /// The 403 came from another server than the API's, after a redirect.
    Foreign,
    /// The refused request was signed before another login or a logout.
    EarlierLogin,
    /// The refused credential has these scopes already. The 403 has another cause.
    GrantedAndRefused,
    /// The scopes were requested, and the authorization server granted a credential without them.
    NotGranted,
}

impl StepUpError {
    /// Returns the kind of the error.
    #[must_use]
    pub fn kind(&self) -> StepUpKind {
        self.0
    }
}

impl fmt::Display for StepUpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            StepUpKind::NoScopes => "no scopes are named that could be requested",
            StepUpKind::Foreign => "the 403 came from another server, whose scopes are not requested",
            StepUpKind::EarlierLogin => "the 403 belongs to an earlier login; send the request again",
            StepUpKind::GrantedAndRefused => "the refused credential has the scopes already",
            StepUpKind::NotGranted => "the scopes were requested, and were not granted",
        })
    }
}

impl StdError for StepUpError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        seek::itself(self)
    }
}
