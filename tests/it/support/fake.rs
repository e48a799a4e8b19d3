//! The kit's refresher with a gate of its own.

use std::ops::Deref;
use std::time::Duration;

use async_trait::async_trait;
use reqwest_challenge::testing::{Gate, RecordingRefresher};
use reqwest_challenge::{Credential, Refresh, RefreshError, Rejection};

pub(crate) use reqwest_challenge::testing::{ManualClock as Hands, until};

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
    pub(crate) fn answering(answer: impl Fn(usize, &Rejection) -> Outcome + Send + Sync + 'static) -> Self {
        Self::of(RecordingRefresher::answering(answer))
    }

    pub(crate) fn failing(error: RefreshError) -> Self {
        Self::of(RecordingRefresher::failing(error))
    }

    /// What there is to begin with.
    pub(crate) fn initially(self, initial: Outcome) -> Self {
        Self(self.0.initially(initial), self.1)
    }

    /// Holds each call until [`open`](Self::open) lets one through.
    pub(crate) fn gated(self) -> Self {
        Self(self.0.held(&self.1), self.1)
    }

    pub(crate) fn within(self, timeout: Duration) -> Self {
        Self(self.0.within(timeout), self.1)
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
    async fn refresh(&self, rejection: Rejection) -> Outcome {
        self.0.refresh(rejection).await
    }

    async fn initial(&self) -> Outcome {
        self.0.initial().await
    }

    async fn forget(&self, credential: Option<Credential>) -> Result<(), RefreshError> {
        self.0.forget(credential).await
    }

    fn timeout(&self) -> Duration {
        self.0.timeout()
    }
}

/// A refresher whose calls stand in that server's journal.
#[cfg(feature = "lint")]
pub(crate) fn recorded(script: &reqwest_challenge::testing::Script) -> RecordingRefresher {
    RecordingRefresher::new().in_journal(script.journal())
}
