//! The nonces that servers gave: the last one of each origin, and those with which refused requests are sent again.

use crate::util::lock;
use std::collections::VecDeque;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::{Mutex, MutexGuard};

use url::Url;

use crate::origin::Origin;

/// How many origins are remembered: an API, its authorization server, and whatever else a client has to do with.
const ROOM: usize = 32;
/// How many nonces of refusals wait for their second send: one for each request that is refused at the same time.
const OWN: usize = 256;
/// How long a nonce may be: longer ones would not come back in a header that servers take.
const LONGEST: usize = 4 << 10;

#[derive(Default)]
pub(super) struct Nonces {
    state: Mutex<State>,
    hasher: RandomState,
}

#[derive(Default)]
struct State {
    last: Vec<(Origin, String)>,
    /// The hash of a URL without its query, and the nonce that came with its 401.
    own: VecDeque<(u64, String)>,
}

impl Nonces {
    /// The nonce for a request to that URL: the one that came with its own 401, because some servers accept it only
    /// once or only at that URL; otherwise the last one of the origin.
    pub(super) fn of(&self, url: &Url) -> Option<String> {
        let target = self.target(url);
        let mut state = self.lock();
        if let Some(at) = state.own.iter().position(|(other, _)| *other == target) {
            return state.own.remove(at).map(|(_, nonce)| nonce);
        }
        state.last.iter().find(|(origin, _)| origin.contains(url)).map(|(_, nonce)| nonce.clone())
    }

    pub(super) fn learn(&self, url: &Url, nonce: &str) {
        let Some(origin) = Origin::of(url).filter(|_| fits(nonce)) else { return };
        let mut state = self.lock();
        state.last.retain(|(other, _)| *other != origin);
        if state.last.len() == ROOM {
            state.last.remove(0);
        }
        state.last.push((origin, nonce.to_owned()));
    }

    /// Stores the nonce of a 401 for the second send of the request.
    pub(super) fn keep(&self, url: &Url, nonce: &str) {
        if !fits(nonce) {
            return;
        }
        let target = self.target(url);
        let mut state = self.lock();
        if state.own.len() == OWN {
            state.own.pop_front();
        }
        state.own.push_back((target, nonce.to_owned()));
    }

    /// The hash of the part of a URL that a proof names (RFC 9449 §4.2).
    fn target(&self, url: &Url) -> u64 {
        self.hasher.hash_one(&url[..url::Position::AfterPath])
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

fn fits(nonce: &str) -> bool {
    !nonce.is_empty() && nonce.len() <= LONGEST
}
