//! Where a credential has worked. If a server accepted it on another path and says 401 here, the 401 may mean 403.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

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
        let mut worked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if worked.iter().any(|(other, _)| *other == generation) {
            return;
        }
        if worked.len() == CREDENTIALS {
            worked.pop_front();
        }
        let mut url = url.clone();
        url.set_query(None);
        worked.push_back((generation, url));
    }

    /// Where the credential of that generation worked.
    pub(crate) fn at(&self, generation: u64) -> Option<Url> {
        let worked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        worked.iter().find(|(other, _)| *other == generation).map(|(_, there)| there.clone())
    }

    /// Whether the credential of that generation worked on another path of the same origin.
    pub(crate) fn elsewhere(&self, generation: u64, url: &Url) -> bool {
        let worked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_other = |other: &Url| other.origin() == url.origin() && other.path() != url.path();
        worked.iter().any(|(other, there)| *other == generation && is_other(there))
    }
}
