//! What a middleware does by its builder's word.

use std::time::Duration;

#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) body_bytes: usize,
    pub(crate) body_time: Duration,
}
