//! Finds the parameters of one challenge that have the same name, in a time that is linear in the length of the names.

use std::hash::{BuildHasher, Hasher, RandomState};

/// A hash table of the names in the challenges with many parameters or with long names.
///
/// The hash has a random key, so a server cannot choose names that share one entry.
#[derive(Clone)]
pub(super) struct Names {
    state: RandomState,
    entries: Box<[Entry]>,
    /// The names of the parameters before this one are in the table, or belong to a challenge without names in the table.
    next: usize,
}

/// An entry of the table.
#[derive(Clone, Copy, Default)]
struct Entry {
    /// The number of the parameter plus one. Zero if the entry is free.
    number: u16,
    /// A part of the hash that does not choose the entry.
    tag: u16,
}

impl Names {
    /// A table for at most `capacity` names.
    pub(super) fn new(capacity: usize) -> Self {
        // At least half of the entries are free, so a search looks at few of them.
        Self { state: RandomState::new(), entries: vec![Entry::default(); 2 * capacity].into(), next: 0 }
    }

    /// Adds the names of the last challenge, whose parameters are `first` up to `last`. Returns whether the name of the last
    /// one was there before. `name` gives the name of a parameter.
    pub(super) fn add<'n>(&mut self, first: usize, last: usize, name: impl Fn(usize) -> &'n [u8]) -> bool {
        let mut is_known = false;
        for number in self.next.max(first)..=last {
            is_known = self.insert(first, number, &name);
        }
        self.next = last + 1;
        is_known
    }

    fn insert<'n>(&mut self, first: usize, number: usize, name: impl Fn(usize) -> &'n [u8]) -> bool {
        let hash = self.hash(first, name(number));
        let tag = (hash >> 48) as u16;
        let mut at = hash as usize % self.entries.len();
        // Ends at a free entry, because there are fewer names than entries.
        while self.entries[at].number > 0 {
            let earlier = usize::from(self.entries[at].number) - 1;
            let is_same = self.entries[at].tag == tag && earlier >= first;
            if is_same && name(earlier).eq_ignore_ascii_case(name(number)) {
                return true;
            }
            at = (at + 1) % self.entries.len();
        }
        self.entries[at] = Entry { number: number as u16 + 1, tag };
        false
    }

    /// A hash of a name in lower case, which differs between challenges.
    fn hash(&self, first: usize, name: &[u8]) -> u64 {
        let mut hasher = self.state.build_hasher();
        hasher.write_usize(first);
        for chunk in name.chunks(64) {
            let mut folded = [0; 64];
            let folded = &mut folded[..chunk.len()];
            folded.copy_from_slice(chunk);
            folded.make_ascii_lowercase();
            hasher.write(folded);
        }
        hasher.finish()
    }
}
