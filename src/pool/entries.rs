//! The entries of a pool, in the order of their last use. They know no HTTP, no runtime and no clock, so that a model checker
//! can run them.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// What a pool holds for each key.
pub(super) struct Entries<K, M, T> {
    by_key: HashMap<Arc<K>, Entry<M, T>>,
    /// The keys in the order of their last use.
    by_use: BTreeMap<u64, Arc<K>>,
    /// Counts uses.
    uses: u64,
    /// How many entries are kept. There are more only while too few of them are idle.
    capacity: usize,
    /// How long an entry stays after its last use.
    idle_timeout: Option<Duration>,
}

struct Entry<M, T> {
    state: State<M, T>,
    last_use: u64,
    used_at: SystemTime,
}

/// The state of an entry.
pub(super) enum State<M, T> {
    /// The factory runs.
    Making(T),
    Ready(M),
}

/// What a use of a key finds.
pub(super) struct Taken<K, M, T> {
    pub(super) state: State<M, T>,
    /// The key, if the entry is new. Then the caller runs the factory.
    pub(super) added: Option<Arc<K>>,
    /// The entries that this use removed. The caller drops them outside of its lock.
    pub(super) removed: Vec<M>,
}

/// How many entries one use looks at in search of an idle one. The rest is left to the next uses.
const MAX_EXAMINED: usize = 8;

impl<K: Eq + Hash, M: Clone, T: Clone> Entries<K, M, T> {
    pub(super) fn new(capacity: usize, idle_timeout: Option<Duration>) -> Self {
        Self { by_key: HashMap::new(), by_use: BTreeMap::new(), uses: 0, capacity, idle_timeout }
    }

    pub(super) fn len(&self) -> usize {
        self.by_key.len()
    }

    /// Records a use of this key, and removes entries that are idle. If the key has no entry, it gets one with a new task.
    pub(super) fn take(
        &mut self,
        key: &K,
        task: impl FnOnce() -> T,
        now: SystemTime,
        is_in_use: impl Fn(&M) -> bool,
    ) -> Taken<K, M, T>
    where
        K: Clone,
    {
        let (state, added) = match self.get(key, now) {
            Some(state) => (state, None),
            None => {
                let (key, task) = (Arc::new(key.clone()), task());
                self.add(key.clone(), task.clone(), now);
                (State::Making(task), Some(key))
            }
        };
        // The clone in `state` shows that this entry is in use.
        let removed = self.evict(now, is_in_use, false);
        Taken { state, added, removed }
    }

    /// Records a use of this entry, and returns what it holds.
    fn get(&mut self, key: &K, now: SystemTime) -> Option<State<M, T>> {
        let entry = self.by_key.get_mut(key)?;
        let used = self.by_use.remove(&entry.last_use);
        self.uses += 1;
        (entry.last_use, entry.used_at) = (self.uses, now);
        used.into_iter().for_each(|key| drop(self.by_use.insert(self.uses, key)));
        Some(match &entry.state {
            State::Making(task) => State::Making(task.clone()),
            State::Ready(middleware) => State::Ready(middleware.clone()),
        })
    }

    /// Adds an entry whose factory begins to run.
    fn add(&mut self, key: Arc<K>, task: T, now: SystemTime) {
        self.uses += 1;
        let entry = Entry { state: State::Making(task), last_use: self.uses, used_at: now };
        self.by_use.insert(self.uses, key.clone());
        self.by_key.insert(key, entry);
    }

    /// Ends the work of a factory. If it failed, the entry is removed. If the entry has another task now, nothing happens.
    pub(super) fn finish(&mut self, key: &K, middleware: Option<M>, is_same: impl FnOnce(&T) -> bool) {
        let Some(entry) = self.by_key.get_mut(key) else { return };
        if !matches!(&entry.state, State::Making(task) if is_same(task)) {
            return;
        }
        match middleware {
            Some(middleware) => entry.state = State::Ready(middleware),
            None => drop(self.remove(key)),
        }
    }

