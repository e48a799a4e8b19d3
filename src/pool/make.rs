//! Calls the factory of a pool once for all callers of a key.

use std::hash::Hash;
use std::sync::Arc;

use super::entries::State;
use super::shared::{Inner, Outcome};
use crate::error::{TenantError, TenantErrorKind};
use crate::middleware::ChallengeMiddleware;
use crate::session::Flight;
use crate::util::lock;

impl<K: Eq + Hash + Clone + Send + Sync + 'static> Inner<K> {
    /// The middleware of a key. If there is none, the factory makes it.
    pub(super) async fn middleware(self: &Arc<Self>, key: &K) -> Outcome {
        let now = self.clock.now();
        let (wait, start, removed) = {
            let mut entries = lock(&self.entries);
            match entries.get(key, now) {
                Some(State::Ready(middleware)) => {
                    let removed = entries.evict(now, ChallengeMiddleware::is_in_use, false);
                    drop(entries);
                    drop(removed);
                    return Ok(middleware);
                }
                Some(State::Making(flight)) => (flight.wait(), None, Vec::new()),
                None => {
                    let flight: Arc<Flight<Outcome>> = Flight::new();
                    let (wait, key) = (flight.wait(), Arc::new(key.clone()));
                    entries.add(key.clone(), flight.clone(), now);
                    let removed = entries.evict(now, ChallengeMiddleware::is_in_use, false);
                    (wait, Some(Making { pool: self.clone(), key, flight, has_outcome: false }), removed)
                }
            }
        };
        // Outside of the lock: the drop of a session may run any code.
        drop(removed);
        if let Some(making) = start {
            making.start();
        }
        wait.await
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
