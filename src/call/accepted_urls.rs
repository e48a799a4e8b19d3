//! The URLs at which a server accepted a credential. If the server later responds with 401 at another URL, that 401 may
//! mean 403.

use std::sync::Mutex;

use reqwest::Url;

use super::response_kind::has_same_origin;
use crate::origin::url_without_secrets;
use crate::util::{BoundedList, lock};

/// How many credentials are remembered: more than the calls in progress use.
const MAX_CREDENTIALS: usize = 16;

/// The first URL at which each of the last credentials was accepted.
#[derive(Default)]
pub(crate) struct AcceptedUrls(Mutex<BoundedList<Accepted, MAX_CREDENTIALS>>);

struct Accepted {
    generation: u64,
    /// Without userinfo, query and fragment.
    url: Url,
}

impl AcceptedUrls {
    /// Records that the server accepted the credential of this generation at this URL.
    #[cold]
    pub(crate) fn add(&self, generation: u64, url: &Url) {
        lock(&self.0).push(Accepted { generation, url: url_without_secrets(url) });
    }

    /// Whether the credential of this generation was accepted at another path of the same origin.
    pub(crate) fn has_other_path(&self, generation: u64, url: &Url) -> bool {
        let is_other = |other: &Url| other.path() != url.path() && has_same_origin(other, url);
        let accepted = lock(&self.0);
        // A credential has one entry, and nearly always it is the last one.
        let first = accepted.iter().rev().find(|accepted| accepted.generation == generation);
        first.is_some_and(|accepted| is_other(&accepted.url))
    }
}
