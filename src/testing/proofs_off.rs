//! Without the feature `dpop` nobody proves to have a key.

use super::answer::Answer;
use super::arrived::Arrived;
use super::provider::{Inner, State};

impl State {
    pub(super) fn key_of(&self, _: &Inner, _: &Arrived) -> Result<Option<String>, Box<Answer>> {
        Ok(None)
    }

    pub(super) fn bind(&self, _: &str, _: Option<String>) -> &'static str {
        "Bearer"
    }
}
