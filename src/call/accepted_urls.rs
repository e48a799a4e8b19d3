//! The URLs at which a server accepted a credential. If the server later responds with 401 at another URL, that 401 may
//! mean 403.

use std::hash::{BuildHasher, RandomState};
use std::sync::{LazyLock, Mutex};

use reqwest::Url;

use crate::util::{BoundedList, lock, quick_hash};

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

/// The key of the hashes. A server does not know it, so it cannot choose paths with equal hashes.
static KEY: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(()));

/// Hashes of the origin and of the path of a URL.
fn hashes(url: &Url) -> [u64; 2] {
    let port = u64::from(url.port_or_known_default().unwrap_or_default());
    let host = quick_hash(*KEY ^ port, url.host_str().unwrap_or_default().as_bytes());
    [quick_hash(host, url.scheme().as_bytes()), quick_hash(*KEY, url.path().as_bytes())]
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
