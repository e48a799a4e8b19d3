//! The error of a login that no caller waits for.

use reqwest_challenge::RefreshError;

/// No caller waits for the login any more.
pub(crate) fn abandoned() -> RefreshError {
    RefreshError::other("no caller waits for the login any more")
}
