//! The paths that rejected a fresh credential a short time ago, or marked the held one as expired. A server that responds
//! with 401 where it means 403 would otherwise cost one refresh for each call.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use http::Method;
use reqwest::Url;

use crate::origin::url_without_secrets;
use crate::util::{BoundedList, LazyBox, lock, quick_hash};

/// How many paths are remembered. The limit bounds the memory of a client that requests many paths without permission.
const MAX_PATHS: usize = 64;
/// The longest cooldown of a path.
const MAX_COOLDOWN: Duration = Duration::from_secs(60);
/// How many words the marks of the paths have: 64 bits for each path, so that nearly every other path has a bit that is not set.
const MARK_WORDS: usize = MAX_PATHS;

/// The paths that rejected a fresh credential, with their cooldowns.
#[derive(Default)]
pub(crate) struct RejectingPaths {
    /// How many paths are remembered. If none is, nothing else is read.
    count: AtomicUsize,
    remembered: LazyBox<Remembered>,
}

#[derive(Default)]
struct Remembered {
    marks: Marks,
    paths: Mutex<BoundedList<Path, MAX_PATHS>>,
}

/// A bit for each path that is remembered, so that a success on another path takes no lock.
struct Marks([AtomicU64; MARK_WORDS]);

impl Default for Marks {
    fn default() -> Self {
        Self([const { AtomicU64::new(0) }; MARK_WORDS])
    }
}

impl Marks {
    fn has(&self, path: &str) -> bool {
        let (word, bit) = Self::place(path);
        self.0[word].load(Ordering::Relaxed) & bit != 0
    }

    fn set<'p>(&self, paths: impl Iterator<Item = &'p str>) {
        let mut words = [0; MARK_WORDS];
        for (word, bit) in paths.map(Self::place) {
            words[word] |= bit;
        }
        self.0.iter().zip(words).for_each(|(mark, word)| mark.store(word, Ordering::Relaxed));
    }

    /// The word and the bit of a path.
    fn place(path: &str) -> (usize, u64) {
        let hash = quick_hash(0, path.as_bytes());
        ((hash >> 58) as usize, 1 << ((hash >> 52) & 63))
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
        self.method == *method && self.url.path() == url.path() && self.url.origin() == url.origin()
    }
}

impl RejectingPaths {
    /// Records that a path rejected a fresh credential. The first cooldown is `cooldown`; each further one is twice as
    /// long as the one before.
    pub(crate) fn add(&self, method: &Method, url: &Url, epoch: u64, cooldown: Duration, now: SystemTime) {
        let remembered = self.remembered.get_or_default();
        let mut paths = lock(&remembered.paths);
        // Forgets a path if its last cooldown ended more than `MAX_COOLDOWN` ago, so that the next one is the first
        // again. If the clock was set back, forgets all paths.
        let is_recent =
            |path: &Path| now.duration_since(path.since).is_ok_and(|age| age < path.cooldown + MAX_COOLDOWN);
        paths.retain(is_recent);
        if let Some(path) = paths.iter_mut().find(|path| path.is(method, url)) {
            path.cooldown = if path.epoch == epoch { (path.cooldown * 2).min(MAX_COOLDOWN) } else { cooldown };
            (path.epoch, path.since) = (epoch, now);
        } else {
            paths.push(Path { method: method.clone(), url: url_without_secrets(url), epoch, cooldown, since: now });
        }
        self.publish(remembered, &paths);
    }

    /// Whether a path rejected a fresh credential of this epoch, and its cooldown has not ended.
    pub(crate) fn is_cooling_down(
        &self,
        method: &Method,
        url: &Url,
        epoch: u64,
        now: impl FnOnce() -> SystemTime,
    ) -> bool {
        let Some(remembered) = self.remembered_with(url) else { return false };
        let now = now();
        lock(&remembered.paths).iter().any(|path| {
            // A clock that was set back ends the cooldown.
            let age = now.duration_since(path.since).unwrap_or(Duration::MAX);
            path.epoch == epoch && age < path.cooldown && path.is(method, url)
        })
    }

    /// Whether the path is remembered.
    #[inline]
    pub(crate) fn contains(&self, method: &Method, url: &Url) -> bool {
        self.remembered_with(url)
            .is_some_and(|remembered| lock(&remembered.paths).iter().any(|path| path.is(method, url)))
    }

    /// What is remembered, if the path of the URL may be a part of it.
    #[inline]
    fn remembered_with(&self, url: &Url) -> Option<&Remembered> {
        if self.count.load(Ordering::Relaxed) == 0 {
            return None;
        }
        self.remembered.get().filter(|remembered| remembered.marks.has(url.path()))
    }

    /// Forgets a path, because it accepted a credential.
    pub(crate) fn remove(&self, method: &Method, url: &Url) {
        if let Some(remembered) = self.remembered_with(url) {
            let mut paths = lock(&remembered.paths);
            paths.retain(|path| !path.is(method, url));
            self.publish(remembered, &paths);
        }
    }

    fn publish(&self, remembered: &Remembered, paths: &BoundedList<Path, MAX_PATHS>) {
        remembered.marks.set(paths.iter().map(|path| path.url.path()));
        self.count.store(paths.len(), Ordering::Relaxed);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails at a wrong URL")]
mod tests {
    use super::*;

    #[test]
    fn each_remembered_path_is_found_and_few_others_are_marked() {
        let paths = RejectingPaths::default();
        let url = |number: u32| Url::parse(&format!("https://api.example.com/repositories/{number}/file")).unwrap();
        let (now, cooldown) = (SystemTime::UNIX_EPOCH, Duration::from_secs(1));
        (0..64).for_each(|number| paths.add(&Method::GET, &url(number), 1, cooldown, now));
        assert!((0..64).all(|number| paths.contains(&Method::GET, &url(number))));
        assert!((0..64).all(|number| paths.is_cooling_down(&Method::GET, &url(number), 1, || now)));
        assert!(!paths.contains(&Method::POST, &url(1)));
        let marked = (64..6_464).filter(|number| paths.remembered_with(&url(*number)).is_some()).count();
        assert!(marked < 320, "{marked} of 6,400 other paths take the lock");
        (0..64).for_each(|number| paths.remove(&Method::GET, &url(number)));
        assert!((0..64).all(|number| paths.remembered_with(&url(number)).is_none()));
    }

    #[test]
    fn a_path_that_was_quiet_for_long_is_forgotten_and_another_one_doubles_its_cooldown() {
        let paths = RejectingPaths::default();
        let url = |path: &str| Url::parse("https://api.example.com").unwrap().join(path).unwrap();
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let add = |path: &str, seconds| paths.add(&Method::GET, &url(path), 1, Duration::from_secs(1), at(seconds));
        add("/a", 0);
        add("/a", 10);
        add("/b", 61);
        assert!(paths.contains(&Method::GET, &url("/a")));
        add("/b", 73);
        assert!(!paths.contains(&Method::GET, &url("/a")), "62 s after its second rejection");
        assert!(paths.is_cooling_down(&Method::GET, &url("/b"), 1, || at(74)));
        assert!(!paths.is_cooling_down(&Method::GET, &url("/b"), 1, || at(75)));
    }
}
