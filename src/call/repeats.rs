//! A small memory of paths that refuse every credential: a server that says 401 where it means 403 would cost a refresh for
//! every call.

use crate::origin::url_without_secrets;
use crate::util::lock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use http::Method;
use reqwest::Url;

/// How many paths are remembered: more than a client calls that it may not, and nothing that grows with its requests.
const ROOM: usize = 64;
/// How long a path rests at most.
const LONGEST: Duration = Duration::from_secs(60);

#[derive(Default)]
pub(crate) struct Repeats {
    /// How many are remembered, so that a client without any takes no lock.
    count: AtomicUsize,
    paths: Mutex<Vec<Path>>,
}

struct Path {
    method: Method,
    url: Url,
    epoch: u64,
    rest: Duration,
    since: SystemTime,
}

impl Path {
    fn is(&self, method: &Method, url: &Url) -> bool {
        self.method == *method && self.url.path() == url.path() && self.url.origin() == url.origin()
    }
}

impl Repeats {
    /// Remembers that a fresh credential was refused there: the first time for that long, each further time twice as long.
    pub(crate) fn refused(&self, method: &Method, url: &Url, epoch: u64, rest: Duration, now: SystemTime) {
        let mut paths = self.lock();
        if let Some(path) = paths.iter_mut().find(|path| path.is(method, url)) {
            path.rest = if path.epoch == epoch { (path.rest * 2).min(LONGEST) } else { rest };
            (path.epoch, path.since) = (epoch, now);
            return;
        }
        if paths.len() == ROOM {
            paths.remove(0);
        }
        let url = url_without_secrets(url);
        paths.push(Path { method: method.clone(), url, epoch, rest, since: now });
        self.count.store(paths.len(), Ordering::Relaxed);
    }

    /// Whether a fresh credential of this identity was refused there just now.
    pub(crate) fn rests(&self, method: &Method, url: &Url, epoch: u64, now: impl FnOnce() -> SystemTime) -> bool {
        if self.is_empty() {
            return false;
        }
        let now = now();
        self.lock().iter().any(|path| {
            // A clock that was set back ends the rest.
            let rested = now.duration_since(path.since).unwrap_or(Duration::MAX);
            path.epoch == epoch && rested < path.rest && path.is(method, url)
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count.load(Ordering::Relaxed) == 0
    }

    /// Forgets a path that let somebody in.
    pub(crate) fn succeeded(&self, method: &Method, url: &Url) {
        if self.is_empty() {
            return;
        }
        let mut paths = self.lock();
        paths.retain(|path| !path.is(method, url));
        self.count.store(paths.len(), Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Path>> {
        lock(&self.paths)
    }
}
