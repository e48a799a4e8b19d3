//! The paths that rejected a fresh credential a short time ago, or marked the held one as expired. A server that responds with 401 where it means 403 would
//! otherwise cost one refresh for each call.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use http::Method;
use reqwest::Url;

use super::response_kind::has_same_origin;
use crate::origin::url_without_secrets;
use crate::util::{BoundedList, LazyBox, lock};

/// How many paths are remembered. The limit bounds the memory of a client that requests many paths without permission.
const MAX_PATHS: usize = 64;
/// The longest cooldown of a path.
const MAX_COOLDOWN: Duration = Duration::from_secs(60);

/// The paths that rejected a fresh credential, with their cooldowns.
#[derive(Default)]
pub(crate) struct RejectingPaths {
    /// How many paths are remembered. If none is, nothing else is read.
    count: AtomicUsize,
    known: LazyBox<Known>,
}

#[derive(Default)]
struct Known {
    /// The hashes of the remembered paths, so that a success at another path takes no lock.
    filter: Filter,
    paths: Mutex<BoundedList<Path, MAX_PATHS>>,
}

/// One bit for each possible hash of a path. Two paths can have the same bit.
#[derive(Default)]
struct Filter([AtomicU64; 16]);

impl Filter {
    /// The word and the bit of a path, by its FNV-1a hash. A collision costs a lock and nothing else.
    fn place(url: &Url) -> (usize, u64) {
        let hash = url
            .path()
            .bytes()
            .fold(0xCBF2_9CE4_8422_2325_u64, |hash, octet| (hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01B3));
        ((hash >> 32) as usize % 16, 1 << (hash >> 58))
    }

    fn may_contain(&self, url: &Url) -> bool {
        let (word, bit) = Self::place(url);
        self.0[word].load(Ordering::Relaxed) & bit != 0
    }

    /// Contains these paths and no others.
    fn set<'p>(&self, paths: impl Iterator<Item = &'p Path>) {
        let mut words = [0; 16];
        for path in paths {
            let (word, bit) = Self::place(&path.url);
            words[word] |= bit;
        }
        for (word, bits) in self.0.iter().zip(words) {
            word.store(bits, Ordering::Relaxed);
        }
    }
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
        self.method == *method && self.url.path() == url.path() && has_same_origin(&self.url, url)
    }

    /// How long ago the path rejected a credential. A clock that was set back ends each cooldown.
    fn age(&self, now: SystemTime) -> Duration {
        now.duration_since(self.since).unwrap_or(Duration::MAX)
    }
}

impl RejectingPaths {
    /// Records that a path rejected a fresh credential. The first cooldown is `cooldown`; each further one is twice as
    /// long as the one before. Forgets the paths whose cooldown ended long ago.
    pub(crate) fn add(&self, method: &Method, url: &Url, epoch: u64, cooldown: Duration, now: SystemTime) {
        let known = self.known.get_or_default();
        let mut paths = lock(&known.paths);
        paths.retain(|path| path.age(now) < path.cooldown + MAX_COOLDOWN || path.is(method, url));
        if let Some(path) = paths.iter_mut().find(|path| path.is(method, url)) {
            path.cooldown = if path.epoch == epoch { (path.cooldown * 2).min(MAX_COOLDOWN) } else { cooldown };
            (path.epoch, path.since) = (epoch, now);
        } else {
            paths.push(Path { method: method.clone(), url: url_without_secrets(url), epoch, cooldown, since: now });
        }
        self.publish(known, &paths);
    }

    /// Whether a path rejected a fresh credential of this epoch, and its cooldown has not ended.
    pub(crate) fn is_cooling_down(
        &self,
        method: &Method,
        url: &Url,
        epoch: u64,
        now: impl FnOnce() -> SystemTime,
    ) -> bool {
        self.find(url).is_some_and(|known| {
            let now = now();
            let is_it = |path: &Path| path.epoch == epoch && path.age(now) < path.cooldown && path.is(method, url);
            lock(&known.paths).iter().any(is_it)
        })
    }

    /// Whether the path of the URL may be remembered. Takes no lock.
    #[inline]
    pub(crate) fn may_contain(&self, url: &Url) -> bool {
        self.count.load(Ordering::Relaxed) != 0 && self.find(url).is_some()
    }

    /// Forgets a path, because it accepted a credential.
    pub(crate) fn remove(&self, method: &Method, url: &Url) {
        if !self.may_contain(url) {
            return;
        }
        let known = self.known.get_or_default();
        let mut paths = lock(&known.paths);
        paths.retain(|path| !path.is(method, url));
        self.publish(known, &paths);
    }

    /// What is remembered, if the path of the URL may be part of it.
    fn find(&self, url: &Url) -> Option<&Known> {
        self.known.get().filter(|known| known.filter.may_contain(url))
    }

    /// Makes a change of the list visible to calls that take no lock.
    fn publish(&self, known: &Known, paths: &BoundedList<Path, MAX_PATHS>) {
        known.filter.set(paths.iter());
        self.count.store(paths.len(), Ordering::Relaxed);
    }
}
