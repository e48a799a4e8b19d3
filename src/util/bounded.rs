//! A list of bounded length.

use std::collections::vec_deque::{Iter, IterMut, VecDeque};
use std::fmt;

/// A list of at most `CAPACITY` entries. If it is full, a new entry replaces the oldest one.
///
/// It serves as a small cache: [`replace`](Self::replace) keeps one entry for each key, and
/// [`take`](Self::take) followed by [`push`](Self::push) makes an entry the newest one, so that the least recently used
/// entry is dropped first. A search looks at each entry, so the list suits at most some hundred entries.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct BoundedList<T, const CAPACITY: usize>(VecDeque<T>);

impl<T, const CAPACITY: usize> BoundedList<T, CAPACITY> {
    /// Creates an empty list. It allocates nothing before the first entry.
    #[must_use]
    pub(crate) const fn new() -> Self {
        const { assert!(CAPACITY > 0, "the capacity is zero") };
        Self(VecDeque::new())
    }

    /// Adds an entry as the newest one. If the list is full, the oldest entry is dropped.
    pub(crate) fn push(&mut self, entry: T) {
        if self.0.len() == CAPACITY {
            self.0.pop_front();
        }
        if self.0.is_empty() {
            // Many lists have one entry.
            self.0.reserve_exact(1);
        }
        self.0.push_back(entry);
    }

    /// Adds an entry as the newest one, in place of all entries for which `is_same` returns `true`.
    pub(crate) fn replace(&mut self, entry: T, mut is_same: impl FnMut(&T) -> bool) {
        self.retain(|other| !is_same(other));
        self.push(entry);
    }

    /// Removes and returns the oldest entry for which `is_wanted` returns `true`.
    #[cfg_attr(not(feature = "digest"), allow(dead_code, reason = "used by Digest"))]
    pub(crate) fn take(&mut self, is_wanted: impl FnMut(&T) -> bool) -> Option<T> {
        let index = self.0.iter().position(is_wanted)?;
        self.0.remove(index)
    }

    /// Removes all entries for which `keeps` returns `false`.
    pub(crate) fn retain(&mut self, keeps: impl FnMut(&T) -> bool) {
        self.0.retain(keeps);
    }

    /// Removes all entries.
    #[cfg_attr(not(feature = "digest"), allow(dead_code, reason = "used by Digest"))]
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Returns the entries, the oldest one first.
    pub(crate) fn iter(&self) -> Iter<'_, T> {
        self.0.iter()
    }

    /// Returns the entries for changes, the oldest one first.
    pub(crate) fn iter_mut(&mut self) -> IterMut<'_, T> {
        self.0.iter_mut()
    }

    /// Returns the number of entries.
    #[must_use]
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

impl<T, const CAPACITY: usize> Default for BoundedList<T, CAPACITY> {
    fn default() -> Self {
        Self::new()
    }
}

/// Prints the number of entries. The entries may contain secrets.
impl<T, const CAPACITY: usize> fmt::Debug for BoundedList<T, CAPACITY> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundedList").field("len", &self.len()).field("capacity", &CAPACITY).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::BoundedList;

    fn list(entries: &[(u8, char)]) -> BoundedList<(u8, char), 3> {
        let mut list = BoundedList::new();
        entries.iter().for_each(|entry| list.push(*entry));
        list
    }

    fn entries(list: &BoundedList<(u8, char), 3>) -> Vec<(u8, char)> {
        list.iter().copied().collect()
    }

    #[test]
    fn a_new_entry_drops_the_oldest_one_of_a_full_list() {
        let list = list(&[(1, 'a'), (2, 'b'), (3, 'c'), (4, 'd')]);
        assert_eq!(entries(&list), [(2, 'b'), (3, 'c'), (4, 'd')]);
        assert_eq!(list.len(), 3);
    }

    #[test]
    fn a_replaced_entry_drops_no_other_one() {
        let mut list = list(&[(1, 'a'), (2, 'b'), (3, 'c')]);
        list.replace((1, 'd'), |(key, _)| *key == 1);
        assert_eq!(entries(&list), [(2, 'b'), (3, 'c'), (1, 'd')]);
        list.replace((4, 'e'), |(key, _)| *key == 4);
        assert_eq!(entries(&list), [(3, 'c'), (1, 'd'), (4, 'e')]);
    }

    #[test]
    fn an_entry_that_is_taken_and_added_again_is_dropped_last() {
        let mut list = list(&[(1, 'a'), (2, 'b'), (3, 'c')]);
        let used = list.take(|(key, _)| *key == 1);
        assert_eq!(used, Some((1, 'a')));
        list.push((1, 'a'));
        list.push((4, 'd'));
        assert_eq!(entries(&list), [(3, 'c'), (1, 'a'), (4, 'd')]);
        assert_eq!(list.take(|(key, _)| *key == 2), None);
    }

    #[test]
    fn the_oldest_of_equal_entries_is_taken() {
        let mut list = list(&[(1, 'a'), (1, 'b')]);
        assert_eq!(list.take(|(key, _)| *key == 1), Some((1, 'a')));
        assert_eq!(entries(&list), [(1, 'b')]);
    }

    #[test]
    fn the_debug_output_has_no_entries() {
        let text = format!("{:?}", list(&[(1, 'x')]));
        assert_eq!(text, "BoundedList { len: 1, capacity: 3, .. }");
    }
}
