//! The grant types that the test adds.

use std::collections::HashMap;
use std::sync::Arc;

use crate::message::ReceivedRequest;

/// Decides about a token request. The error is the error code of the response.
pub(super) type Decide = Arc<dyn Fn(&ReceivedRequest) -> Result<(), &'static str> + Send + Sync>;

/// The grant types that the test adds, by their name.
#[derive(Default)]
pub(super) struct CustomGrants(HashMap<String, CustomGrant>);

/// A grant type that the test adds.
pub(super) struct CustomGrant {
    /// The parameters that a request must have.
    pub(super) required: Vec<String>,
    pub(super) decide: Decide,
}

impl CustomGrants {
    /// Adds a grant type, or replaces it.
    pub(super) fn add(&mut self, grant_type: &str, grant: CustomGrant) {
        self.0.insert(grant_type.to_owned(), grant);
    }

    pub(super) fn get(&self, grant_type: &str) -> Option<&CustomGrant> {
        self.0.get(grant_type)
    }
}
