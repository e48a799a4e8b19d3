//! The paths that rejected a fresh credential a short time ago, or marked the held one as expired. A server that responds with 401 where it means 403 would
//! otherwise cost one refresh for each call.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use http::Method;
use reqwest::Url;

use crate::origin::url_without_secrets;
use crate::util::{BoundedList, LazyBox, lock};

/// How many paths are remembered. The limit bounds the memory of a client that requests many paths without permission.
const MAX_PATHS: usize = 64;
/// The longest cooldown of a path.
const MAX_COOLDOWN: Duration = Duration::from_secs(60);

/// The paths that rejected a fresh credential, with their cooldowns.
#[derive(Default)]
pub(crate) struct RejectingPaths {
    /// How many paths are remembered. If none is, no lock is taken.
    count: AtomicUsize,
    paths: LazyBox<Mutex<BoundedList<Path, MAX_PATHS>>>,
}

struct Path {
    method: Method,
    url: Url,
    epoch: u64,
    cooldown: Duration,
    since: SystemTime,
}

impl Path {
    fn is(&self, method: &Method, url: &Url) -> bool {
        self.method == *method && self.url.path() == url.path() && self.url.origin() == url.origin()
    }
}

impl RejectingPaths {
    /// Records that a path rejected a fresh credential. The first cooldown is `cooldown`; each further one is twice as
    /// long as the one before.
    pub(crate) fn add(&self, method: &Method, url: &Url, epoch: u64, cooldown: Duration, now: SystemTime) {
        let mut paths = lock(self.paths.get_or_default());
        if let Some(path) = paths.iter_mut().find(|path| path.is(method, url)) {
            path.cooldown = if path.epoch == epoch { (path.cooldown * 2).min(MAX_COOLDOWN) } else { cooldown };
            (path.epoch, path.since) = (epoch, now);
            return;
        }
        paths.push(Path { method: method.clone(), url: url_without_secrets(url), epoch, cooldown, since: now });
        self.count.store(paths.len(), Ordering::Relaxed);
    }

    /// Whether a path rejected a fresh credential of this epoch, and its cooldown has not ended.
    pub(crate) fn is_cooling_down(
        &self,
        method: &Method,
        url: &Url,
        epoch: u64,
        now: impl FnOnce() -> SystemTime,
    ) -> bool {
        if self.is_empty() {
            return false;
        }
        let now = now();
        lock(self.paths.get_or_default()).iter().any(|path| {
            // A clock that was set back ends the cooldown.
            let age = now.duration_since(path.since).unwrap_or(Duration::MAX);
            path.epoch == epoch && age < path.cooldown && path.is(method, url)
        })
    }

    /// Whether no path is remembered.
    pub(crate) fn is_empty(&self) -> bool {
        self.count.load(Ordering::Relaxed) == 0
    }

    /// Forgets a path, because it accepted a credential.
    pub(crate) fn remove(&self, method: &Method, url: &Url) {
        if self.is_empty() {
            return;
        }
        let mut paths = lock(self.paths.get_or_default());
        paths.retain(|path| !path.is(method, url));
        self.count.store(paths.len(), Ordering::Relaxed);
    }
}
