//! The errors of calls that end before anything was sent.

use super::flight_request::Ended;
use crate::error::{Error, RefreshError, SessionEnded};

impl From<Ended<RefreshError>> for Error {
    /// The error of a call before anything was sent.
    fn from(ended: Ended<RefreshError>) -> Self {
        match ended {
            Ended::Failed(error) => Self::Refresh(error),
            Ended::Declined => Self::Refresh(RefreshError::other("the refresher has no credential to give")),
            Ended::Unchanged => {
                Self::Refresh(RefreshError::other("the refresher returned the credential that is known to be invalid"))
            }
            Ended::Rests => Self::Refresh(RefreshError::other("no refresh starts so soon after the last one")),
            Ended::Spent => Self::Refresh(RefreshError::other("the server refused several new credentials in a row")),
            Ended::SessionChanged => Self::Ended(SessionEnded { logged_out: false }),
            Ended::LoggedOut => Self::Ended(SessionEnded { logged_out: true }),
        }
    }
}
