//! The errors of calls that end before anything was sent.

use super::flight_request::NoCredential;
use crate::error::{Error, RefreshError, SessionEnded};

impl From<NoCredential<RefreshError>> for Error {
    fn from(reason: NoCredential<RefreshError>) -> Self {
        let text = match reason {
            NoCredential::Failed(error) => return Self::Refresh(error),
            NoCredential::SessionChanged => return Self::SessionEnded(SessionEnded { logged_out: false }),
            NoCredential::LoggedOut => return Self::SessionEnded(SessionEnded { logged_out: true }),
            NoCredential::Declined => "the refresher has no credential for this request",
            NoCredential::Unchanged => "the refresher returned the credential that is known to be invalid",
            NoCredential::TooSoon => "the newest credential was refused a moment ago; try again in a few seconds",
            NoCredential::BudgetExhausted => "the server refused several new credentials in a row; try again later",
        };
        Self::Refresh(RefreshError::other(text))
    }
}
