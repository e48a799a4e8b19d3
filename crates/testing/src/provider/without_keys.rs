//! Without the feature `dpop`, the provider ignores proofs and issues bearer tokens.

use super::state::{Inner, State};
use crate::message::{Answer, ReceivedRequest};

impl State {
    pub(super) fn key_of(&self, _: &Inner, _: &ReceivedRequest) -> Result<Option<String>, Box<Answer>> {
        Ok(None)
    }

    pub(super) fn bind(&self, _: &str, _: Option<String>) -> &'static str {
        "Bearer"
    }
}
