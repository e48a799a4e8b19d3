//! A refresher of two identities: `A` is held, and a login gives `B`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use reqwest_challenge::{Credential, Error, Refresh, RefreshContext, RefreshError, RefreshReason, Session};
use reqwest_challenge_testing::Gate;

use crate::support::fake::until;

/// A login waits at the gate and returns `B1`, `B2`, …; `initial()` returns `A0`, and any other refresh `A1`, `A2`, ….
#[derive(Clone)]
pub(crate) struct TwoUsers(Arc<Inner>);

struct Inner {
    gate: Gate,
    logins: AtomicUsize,
    renewals: AtomicUsize,
    fails: bool,
    starts: bool,
}

impl TwoUsers {
    pub(crate) fn new() -> Self {
        Self::of(false, true)
    }

    /// Each login fails.
    pub(crate) fn failing() -> Self {
        Self::of(true, true)
    }

    /// There is no credential to begin with.
    pub(crate) fn without_initial() -> Self {
        Self::of(false, false)
    }

    fn of(fails: bool, starts: bool) -> Self {
        Self(Arc::new(Inner { gate: Gate::closed(), logins: 0.into(), renewals: 0.into(), fails, starts }))
    }

    /// Begins a login, which is pending when this returns.
    pub(crate) async fn log_in(&self, session: Session) -> tokio::task::JoinHandle<Result<Credential, Error>> {
        let login = tokio::spawn(async move { session.login().await });
        until(|| self.0.logins.load(Ordering::SeqCst) == 1).await;
        login
    }

    /// Lets each login end.
    pub(crate) fn open(&self) {
        self.0.gate.open();
    }

    pub(crate) fn renewals(&self) -> usize {
        self.0.renewals.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Refresh for TwoUsers {
    async fn refresh(&self, context: RefreshContext) -> Result<Option<Credential>, RefreshError> {
        let Inner { gate, logins, renewals, fails, .. } = &*self.0;
        if context.reason() == RefreshReason::Login {
            let number = logins.fetch_add(1, Ordering::SeqCst) + 1;
            gate.pass().await;
            if *fails {
                return Err(RefreshError::credential_revoked("access_denied"));
            }
            return Ok(Some(Credential::bearer(format!("B{number}"))));
        }
        let number = renewals.fetch_add(1, Ordering::SeqCst) + 1;
        Ok(Some(Credential::bearer(format!("A{number}"))))
    }

    async fn initial(&self, _context: RefreshContext) -> Result<Option<Credential>, RefreshError> {
        Ok(self.0.starts.then(|| Credential::bearer("A0")))
    }
}
