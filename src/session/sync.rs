//! The synchronisation primitives of the session's state. The model checker in `model/` replaces this file.

pub(super) use std::sync::{Arc, Mutex};

pub(super) use crate::util::lock;