    /// Removes the entry of this key, unless its factory runs or it is in use.
    pub(super) fn remove_idle(&mut self, key: &K, is_in_use: impl Fn(&M) -> bool) -> Option<M> {
        match &self.by_key.get(key)?.state {
            State::Ready(middleware) if !is_in_use(middleware) => self.remove(key),
            _ => None,
        }
    }

    /// Removes an entry, and returns its middleware if it was ready.
    fn remove(&mut self, key: &K) -> Option<M> {
        let entry = self.by_key.remove(key)?;
        self.by_use.remove(&entry.last_use);
        match entry.state {
            State::Ready(middleware) => Some(middleware),
            State::Making(_) => None,
        }
    }

    /// Removes entries that were idle for too long, and the ones that were used least recently while there are too many.
    /// An entry that is in use stays, and counts as used now. Returns the removed ones, so that the caller drops them outside
    /// of its lock.
    pub(super) fn evict(&mut self, now: SystemTime, is_in_use: impl Fn(&M) -> bool, all: bool) -> Vec<M> {
        let mut removed = Vec::new();
        for _ in 0..if all { self.len() } else { MAX_EXAMINED } {
            let Some((_, key)) = self.by_use.first_key_value() else { break };
            let key = key.clone();
            let Some(entry) = self.by_key.get(&*key) else { break };
            let age = now.duration_since(entry.used_at).unwrap_or_default();
            if self.len() <= self.capacity && self.idle_timeout.is_none_or(|limit| age < limit) {
                break;
            }
            let is_idle = matches!(&entry.state, State::Ready(middleware) if !is_in_use(middleware));
            if is_idle {
                removed.extend(self.remove(&key));
            } else {
                drop(self.get(&key, now));
            }
        }
        removed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn at(seconds: u32) -> SystemTime {
        SystemTime::UNIX_EPOCH + SECOND * seconds
    }

    /// Entries with these keys, which were used in this order, a second apart.
    fn entries(capacity: usize, idle: Option<Duration>, keys: &[u32]) -> Entries<u32, u32, ()> {
        let mut entries = Entries::new(capacity, idle);
        for (key, second) in keys.iter().zip(0..) {
            entries.add(Arc::new(*key), (), at(second));
            entries.finish(key, Some(*key), |()| true);
        }
        entries
    }

    #[test]
    fn the_least_recently_used_entry_is_removed_first() {
        let mut entries = entries(2, None, &[1, 2, 3]);
        entries.get(&1, at(9));
        assert_eq!(entries.evict(at(9), |_| false, false), [2]);
        assert_eq!(entries.evict(at(9), |_| false, false), [] as [u32; 0]);
    }

    #[test]
    fn an_entry_in_use_stays_and_the_next_one_is_removed() {
        let mut entries = entries(1, None, &[1, 2, 3]);
        assert_eq!(entries.evict(at(9), |middleware| *middleware == 1, false), [2, 3]);
    }

    #[test]
    fn if_all_are_in_use_there_are_more_entries_than_allowed() {
        let mut entries = entries(1, Some(SECOND), &[1, 2, 3]);
        assert_eq!(entries.evict(at(9), |_| true, true), [] as [u32; 0]);
        assert_eq!(entries.len(), 3);
    }

    #[test]
    fn an_idle_entry_is_removed_after_the_timeout_and_not_before() {
        let mut entries = entries(9, Some(SECOND * 10), &[1, 2]);
        assert_eq!(entries.evict(at(9), |_| false, false), [] as [u32; 0]);
        assert_eq!(entries.evict(at(10), |_| false, false), [1]);
        assert_eq!(entries.evict(at(11), |_| false, false), [2]);
    }

    #[test]
    fn an_entry_whose_factory_runs_is_not_removed() {
        let mut entries: Entries<u32, u32, ()> = Entries::new(0, Some(Duration::ZERO));
        entries.add(Arc::new(1), (), at(0));
        assert_eq!(entries.evict(at(9), |_| false, true), [] as [u32; 0]);
        entries.finish(&1, None, |()| true);
        assert_eq!((entries.len(), entries.by_use.len()), (0, 0));
    }
}
