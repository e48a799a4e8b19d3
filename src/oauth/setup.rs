//! What a caller says of the tokens that are asked for.

use std::sync::{Arc, Mutex};

use reqwest::Client;

use super::dialer::Lines;
use super::rotations::Rotations;
use super::seen::Seen;
use crate::dpop::Dpop;
use crate::origin::Origin;
use crate::refresh::Clock;

/// What every grant of one [`OAuth`](super::OAuth) has.
pub(super) struct Setup {
    pub(super) scopes: Vec<String>,
    pub(super) resource: Option<String>,
    pub(super) extra: Vec<(String, String)>,
    pub(super) dpop: Option<Dpop>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) lines: Lines,
    /// Whether a person may be asked without having asked for a login.
    pub(super) prompts: bool,
    pub(super) hint: String,
    pub(super) rotations: Rotations,
    pub(super) seen: Seen,
    /// Where the last refresh was asked from: a logout has nobody's request at hand.
    pub(super) last: Mutex<Option<(Origin, Client)>>,
}
