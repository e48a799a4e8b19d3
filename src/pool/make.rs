//! Calls the factory of a pool once for all callers of a key.

use std::hash::Hash;
use std::sync::Arc;

use super::entries::{State, Taken};
use super::shared::{Inner, Outcome};
use crate::error::{TenantError, TenantErrorKind};
use crate::middleware::ChallengeMiddleware;
use crate::session::Flight;
use crate::util::lock;

impl<K: Eq + Hash + Clone + Send + Sync + 'static> Inner<K> {
    /// The middleware of a key. If there is none, the factory makes it.
    pub(super) async fn middleware(self: &Arc<Self>, key: &K) -> Outcome {
        let now = self.clock.now();
        let Taken { state, added, removed } =
            lock(&self.entries).take(key, Flight::new, now, ChallengeMiddleware::is_in_use);
        let flight = match state {
            State::Ready(middleware) => return Ok(middleware),
            State::Making(flight) => flight,
        };
        let making = added.map(|key| Making { pool: self.clone(), key, flight: flight.clone(), has_outcome: false });
        // Outside of the lock: the drop of a session may run any code. If it panics, the drop of `making` ends the flight.
        drop(removed);
        if let Some(making) = making {
            making.start();
        }
        flight.wait().await
    }
}

/// A running factory. When it is dropped without an outcome, because of a panic or the end of its runtime, its callers get
/// an error.
struct Making<K: Eq + Hash + Clone + Send + Sync + 'static> {
    pool: Arc<Inner<K>>,
    key: Arc<K>,
    flight: Arc<Flight<Outcome>>,
    has_outcome: bool,
}

impl<K: Eq + Hash + Clone + Send + Sync + 'static> Making<K> {
    /// Runs the factory on a separate task, which outlives the caller. Without a runtime, the callers get an error.
    fn start(mut self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        drop(runtime.spawn(async move {
            let made = (self.pool.factory)(K::clone(&self.key)).await;
            let made = made.map_err(|source| TenantError::new(TenantErrorKind::Factory).caused_by(source));
            if let Ok(middleware) = &made {
                self.pool.lend_client(middleware);
            }
            self.finish(made);
        }));
    }

    fn finish(&mut self, outcome: Outcome) {
        self.has_outcome = true;
        let is_same = |flight: &Arc<Flight<Outcome>>| Arc::ptr_eq(flight, &self.flight);
        lock(&self.pool.entries).finish(&self.key, outcome.as_ref().ok().cloned(), is_same);
        self.flight.complete(outcome);
    }
}

impl<K: Eq + Hash + Clone + Send + Sync + 'static> Drop for Making<K> {
    fn drop(&mut self) {
        if !self.has_outcome {
            let kind = if std::thread::panicking() { TenantErrorKind::Panicked } else { TenantErrorKind::Gone };
            self.finish(Err(TenantError::new(kind)));
        }
    }
}
