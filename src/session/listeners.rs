//! Reports events to the caller's function, to `tracing` and to the metrics.

use std::fmt;
use std::sync::Arc;

use super::event::Event;
use super::{metrics, trace};

type Listener = dyn Fn(&Event) + Send + Sync;

/// Where events are reported.
#[derive(Clone, Default)]
pub(crate) struct Listeners(pub(crate) Option<Arc<Listener>>);

impl Listeners {
    /// Whether events are reported anywhere.
    pub(crate) fn is_active(&self) -> bool {
        self.0.is_some() || trace::is_on()
    }

    /// Reports an event to the trace and to the listener. `event` is called only if there is one of them.
    pub(crate) fn notify(&self, event: impl FnOnce() -> Event) {
        if self.is_active() {
            self.report(&event());
        }
    }

    /// Reports an event to the metrics, the trace and the listener. `event` is called only if there is one of them.
    pub(crate) fn count(&self, event: impl FnOnce() -> Event) {
        if metrics::IS_ON || self.is_active() {
            let event = event();
            metrics::count(&event);
            self.report(&event);
        }
    }

    fn report(&self, event: &Event) {
        trace::event(event);
        if let Some(listener) = &self.0 {
            listener(event);
        }
    }
}

impl fmt::Debug for Listeners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Listeners").field(&self.0.as_ref().map(|_| "…")).finish()
    }
}
