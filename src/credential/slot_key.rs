//! Names of the slots of a session.

use std::sync::Arc;

/// Names a slot of a session. Each slot has its own credential.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum SlotKey {
    /// Requests that belong to no other slot.
    #[default]
    Main,
    /// Requests to which the caller gave the name of a partition.
    Partition(Arc<str>),
    /// Requests for a resource that the server named in addition to the first one (RFC 9728).
    Resource(Arc<str>),
}
