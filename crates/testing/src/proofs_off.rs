//! Without the feature `dpop` nobody proves to have a key.

use crate::answer::Answer;
use crate::arrived::Arrived;
use crate::provider::{Inner, State};

impl State {
    pub(super) fn key_of(&self, _: &Inner, _: &Arrived) -> Result<Option<String>, Box<Answer>> {
        Ok(None)
    }

    pub(super) fn bind(&self, _: &str, _: Option<String>) -> &'static str {
        "Bearer"
    }
}
