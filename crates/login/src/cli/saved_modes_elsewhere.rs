//! The modes of a console that is not a Unix terminal. The system restores them when a read ends.

/// Nothing needs to be restored.
#[derive(Default)]
pub(super) struct SavedModes;
