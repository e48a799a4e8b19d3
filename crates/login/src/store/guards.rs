//! The guards that a store returns: for a lock, and for reserved space. Dropping a guard releases it.

use std::fmt;

/// A lock of a [`Store`](crate::store::Store). Dropping it releases the lock.
#[must_use = "dropping it releases the lock"]
pub struct StoreLock {
    _guard: Box<dyn Send>,
}

impl StoreLock {
    /// Wraps the store's own guard, for example a locked file or the permit of a semaphore. The guard is dropped with the
    /// lock.
    pub fn new(guard: impl Send + 'static) -> Self {
        Self { _guard: Box::new(guard) }
    }
}

impl fmt::Debug for StoreLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreLock").finish_non_exhaustive()
    }
}

/// What [`Store::prepare`](crate::store::Store::prepare) has reserved for a save, such as disk space. Dropping it gives the
/// reserved space back.
#[must_use = "dropping it gives the reserved space back"]
pub struct Prepared {
    _guard: Option<Box<dyn Send>>,
}

impl Prepared {
    /// Wraps the store's own guard, for example a file that takes the space. The guard is dropped with this value.
    pub fn new(guard: impl Send + 'static) -> Self {
        Self { _guard: Some(Box::new(guard)) }
    }

    /// For a store that reserves nothing.
    pub fn nothing() -> Self {
        Self { _guard: None }
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared").finish_non_exhaustive()
    }
}
