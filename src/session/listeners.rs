//! Who is told of events.

use std::fmt;
use std::sync::Arc;

use super::event::Event;
use super::trace;

type Hook = dyn Fn(&Event) + Send + Sync;

/// Who hears of events.
#[derive(Clone, Default)]
pub(crate) struct Listeners(pub(crate) Option<Arc<Hook>>);

impl Listeners {
    /// Whether anybody listens.
    pub(crate) fn is_heard(&self) -> bool {
        self.0.is_some() || trace::is_on()
    }

    /// Tells everybody; the event is made only if somebody hears it.
    pub(crate) fn tell(&self, event: impl FnOnce() -> Event) {
        if !self.is_heard() {
            return;
        }
        let event = event();
        trace::event(&event);
        if let Some(hook) = &self.0 {
            hook(&event);
        }
    }
}

impl fmt::Debug for Listeners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Listeners").field(&self.0.as_ref().map(|_| "…")).finish()
    }
}
