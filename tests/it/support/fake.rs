//! The kit's refresher with a gate of its own.

use std::ops::Deref;
use std::time::Duration;

use async_trait::async_trait;
use reqwest_challenge::{Credential, Refresh, RefreshContext, RefreshError};
use reqwest_challenge_testing::{Gate, RecordingRefresher};

pub(crate) use reqwest_challenge_testing::{ManualClock as Hands, until};

use crate::support::traced;

type Outcome = Result<Option<Credential>, RefreshError>;

/// A refresher that gives `t1`, `t2`, … unless it is told otherwise.
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

    /// Answers by the number of the call, from 1, and by what it is asked.
    pub(crate) fn answering(answer: impl Fn(usize, &RefreshContext) -> Outcome + Send + Sync + 'static) -> Self {
        Self::of(RecordingRefresher::answering(answer))
    }

    pub(crate) fn failing(error: RefreshError) -> Self {
        Self::of(RecordingRefresher::failing(error))
    }

    /// What there is to begin with.
    pub(crate) fn with_initial(self, initial: Outcome) -> Self {
        Self(self.0.with_initial(initial), self.1)
    }

    /// Holds each call until [`open`](Self::open) lets one through.
    pub(crate) fn gated(self) -> Self {
        Self(self.0.hold_until(&self.1), self.1)
    }

    pub(crate) fn with_timeout(self, timeout: Duration) -> Self {
        Self(self.0.with_timeout(timeout), self.1)
    }

    pub(crate) fn open(&self) {
        self.1.let_one_through();
    }

    /// Waits until that many calls have begun.
    pub(crate) async fn begun(&self, calls: usize) {
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

/// A refresher whose calls stand in that server's journal.
pub(crate) fn recorded(script: &reqwest_challenge_testing::Script) -> RecordingRefresher {
    RecordingRefresher::new().with_journal(script.journal())
}
