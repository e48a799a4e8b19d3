//! The URLs at which a server accepted a credential. If the server later responds with 401 at another URL, that 401 may
//! mean 403.

use std::hash::{BuildHasher, RandomState};
use std::sync::{LazyLock, Mutex};

use reqwest::Url;

use crate::util::{BoundedList, lock};

/// How many credentials are remembered: more than the calls in progress use.
const MAX_CREDENTIALS: usize = 16;

/// The first URL at which each of the last credentials was accepted.
#[derive(Default)]
pub(crate) struct AcceptedUrls(Mutex<BoundedList<Accepted, MAX_CREDENTIALS>>);

struct Accepted {
    generation: u64,
    /// Hashes of the origin and of the path, which are shorter than a URL.
    origin: u64,
    path: u64,
}

/// The keys of the hashes. A server does not know them, so it cannot choose paths with equal hashes.
static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// Hashes of the origin and of the path of a URL.
fn hashes(url: &Url) -> [u64; 2] {
    let origin = HASHER.hash_one((url.scheme(), url.host_str(), url.port_or_known_default()));
    [origin, HASHER.hash_one(url.path())]
}

impl AcceptedUrls {
    /// Records that the server accepted the credential of this generation at this URL.
    #[cold]
    pub(crate) fn add(&self, generation: u64, url: &Url) {
        let [origin, path] = hashes(url);
        lock(&self.0).push(Accepted { generation, origin, path });
    }

    /// Whether the credential of this generation was accepted at another path of the same origin.
    pub(crate) fn has_other_path(&self, generation: u64, url: &Url) -> bool {
        let accepted = lock(&self.0);
        // A credential has one entry, and nearly always it is the last one.
        let first = accepted.iter().rev().find(|accepted| accepted.generation == generation);
        first.is_some_and(|accepted| {
            let [origin, path] = hashes(url);
            accepted.origin == origin && accepted.path != path
        })
    }
}
