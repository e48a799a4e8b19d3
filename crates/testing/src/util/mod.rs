//! Utilities that several modules use.

mod lock;

pub(crate) use lock::lock;
