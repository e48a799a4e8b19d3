//! What the servers have seen, and the faults that they found.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::issuer::Issuer;
use crate::random::Random;

/// How many calls are remembered. A call ends long before that many others have started.
const MAX_CALLS: usize = 50_000;

/// The state of the three servers.
pub(crate) struct World {
    pub(crate) random: Random,
    pub(crate) issuer: Issuer,
    sends: HashMap<String, u32>,
    order: VecDeque<String>,
    pub(crate) counts: Counts,
    /// Each entry is a fault of the client.
    pub(crate) faults: Vec<String>,
}

/// What happened in a run.
#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) calls: u64,
    pub(crate) sends: u64,
    pub(crate) refused: u64,
    pub(crate) cut: u64,
    pub(crate) redirects: u64,
    pub(crate) foreign: u64,
    pub(crate) jumps: u64,
    pub(crate) kills: u64,
    pub(crate) third_sends: u64,
    pub(crate) foreign_sends: u64,
    pub(crate) crashes: u64,
}

#[derive(Clone)]
pub(crate) struct Shared(Arc<Mutex<World>>);

impl Shared {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(World {
            random: Random::new(seed),
            issuer: Issuer::default(),
            sends: HashMap::new(),
            order: VecDeque::new(),
            counts: Counts::default(),
            faults: Vec::new(),
        })))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl World {
    /// Counts a send of this call to the API. A third one is a fault.
    pub(crate) fn count_send(&mut self, call: &str) {
        self.counts.sends += 1;
        if !self.sends.contains_key(call) {
            self.counts.calls += 1;
            self.order.push_back(call.to_owned());
        }
        let sends = self.sends.entry(call.to_owned()).or_default();
        *sends += 1;
        if *sends > 2 {
            self.counts.third_sends += 1;
            self.faults.push(format!("call {call} was sent {sends} times"));
        }
        while self.order.len() > MAX_CALLS {
            let oldest = self.order.pop_front().unwrap_or_default();
            self.sends.remove(&oldest);
        }
    }

    /// Counts a request to the foreign server. A credential in it is a fault.
    pub(crate) fn count_foreign(&mut self, has_credential: bool) {
        self.counts.foreign += 1;
        if has_credential {
            self.counts.foreign_sends += 1;
            self.faults.push("a credential was sent to the foreign server".to_owned());
        }
    }
}
