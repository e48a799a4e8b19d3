//! Nothing is traced: the `tracing` feature is off.

use std::future::Future;

use crate::event::Event;
use crate::refresh::Cause;

pub(crate) fn is_on() -> bool {
    false
}

pub(crate) fn event(_event: &Event) {}

pub(crate) fn refresh<F: Future>(_cause: Cause, work: F) -> F {
    work
}
