//! The synchronisation primitives of the session's state. The model checker replaces this file by its own.

pub(super) use std::sync::{Arc, Mutex};

pub(super) use crate::util::lock;
