//! Where a credential has worked. If a server accepted it on another path and says 401 here, the 401 may mean 403.

use crate::origin::url_without_secrets;
use crate::util::lock;
use std::collections::VecDeque;
use std::sync::Mutex;

use reqwest::Url;

/// How many credentials are remembered. Calls in progress use fewer.
const CREDENTIALS: usize = 16;

/// The first URL at which each of the last credentials worked.
#[derive(Default)]
pub(crate) struct Worked(Mutex<VecDeque<(u64, Url)>>);

impl Worked {
    /// Records that the credential of that generation worked at that URL.
    #[cold]
    pub(crate) fn note(&self, generation: u64, url: &Url) {
        let mut worked = lock(&self.0);
        if worked.len() == CREDENTIALS {
            worked.pop_front();
        }
        let url = url_without_secrets(url);
        worked.push_back((generation, url));
    }

    /// Whether the credential of that generation worked on another path of the same origin.
    pub(crate) fn elsewhere(&self, generation: u64, url: &Url) -> bool {
        let worked = lock(&self.0);
        // Written by hand, because `Url::origin` allocates.
        let same_origin = |other: &Url| {
            other.scheme() == url.scheme()
                && other.host() == url.host()
                && other.port_or_known_default() == url.port_or_known_default()
        };
        let is_other = |other: &Url| other.path() != url.path() && same_origin(other);
        worked.iter().rev().any(|(other, there)| *other == generation && is_other(there))
    }
}
