//! A refresher that answers as a test says and records each call.

use crate::util::lock;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;

use crate::gate::Gate;
use crate::journal::Journal;
use reqwest_challenge::Credential;
use reqwest_challenge::{Refresh, RefreshContext, RefreshError, RefreshReason};

type Outcome = Result<Option<Credential>, RefreshError>;
type Answers = dyn Fn(usize, &RefreshContext) -> Outcome + Send + Sync;

/// A refresher that answers as a test says and records each call. Clones share the records.
///
/// By default it gives the bearer tokens `t1`, `t2`, …
#[derive(Clone)]
pub struct RecordingRefresher {
    answers: Arc<Answers>,
    initial: Option<Outcome>,
    gate: Option<Gate>,
    timeout: Duration,
    seen: Arc<Mutex<Seen>>,
    journal: Option<Journal>,
}

#[derive(Default)]
struct Seen {
    contexts: Vec<RefreshContext>,
    initial: usize,
    forgotten: Vec<Option<Credential>>,
}

impl RecordingRefresher {
    /// Gives `t1`, `t2`, …
    #[must_use]
    pub fn new() -> Self {
        Self::answering(|number, _| Ok(Some(Credential::bearer(format!("t{number}")))))
    }

    /// Answers by the number of the call, from 1, and by what it is asked.
    #[must_use]
    pub fn answering(answers: impl Fn(usize, &RefreshContext) -> Outcome + Send + Sync + 'static) -> Self {
        Self {
            answers: Arc::new(answers),
            initial: None,
            gate: None,
            timeout: Duration::from_secs(30),
            seen: Arc::default(),
            journal: None,
        }
    }

    /// Fails each time.
    #[must_use]
    pub fn failing(error: RefreshError) -> Self {
        Self::answering(move |_, _| Err(error.clone()))
    }

    /// Declines each time.
    #[must_use]
    pub fn declining() -> Self {
        Self::answering(|_, _| Ok(None))
    }

    /// The same, with that to begin with.
    #[must_use]
    pub fn with_initial(mut self, initial: Outcome) -> Self {
        self.initial = Some(initial);
        self
    }

    /// The same, but each refresh waits at that gate.
    #[must_use]
    pub fn hold_until(mut self, gate: &Gate) -> Self {
        self.gate = Some(gate.clone());
        self
    }

    /// The same with that timeout for a refresh. 30 seconds by default.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The same, but it records each refresh in that journal.
    #[must_use]
    pub fn with_journal(mut self, journal: &Journal) -> Self {
        self.journal = Some(journal.clone());
        self
    }

    /// How often it was asked for a credential: calls that have begun.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.lock().contexts.len()
    }

    /// How often it was asked what there is to begin with.
    #[must_use]
    pub fn initial_calls(&self) -> usize {
        self.lock().initial
    }

    /// What it was asked, in order.
    #[must_use]
    pub fn contexts(&self) -> Vec<RefreshContext> {
        self.lock().contexts.clone()
    }

    /// Why it was asked, in order.
    #[must_use]
    pub fn reasons(&self) -> Vec<RefreshReason> {
        self.lock().contexts.iter().map(RefreshContext::reason).collect()
    }

    /// What it was told to forget, in order.
    #[must_use]
    pub fn forgotten(&self) -> Vec<Option<Credential>> {
        self.lock().forgotten.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        lock(&self.seen)
    }
}

impl Default for RecordingRefresher {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for RecordingRefresher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordingRefresher").field("calls", &self.calls()).finish_non_exhaustive()
    }
}

#[async_trait]
impl Refresh for RecordingRefresher {
    async fn refresh(&self, context: RefreshContext) -> Outcome {
        let number = {
            let mut seen = self.lock();
            seen.contexts.push(context.clone());
            seen.contexts.len()
        };
        if let Some(journal) = &self.journal {
            journal.refreshed(context.reason());
        }
        if let Some(gate) = &self.gate {
            gate.pass().await;
        }
        (self.answers)(number, &context)
    }

    async fn initial(&self, _context: RefreshContext) -> Outcome {
        self.lock().initial += 1;
        self.initial.clone().unwrap_or(Ok(None))
    }

    async fn forget(&self, context: RefreshContext) -> Result<(), RefreshError> {
        self.lock().forgotten.push(context.credential().cloned());
        Ok(())
    }

    fn timeout(&self) -> Duration {
        self.timeout
    }
}
