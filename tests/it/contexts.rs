//! Contexts that a test builds without a session.

use std::sync::Arc;
use std::time::Duration;

use reqwest_challenge::{Credential, RefreshContext, RefreshError, RefreshReason, RenewalLock, Secret, async_trait};

use crate::support::script::API;

/// A lock that refuses to spend a token, and knows the login of another process.
struct Busy;

#[async_trait]
impl RenewalLock for Busy {
    async fn before_prompt(&self, _context: &RefreshContext) -> Result<Option<Credential>, RefreshError> {
        Ok(Some(Credential::bearer("elsewhere")))
    }

    async fn before_spending(&self) -> Result<(), RefreshError> {
        Err(RefreshError::transient(None))
    }

    fn keep_attachment(&self, _attachment: Secret) {}
}

#[test]
fn a_context_for_a_step_up_has_the_scopes_that_the_test_sets() {
    let context = RefreshContext::builder(API).reason(RefreshReason::StepUp).scopes(["read", "write"]).build().unwrap();
    assert_eq!(context.demand().scopes(), ["read", "write"]);
    assert!(context.demand().is_plain() && !context.demand().is_empty());
    assert!(context.without_demand().demand().is_empty());
}

#[test]
fn scopes_that_a_test_sets_replace_those_of_the_challenges() {
    let line = "Bearer error=\"insufficient_scope\", scope=\"a b\", max_age=60";
    let context = RefreshContext::builder(API).challenge(line);
    assert_eq!(context.build().unwrap().demand().scopes(), ["a", "b"]);
    let context = RefreshContext::builder(API).challenge(line).scopes(["c"]).build().unwrap();
    assert_eq!(context.demand().scopes(), ["c"]);
    assert_eq!(context.demand().max_age(), Some(Duration::from_secs(60)));
    let no_scopes: [&str; 0] = [];
    assert!(RefreshContext::builder(API).scopes(no_scopes).build().unwrap().demand().is_empty());
}

#[tokio::test]
async fn a_context_uses_the_lock_that_the_test_keeps() {
    let lock = Arc::new(Busy);
    let context = RefreshContext::builder(API).renewal_lock(&lock).build().unwrap();
    assert_eq!(context.before_prompt().await.unwrap(), Some(Credential::bearer("elsewhere")));
    assert!(context.before_spending().await.unwrap_err().is_transient());
    // A changed context has the same lock, and a context for `forget` has none.
    assert!(context.clone().with_credential(Credential::bearer("t1")).before_spending().await.is_err());
    let forget = context.clone().to_forget(RefreshReason::Logout, None);
    assert!(forget.before_spending().await.is_ok());
    drop(lock);
    assert!(context.before_spending().await.is_ok());
}
