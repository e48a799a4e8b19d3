//! The nonces that servers gave, the last one of each origin.

use std::sync::{Mutex, PoisonError};

use url::Url;

use crate::origin::Origin;

/// How many origins are remembered: an API, its authorization server, and whatever else a client has to do with.
const ROOM: usize = 32;
/// How long a nonce may be: longer ones would not come back in a header that servers take.
const LONGEST: usize = 4 << 10;

#[derive(Default)]
pub(super) struct Nonces(Mutex<Vec<(Origin, String)>>);

impl Nonces {
    pub(super) fn of(&self, url: &Url) -> Option<String> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().find(|(origin, _)| origin.contains(url)).map(|(_, nonce)| nonce.clone())
    }

    pub(super) fn learn(&self, url: &Url, nonce: &str) {
        let Some(origin) = Origin::of(url).filter(|_| !nonce.is_empty() && nonce.len() <= LONGEST) else { return };
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|(other, _)| *other != origin);
        if all.len() == ROOM {
            all.remove(0);
        }
        all.push((origin, nonce.to_owned()));
    }
}
