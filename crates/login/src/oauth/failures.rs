//! The failures at the well-known places, of which one success is enough.

use http::StatusCode;
use reqwest_challenge::support::find_error;

use super::form::Form;
use super::reply::Reply;

use reqwest_challenge::RefreshError;
use reqwest_challenge::support::is_transient_status;

/// The failures of all places so far.
#[derive(Default)]
pub(super) struct Failures {
    passing: Option<RefreshError>,
    refused: Option<RefreshError>,
    /// The status of the last place that has no document.
    pub(super) status: Option<StatusCode>,
}

impl Failures {
    /// Adds the failure of a place whose document is wrong, or which must not be asked.
    pub(super) fn add(&mut self, error: RefreshError) {
        let kept = if error.is_transient() { &mut self.passing } else { &mut self.refused };
        kept.get_or_insert(error);
    }

    /// Adds the failure of a place that did not respond.
    ///
    /// # Errors
    /// Returns the error if the server cannot be reached at all, because asking the next place would only take more
    /// time.
    pub(super) fn add_network(&mut self, error: RefreshError) -> Result<(), RefreshError> {
        let is_out_of_reach = |error: &reqwest::Error| error.is_connect() || error.is_timeout() || error.is_builder();
        if find_error::<reqwest::Error>(&error).is_some_and(is_out_of_reach) {
            return Err(error);
        }
        self.add(error);
        Ok(())
    }

    /// Adds a response without a document.
    pub(super) fn add_reply(&mut self, what: &str, reply: &Reply) {
        self.status = Some(reply.status);
        if is_transient_status(reply.status) {
            self.add(reply.refusal(what, &Form::default()));
        } else if reply.is_cut() {
            self.add(RefreshError::transient(None).caused_by(format!("the answer of {what} is cut")));
        }
    }

    /// The error for the caller: first a temporary failure, then a refused place. `None` if no place has a document.
    pub(super) fn worst(self) -> Option<RefreshError> {
        self.passing.or(self.refused)
    }
}
