//! The slots of a session: the main slot, and a bounded number of others.

use std::collections::{BTreeMap, HashMap};
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

/// How many slots with a flight are passed over in the search for an idle one. If all are busy, the limit is exceeded for a
/// while.
const MAX_PASSED_OVER: usize = 8;

pub(crate) struct Slots<C, E, D, K> {
    pub(crate) main: Slot<C, E, D>,
    /// Allocated with the first other slot, because a pool has many sessions without one.
    others: Option<Box<Others<C, E, D, K>>>,
    /// How many slots there may be in addition to the main slot.
    max_others: usize,
}

struct Others<C, E, D, K> {
    slots: HashMap<K, Slot<C, E, D>>,
    /// Each slot once, under the number of its last use or of an earlier use. So a use need not change this map.
    by_use: BTreeMap<u64, K>,
    /// The slots by the generation that they hold.
    holders: HashMap<u64, K>,
    /// Counts uses, to find the slot that was used least recently.
    uses: u64,
}

impl<C: Clone, E: Clone, D: Clone + PartialEq + Default, K: Key> Slots<C, E, D, K> {
    pub(crate) fn new(max_others: usize) -> Self {
        Self { main: Slot::new(Arc::new(Held::empty(0, Stage::New, 0))), others: None, max_others }
    }

    /// What a request of this slot carries.
    pub(crate) fn held_in(&mut self, key: &K) -> Arc<Held<C, D>> {
        let main = &self.main.held;
        if *key == K::default() || main.stage == Stage::LoggedOut {
            return main.clone();
        }
        if let Some(slot) = self.others.as_mut().and_then(|others| others.used(key))
            && slot.held.generation > 0
        {
            return slot.held.clone();
        }
        if key.inherits_main() || main.stage == Stage::New {
            return main.clone();
        }
        Arc::new(Held::empty(main.epoch, Stage::Ready, main.failures))
    }

    pub(crate) fn get(&self, key: &K) -> Option<&Slot<C, E, D>> {
        if *key == K::default() { Some(&self.main) } else { self.others.as_ref()?.slots.get(key) }
    }

    /// The slot, which is added if it does not exist. If there are too many, the slots that were used least recently and are
    /// not busy are removed.
    pub(crate) fn get_mut(&mut self, key: &K, is_busy: impl Fn(&K) -> bool) -> &mut Slot<C, E, D> {
        if *key == K::default() {
            return &mut self.main;
        }
        let main = &self.main.held;
        let others = self.others.get_or_insert_with(Box::default);
        let is_new = !others.slots.contains_key(key);
        if is_new {
            others.remove_idle(self.max_others, is_busy);
        }
        others.uses += 1;
        if is_new {
            others.by_use.insert(others.uses, key.clone());
        }
        let new = || Slot::new(Arc::new(Held::empty(main.epoch, Stage::Ready, main.failures)));
        let slot = others.slots.entry(key.clone()).or_insert_with(new);
        slot.last_use = others.uses;
        slot
    }

    /// Holds a newer credential in a slot, which is added if it does not exist. Returns what the slot holds.
    pub(crate) fn hold(&mut self, key: &K, newer: Held<C, D>, is_busy: impl Fn(&K) -> bool) -> Arc<Held<C, D>> {
        let generation = newer.generation;
        let slot = self.get_mut(key, is_busy);
        let older = slot.held.generation;
        slot.hold(newer);
        let held = slot.held.clone();
        if let Some(others) = self.others.as_mut().filter(|_| *key != K::default()) {
            others.holders.remove(&older);
            others.holders.insert(generation, key.clone());
        }
        held
    }

    /// All slots, the main slot first.
    pub(crate) fn all(&mut self) -> impl Iterator<Item = &mut Slot<C, E, D>> {
        let others = self.others.iter_mut().flat_map(|others| others.slots.values_mut());
        std::iter::once(&mut self.main).chain(others)
    }

    /// All slots with their keys, the main slot first.
    pub(crate) fn all_with_keys(&self) -> impl Iterator<Item = (K, &Slot<C, E, D>)> {
        let others = self.others.iter().flat_map(|others| &others.slots);
        std::iter::once((K::default(), &self.main)).chain(others.map(|(key, slot)| (key.clone(), slot)))
    }

    /// The slot that holds the credential of this generation.
    pub(crate) fn holder(&self, generation: u64) -> Option<(K, &Slot<C, E, D>)> {
        if self.main.held.generation == generation {
            return Some((K::default(), &self.main));
        }
        let others = self.others.as_ref()?;
        let key = others.holders.get(&generation)?;
        Some((key.clone(), others.slots.get(key)?))
    }

    /// The slot that holds the credential of this generation, for a change.
    pub(crate) fn holder_mut(&mut self, generation: u64) -> Option<&mut Slot<C, E, D>> {
        if self.main.held.generation == generation {
            return Some(&mut self.main);
        }
        let others = self.others.as_mut()?;
        others.slots.get_mut(others.holders.get(&generation)?)
    }

    pub(crate) fn remove_others(&mut self) {
        self.others = None;
    }
}

impl<C, E, D, K> Default for Others<C, E, D, K> {
    fn default() -> Self {
        Self { slots: HashMap::new(), by_use: BTreeMap::new(), holders: HashMap::new(), uses: 0 }
    }
}

impl<C, E, D, K: Key> Others<C, E, D, K> {
    /// The slot, if it exists. Counts a use.
    fn used(&mut self, key: &K) -> Option<&mut Slot<C, E, D>> {
        let slot = self.slots.get_mut(key)?;
        self.uses += 1;
        slot.last_use = self.uses;
        Some(slot)
    }

    /// Removes the slots that were used least recently, until one more fits.
    fn remove_idle(&mut self, max: usize, is_busy: impl Fn(&K) -> bool) {
        let mut passed_over = 0;
        while self.slots.len() >= max.max(1)
            && passed_over < MAX_PASSED_OVER
            && let Some((listed, key)) = self.by_use.pop_first()
        {
            let Some(slot) = self.slots.get_mut(&key) else { continue };
            if slot.last_use == listed && is_busy(&key) {
                // A slot with a flight counts as used now.
                self.uses += 1;
                slot.last_use = self.uses;
                passed_over += 1;
            }
            if slot.last_use > listed {
                self.by_use.insert(slot.last_use, key);
                continue;
            }
            let generation = slot.held.generation;
            self.slots.remove(&key);
            self.holders.remove(&generation);
        }
    }
}
