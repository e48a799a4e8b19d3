//! Finds nothing: the feature `lint` is off.

use reqwest::Response;

use super::call::Call;
use crate::challenge::Challenges;
use crate::error::Findings;

impl Call<'_> {
    pub(super) fn has_findings(&self, _response: &Response) -> bool {
        false
    }

    pub(super) fn lint(&self, _response: &Response, _body: &[u8], _challenges: Option<&Challenges>) -> Findings {
        Findings::default()
    }
}
