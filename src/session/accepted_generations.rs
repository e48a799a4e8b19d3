//! The generations of the credentials that the server has accepted, so that a further success takes no lock.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::util::LazyBox;

/// How many generations are remembered if several credentials are in use. A success needs no lock while at most this many
/// slots are in use.
const MAX_GENERATIONS: usize = 64;

/// The last generations that the server accepted.
///
/// Nearly every session uses one credential at a time, so one number is enough. The table is allocated when the server
/// accepts an older credential after a newer one.
#[derive(Debug, Default)]
pub(super) struct AcceptedGenerations {
    newest: AtomicU64,
    table: LazyBox<Table>,
}

/// A generation is stored at the index that is its remainder modulo the length.
#[derive(Debug)]
struct Table([AtomicU64; MAX_GENERATIONS]);

impl Table {
    fn place(&self, generation: u64) -> &AtomicU64 {
        &self.0[generation as usize % MAX_GENERATIONS]
    }
}

impl Default for Table {
    fn default() -> Self {
        Self([const { AtomicU64::new(0) }; MAX_GENERATIONS])
    }
}

impl AcceptedGenerations {
    /// Whether the server is known to have accepted the credential of this generation.
    #[inline]
    pub(super) fn contains(&self, generation: u64) -> bool {
        self.newest.load(Ordering::Relaxed) == generation || self.is_in_table(generation)
    }

    fn is_in_table(&self, generation: u64) -> bool {
        self.table.get().is_some_and(|table| table.place(generation).load(Ordering::Relaxed) == generation)
    }

    /// Adds a generation. Returns whether it is new.
    pub(super) fn add(&self, generation: u64) -> bool {
        let newest = self.newest.fetch_max(generation, Ordering::Relaxed);
        if newest < generation && self.table.get().is_none() {
            return true;
        }
        if newest == generation {
            return false;
        }
        self.table.get_or_default().place(generation).swap(generation, Ordering::Relaxed) != generation
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_generation_is_new_once_in_whatever_order() {
        let accepted = AcceptedGenerations::default();
        for (generation, is_new) in
            [(1, true), (1, false), (5, true), (2, true), (5, false), (2, false), (9, true), (2, false), (9, false)]
        {
            assert_eq!(accepted.add(generation), is_new, "{generation}");
            assert!(accepted.contains(generation));
        }
        assert!(!accepted.contains(3));
    }
}
