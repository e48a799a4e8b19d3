//! A refresher of two users: the session holds a credential of `A`, and a login returns one of `B`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use reqwest_challenge::{Credential, Error, Refresh, RefreshContext, RefreshError, RefreshReason, Session};
use reqwest_challenge_testing::Gate;

use crate::support::fake::until;

/// A login waits at the gate and returns `B1`, `B2`, …. The initial call returns `A0`. Any other refresh returns `A1`, `A2`, ….
#[derive(Clone)]
pub(crate) struct TwoUsers(Arc<Inner>);

struct Inner {
    gate: Gate,
    logins: AtomicUsize,
    renewals: AtomicUsize,
    fails: bool,
    has_initial: bool,
}

impl TwoUsers {
    pub(crate) fn new() -> Self {
        Self::of(false, true)
    }

    /// Each login fails.
    pub(crate) fn failing() -> Self {
        Self::of(true, true)
    }

    /// The initial call returns no credential.
    pub(crate) fn without_initial() -> Self {
        Self::of(false, false)
    }

    /// Each login fails, and the initial call returns no credential.
    pub(crate) fn failing_without_initial() -> Self {
        Self::of(true, false)
    }

    fn of(fails: bool, has_initial: bool) -> Self {
        Self(Arc::new(Inner { gate: Gate::closed(), logins: 0.into(), renewals: 0.into(), fails, has_initial }))
    }

    /// Starts a login. It is pending when this method returns.
    pub(crate) async fn log_in(&self, session: Session) -> tokio::task::JoinHandle<Result<Credential, Error>> {
        let login = tokio::spawn(async move { session.login().await });
        until(|| self.0.logins.load(Ordering::SeqCst) == 1).await;
        login
    }

    /// Lets each login end.
    pub(crate) fn open(&self) {
        self.0.gate.open();
    }

    pub(crate) fn logins(&self) -> usize {
        self.0.logins.load(Ordering::SeqCst)
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
        Ok(self.0.has_initial.then(|| Credential::bearer("A0")))
    }
}
