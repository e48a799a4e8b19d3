//! Well-known URLs (RFC 8615), and the failures of a search through them.

use http::StatusCode;
use url::Url;

use crate::oauth::http::{Form, ServerResponse};
use reqwest_challenge::RefreshError;
use reqwest_challenge::support::{find_error, is_transient_status};

/// The URL `/.well-known/name` followed by the path (RFC 8615 §3).
pub(super) fn well_known(url: &Url, name: &str, path: &str) -> Url {
    let mut url = url.clone();
    url.set_path(&format!("/.well-known/{name}{path}"));
    url.set_query(None);
    url.set_fragment(None);
    url
}

/// The failures of the URLs that have been tried. A later URL may still have the document.
#[derive(Default)]
pub(super) struct Failures {
    temporary: Option<RefreshError>,
    refused: Option<RefreshError>,
    /// The status of the last response without a document.
    pub(super) status: Option<StatusCode>,
}

impl Failures {
    /// Adds the failure of a URL whose document is wrong, or that must not be used.
    pub(super) fn add(&mut self, error: RefreshError) {
        let first = if error.is_transient() { &mut self.temporary } else { &mut self.refused };
        first.get_or_insert(error);
    }

    /// Adds the failure of a URL that gave no response.
    ///
    /// # Errors
    /// Returns the error if the server cannot be reached at all, because the next URL would only take more time.
    pub(super) fn add_network(&mut self, error: RefreshError) -> Result<(), RefreshError> {
        let is_unreachable = |error: &reqwest::Error| error.is_connect() || error.is_timeout() || error.is_builder();
        if find_error::<reqwest::Error>(&error).is_some_and(is_unreachable) {
            return Err(error);
        }
        self.add(error);
        Ok(())
    }

    /// Adds a response without a document.
    pub(super) fn add_response(&mut self, what: &str, response: &ServerResponse) {
        self.status = Some(response.status);
        if is_transient_status(response.status) {
            self.add(response.to_error(what, &Form::default()));
        } else if response.is_cut() {
            self.add(RefreshError::transient(None).caused_by(format!("the response for {what} was cut off")));
        }
    }

    /// The error for the caller: a temporary failure if there is one, or else a refusal. `None` if every server responded
    /// without a document.
    pub(super) fn into_error(self) -> Option<RefreshError> {
        self.temporary.or(self.refused)
    }
}
