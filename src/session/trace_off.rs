//! Writes nothing, because the `tracing` feature is off.

use std::future::Future;

use super::event::Event;
use crate::refresh::RefreshReason;

pub(crate) fn is_on() -> bool {
    false
}

pub(crate) fn event(_event: &Event) {}

pub(crate) fn refresh<F: Future>(_reason: RefreshReason, work: F) -> F {
    work
}
