//! The refresher inside a decorator.

use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use reqwest_challenge::{Credential, Refresh, RefreshContext, RefreshError};

use crate::util::lock;

/// The result of `refresh` and of `initial`.
pub(super) type Answer = Result<Option<Credential>, RefreshError>;

type Act = dyn Fn(RefreshContext) -> Pin<Box<dyn Future<Output = Answer> + Send>> + Send + Sync;

/// The timeout of the refresher inside. No other refresher has it by accident.
pub(super) const TIMEOUT: Duration = Duration::from_secs(421);

/// The refresher inside a decorator. It records its calls, and returns what the check says.
pub(super) struct Inside {
    act: Box<Act>,
    initial: Answer,
    forget: Result<(), RefreshError>,
    needs_challenge: bool,
    holds_unsaved: bool,
    refreshed: Mutex<Vec<RefreshContext>>,
    forgotten: Mutex<Vec<RefreshContext>>,
}

impl Inside {
    /// Does this in each refresh.
    pub(super) fn acting<F>(act: impl Fn(RefreshContext) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Answer> + Send + 'static,
    {
        Self {
            act: Box::new(move |context| Box::pin(act(context))),
            initial: Ok(None),
            forget: Ok(()),
            needs_challenge: false,
            holds_unsaved: false,
            refreshed: Mutex::default(),
            forgotten: Mutex::default(),
        }
    }

    /// Gives this answer in each refresh.
    pub(super) fn answering(answer: Answer) -> Self {
        Self::acting(move |_| ready(answer.clone()))
    }

    /// Returns this credential in each refresh.
    pub(super) fn returning(credential: &Credential) -> Self {
        Self::answering(Ok(Some(credential.clone())))
    }

    pub(super) fn with_initial(self, initial: Answer) -> Self {
        Self { initial, ..self }
    }

    pub(super) fn with_forget(self, forget: Result<(), RefreshError>) -> Self {
        Self { forget, ..self }
    }

    pub(super) fn with_needs_challenge(self, needs_challenge: bool) -> Self {
        Self { needs_challenge, ..self }
    }

    /// A refresher that could not save a credential.
    pub(super) fn with_unsaved(self) -> Self {
        Self { holds_unsaved: true, ..self }
    }

    /// The contexts of the refreshes, in order.
    pub(super) fn refreshed(&self) -> Vec<RefreshContext> {
        lock(&self.refreshed).clone()
    }

    /// The contexts of the calls of `forget`, in order.
    pub(super) fn forgotten(&self) -> Vec<RefreshContext> {
        lock(&self.forgotten).clone()
    }
}

/// The refresher that the decorator gets. The check keeps the other reference, to read the records.
pub(super) struct Shared(pub(super) Arc<Inside>);

#[async_trait]
impl Refresh for Shared {
    async fn refresh(&self, context: RefreshContext) -> Answer {
        lock(&self.0.refreshed).push(context.clone());
        (self.0.act)(context).await
    }

    async fn initial(&self, _context: RefreshContext) -> Answer {
        self.0.initial.clone()
    }

    async fn forget(&self, context: RefreshContext) -> Result<(), RefreshError> {
        lock(&self.0.forgotten).push(context);
        self.0.forget.clone()
    }

    fn needs_challenge(&self) -> bool {
        self.0.needs_challenge
    }

    fn timeout(&self) -> Duration {
        TIMEOUT
    }

    fn holds_unsaved(&self) -> bool {
        self.0.holds_unsaved
    }
}
