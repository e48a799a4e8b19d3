//! A refresher that records each call and returns what the test configured.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use reqwest_challenge::{Credential, Refresh, RefreshContext, RefreshError, RefreshReason};

use crate::journal::Journal;
use crate::timing::Gate;
use crate::util::lock;

type Outcome = Result<Option<Credential>, RefreshError>;
type Answers = dyn Fn(usize, &RefreshContext) -> Outcome + Send + Sync;

/// A refresher that records each call and returns what the test configured. Clones share the records.
///
/// By default it returns the bearer tokens `t1`, `t2`, `t3` and so on.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use reqwest_challenge::{ChallengeMiddleware, RefreshReason};
/// use reqwest_challenge_testing::{RecordingRefresher, Script};
///
/// let refresher = RecordingRefresher::new();
/// let auth = ChallengeMiddleware::new("https://api.example.com", refresher.clone())?;
/// Script::accepting("t1").client(&auth).get("https://api.example.com/reports").send().await?;
/// assert_eq!(refresher.reasons(), [RefreshReason::Challenged]);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct RecordingRefresher {
    answers: Arc<Answers>,
    initial: Option<Outcome>,
    gate: Option<Gate>,
    timeout: Duration,
    calls: Arc<Mutex<Calls>>,
    journal: Option<Journal>,
}

/// The calls that were recorded.
#[derive(Default)]
struct Calls {
    contexts: Vec<RefreshContext>,
    initial: usize,
    forgotten: Vec<Option<Credential>>,
}

impl RecordingRefresher {
    /// Returns the bearer tokens `t1`, `t2`, `t3` and so on.
    #[must_use]
    pub fn new() -> Self {
        Self::answering(|number, _| Ok(Some(Credential::bearer(format!("t{number}")))))
    }

    /// Returns the result of the function. Its arguments are the number of the refresh, from 1, and the context.
    #[must_use]
    pub fn answering(answers: impl Fn(usize, &RefreshContext) -> Outcome + Send + Sync + 'static) -> Self {
        Self {
            answers: Arc::new(answers),
            initial: None,
            gate: None,
            timeout: Duration::from_secs(30),
            calls: Arc::default(),
            journal: None,
        }
    }

    /// Fails each refresh with this error.
    #[must_use]
    pub fn failing(error: RefreshError) -> Self {
        Self::answering(move |_, _| Err(error.clone()))
    }

    /// Declines each refresh.
    #[must_use]
    pub fn declining() -> Self {
        Self::answering(|_, _| Ok(None))
    }

    /// Sets the result of [`Refresh::initial`], which is `Ok(None)` by default.
    #[must_use]
    pub fn with_initial(mut self, initial: Outcome) -> Self {
        self.initial = Some(initial);
        self
    }

    /// Holds each refresh back until the gate lets it pass.
    #[must_use]
    pub fn hold_until(mut self, gate: &Gate) -> Self {
        self.gate = Some(gate.clone());
        self
    }

    /// Sets the timeout of a refresh, which is 30 seconds by default.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Records each refresh into this journal too.
    #[must_use]
    pub fn with_journal(mut self, journal: &Journal) -> Self {
        self.journal = Some(journal.clone());
        self
    }

    /// How many refreshes have begun.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.lock().contexts.len()
    }

    /// How often [`Refresh::initial`] was called.
    #[must_use]
    pub fn initial_calls(&self) -> usize {
        self.lock().initial
    }

    /// The context of each refresh, in order.
    #[must_use]
    pub fn contexts(&self) -> Vec<RefreshContext> {
        self.lock().contexts.clone()
    }

    /// The reason of each refresh, in order.
    #[must_use]
    pub fn reasons(&self) -> Vec<RefreshReason> {
        self.lock().contexts.iter().map(RefreshContext::reason).collect()
    }

    /// The credential of each call of [`Refresh::forget`], in order.
    #[must_use]
    pub fn forgotten(&self) -> Vec<Option<Credential>> {
        self.lock().forgotten.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Calls> {
        lock(&self.calls)
    }
}

impl Default for RecordingRefresher {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Refresh for RecordingRefresher {
    async fn refresh(&self, context: RefreshContext) -> Outcome {
        let number = {
            let mut calls = self.lock();
            calls.contexts.push(context.clone());
            calls.contexts.len()
        };
        if let Some(journal) = &self.journal {
            journal.add_refresh(context.reason());
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

impl fmt::Debug for RecordingRefresher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordingRefresher").field("calls", &self.calls()).finish_non_exhaustive()
    }
}
