//! A value that is allocated when it is first needed.

use std::sync::OnceLock;

/// A value that most sessions never need. It is allocated when it is first needed, because a pool has many sessions.
#[derive(Debug)]
pub(crate) struct LazyBox<T>(OnceLock<Box<T>>);

impl<T: Default> LazyBox<T> {
    /// The value, if it is allocated.
    pub(crate) fn get(&self) -> Option<&T> {
        self.0.get().map(|value| &**value)
    }

    /// The value, which is allocated if it is not yet.
    pub(crate) fn get_or_default(&self) -> &T {
        self.0.get_or_init(Box::default)
    }
}

impl<T> Default for LazyBox<T> {
    fn default() -> Self {
        Self(OnceLock::new())
    }
}
