//! The error of a login for which no caller waits.

use reqwest_challenge::RefreshError;

/// The error of a login for which no caller waits any more.
pub(crate) fn abandoned() -> RefreshError {
    RefreshError::other("no caller waits for the login any more")
}
