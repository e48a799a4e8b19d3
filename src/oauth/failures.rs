//! What went wrong at the well-known places, where one of several is enough.

use http::StatusCode;

use super::form::Form;
use super::reply::Reply;
use crate::chain;
use crate::refresh::RefreshError;
use crate::retry_after::passes;

/// The failures of all places so far.
#[derive(Default)]
pub(super) struct Failures {
    passing: Option<RefreshError>,
    refused: Option<RefreshError>,
    /// What the last place answered that has no document.
    pub(super) status: Option<StatusCode>,
}

impl Failures {
    /// A document that is not the one, or a place that is not asked.
    pub(super) fn add(&mut self, error: RefreshError) {
        let kept = if error.is_transient() { &mut self.passing } else { &mut self.refused };
        kept.get_or_insert(error);
    }

    /// A place that gave no answer.
    ///
    /// # Errors
    /// The error again, if the server cannot be reached at all, so that the next place is not worth the wait.
    pub(super) fn add_network(&mut self, error: RefreshError) -> Result<(), RefreshError> {
        let is_out_of_reach = |error: &reqwest::Error| error.is_connect() || error.is_timeout() || error.is_builder();
        if chain::find::<reqwest::Error>(&error).is_some_and(is_out_of_reach) {
            return Err(error);
        }
        self.add(error);
        Ok(())
    }

    /// An answer without a document.
    pub(super) fn add_reply(&mut self, what: &str, reply: &Reply) {
        self.status = Some(reply.status);
        if passes(reply.status) {
            self.add(reply.refusal(what, &Form::default()));
        } else if reply.is_cut() {
            self.add(RefreshError::transient(None).caused_by(format!("the answer of {what} is cut")));
        }
    }

    /// What the caller is told: that it may go well later, or else why a place was refused. `None` if all places are only empty.
    pub(super) fn worst(self) -> Option<RefreshError> {
        self.passing.or(self.refused)
    }
}
