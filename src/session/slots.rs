//! The slots of a session: the main slot, and a bounded number of others.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use super::slot::{Held, Slot, Stage};
use super::sync::Arc;

/// The name of a slot. The default is the main slot, which a login fills.
pub(crate) trait Key: Clone + Eq + Hash + Default {
    /// Whether requests of this slot carry the main credential while the slot has none.
    fn inherits_main(&self) -> bool;

    /// The slot whose budget counts refusals of this slot. Slots that a server names share a budget, so that the server
    /// cannot get a new budget with a new name.
    fn budget_key(&self) -> Self;
}

pub(crate) struct Slots<C, E, D, K> {
    pub(crate) main: Slot<C, E, D>,
    others: HashMap<K, Slot<C, E, D>>,
    /// How many other slots there may be.
    max_others: usize,
    /// Counts uses, to find the slot that was used least recently.
    uses: u64,
}

impl<C: Clone, E: Clone, D: Clone + PartialEq + Default, K: Key> Slots<C, E, D, K> {
    pub(crate) fn new(max_others: usize) -> Self {
        let main = Slot::new(Arc::new(Held::empty(0, Stage::New, 0)));
        Self { main, others: HashMap::new(), max_others, uses: 0 }
    }

    /// What a request of this slot carries.
    pub(crate) fn held_in(&mut self, key: &K) -> Arc<Held<C, D>> {
        let main = &self.main.held;
        if *key == K::default() || main.stage == Stage::LoggedOut {
            return main.clone();
        }
        if let Some(slot) = self.others.get_mut(key) {
            self.uses += 1;
            slot.last_use = self.uses;
            if slot.held.generation > 0 {
                return slot.held.clone();
            }
        }
        if key.inherits_main() || main.stage == Stage::New {
            return main.clone();
        }
        Arc::new(Held::empty(main.epoch, Stage::Ready, main.failures))
    }

    pub(crate) fn get(&self, key: &K) -> Option<&Slot<C, E, D>> {
        if *key == K::default() { Some(&self.main) } else { self.others.get(key) }
    }

    /// The slot, which is added if it does not exist. If there are too many, the slots that were used least recently and have
    /// no flight are removed.
    pub(crate) fn get_mut(&mut self, key: &K, busy: impl FnOnce() -> HashSet<K>) -> &mut Slot<C, E, D> {
        if *key == K::default() {
            return &mut self.main;
        }
        self.uses += 1;
        if self.others.len() >= self.max_others && !self.others.contains_key(key) {
            self.remove_idle(&busy());
        }
        let main = &self.main.held;
        let slot = self
            .others
            .entry(key.clone())
            .or_insert_with(|| Slot::new(Arc::new(Held::empty(main.epoch, Stage::Ready, main.failures))));
        slot.last_use = self.uses;
        slot
    }

    /// Removes idle slots until one more fits. If too few slots are idle, the limit is exceeded for a while.
    fn remove_idle(&mut self, busy: &HashSet<K>) {
        while self.others.len() >= self.max_others {
            let idle = self.others.iter().filter(|(key, _)| !busy.contains(key));
            let Some((oldest, _)) = idle.min_by_key(|(_, slot)| slot.last_use) else { return };
            let oldest = oldest.clone();
            self.others.remove(&oldest);
        }
    }

    /// All slots, the main slot first.
    pub(crate) fn all(&mut self) -> impl Iterator<Item = &mut Slot<C, E, D>> {
        std::iter::once(&mut self.main).chain(self.others.values_mut())
    }

    /// All slots with their keys, the main slot first.
    pub(crate) fn all_with_keys(&self) -> impl Iterator<Item = (K, &Slot<C, E, D>)> {
        let others = self.others.iter().map(|(key, slot)| (key.clone(), slot));
        std::iter::once((K::default(), &self.main)).chain(others)
    }

    /// The slot that holds the credential of this generation.
    pub(crate) fn holder(&self, generation: u64) -> Option<(K, &Slot<C, E, D>)> {
        if self.main.held.generation == generation {
            return Some((K::default(), &self.main));
        }
        let holds = |(_, slot): &(&K, &Slot<C, E, D>)| slot.held.generation == generation;
        self.others.iter().find(holds).map(|(key, slot)| (key.clone(), slot))
    }

    pub(crate) fn remove_others(&mut self) {
        self.others.clear();
    }
}
