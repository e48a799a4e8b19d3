//! The refresher of the test kit, with a gate.

use std::ops::Deref;
use std::time::Duration;

use async_trait::async_trait;
use reqwest_challenge::{Credential, Refresh, RefreshContext, RefreshError};
use reqwest_challenge_testing::{Gate, RecordingRefresher};

pub(crate) use reqwest_challenge_testing::{ManualClock, until};

use crate::support::traced;

type Outcome = Result<Option<Credential>, RefreshError>;

/// A refresher that returns `t1`, `t2`, … by default.
#[derive(Clone)]
pub(crate) struct Fake(RecordingRefresher, Gate);

impl Fake {
    pub(crate) fn new() -> Self {
        Self::of(RecordingRefresher::new())
    }

    fn of(refresher: RecordingRefresher) -> Self {
        traced::install();
        Self(refresher, Gate::closed())
    }

    /// Answers by the number of the call, from 1, and by the context.
    pub(crate) fn answering(answer: impl Fn(usize, &RefreshContext) -> Outcome + Send + Sync + 'static) -> Self {
        Self::of(RecordingRefresher::answering(answer))
    }

    pub(crate) fn failing(error: RefreshError) -> Self {
        Self::of(RecordingRefresher::failing(error))
    }

    /// Sets the result of the initial call.
    pub(crate) fn with_initial(self, initial: Outcome) -> Self {
        Self(self.0.with_initial(initial), self.1)
    }

    /// Holds each call until [`let_one_through`](Self::let_one_through) is called.
    pub(crate) fn gated(self) -> Self {
        Self(self.0.hold_until(&self.1), self.1)
    }

    pub(crate) fn with_timeout(self, timeout: Duration) -> Self {
        Self(self.0.with_timeout(timeout), self.1)
    }

    pub(crate) fn let_one_through(&self) {
        self.1.let_one_through();
    }

    /// Waits until that many calls have started.
    pub(crate) async fn wait_for_calls(&self, calls: usize) {
        until(|| self.calls() >= calls).await;
    }
}

impl Deref for Fake {
    type Target = RecordingRefresher;

    fn deref(&self) -> &RecordingRefresher {
        &self.0
    }
}

#[async_trait]
impl Refresh for Fake {
    async fn refresh(&self, context: RefreshContext) -> Outcome {
        self.0.refresh(context).await
    }

    async fn initial(&self, context: RefreshContext) -> Outcome {
        self.0.initial(context).await
    }

    async fn forget(&self, context: RefreshContext) -> Result<(), RefreshError> {
        self.0.forget(context).await
    }

    fn timeout(&self) -> Duration {
        self.0.timeout()
    }
}

/// A refresher whose calls are recorded in the journal of that server.
pub(crate) fn recorded(script: &reqwest_challenge_testing::Script) -> RecordingRefresher {
    RecordingRefresher::new().with_journal(script.journal())
}
