//! The nonces of servers: the last one of each origin, and those with which refused requests are sent again.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::Mutex;

use url::Url;

use crate::origin::Origin;
use crate::util::{BoundedList, lock};

/// How many origins are remembered: an API, its authorization server, and the other servers of a client.
const MAX_ORIGINS: usize = 32;
/// How many nonces wait for their second send: one for each request that is refused at the same time.
const MAX_RETRIES: usize = 256;
/// The longest nonce, in bytes. Servers do not accept longer ones in a header field.
const MAX_NONCE_LENGTH: usize = 4 << 10;

#[derive(Default)]
pub(super) struct Nonces {
    state: Mutex<State>,
    hasher: RandomState,
}

#[derive(Default)]
struct State {
    last: BoundedList<OriginNonce, MAX_ORIGINS>,
    retries: BoundedList<RetryNonce, MAX_RETRIES>,
}

/// The last nonce of an origin.
struct OriginNonce {
    origin: Origin,
    nonce: String,
}

/// The nonce that came with the 401 to a request.
struct RetryNonce {
    /// The hash of the URL without its query.
    target: u64,
    nonce: String,
}

impl Nonces {
    /// The nonce for a request to this URL. The nonce that came with the 401 to the same request is taken out first,
    /// because some servers accept it only once, or only at this URL. Otherwise it is the last nonce of the origin.
    pub(super) fn take(&self, url: &Url) -> Option<String> {
        let target = self.target(url);
        let mut state = lock(&self.state);
        if let Some(retry) = state.retries.take(|retry| retry.target == target) {
            return Some(retry.nonce);
        }
        state.last.iter().find(|last| last.origin.contains(url)).map(|last| last.nonce.clone())
    }

    /// Records the last nonce of an origin.
    pub(super) fn set_last(&self, url: &Url, nonce: &str) {
        let Some(origin) = Origin::of(url).filter(|_| is_usable(nonce)) else { return };
        let last = OriginNonce { origin: origin.clone(), nonce: nonce.to_owned() };
        lock(&self.state).last.replace(last, |other| other.origin == origin);
    }

    /// Keeps the nonce of a 401 for the second send of the request.
    pub(super) fn add_for_retry(&self, url: &Url, nonce: &str) {
        if is_usable(nonce) {
            let retry = RetryNonce { target: self.target(url), nonce: nonce.to_owned() };
            lock(&self.state).retries.push(retry);
        }
    }

    /// The hash of the part of a URL that a proof names (RFC 9449 §4.2).
    fn target(&self, url: &Url) -> u64 {
        self.hasher.hash_one(&url[..url::Position::AfterPath])
    }
}

fn is_usable(nonce: &str) -> bool {
    !nonce.is_empty() && nonce.len() <= MAX_NONCE_LENGTH
}
