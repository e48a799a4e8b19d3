//! Contexts that a test builds without a session.

use std::sync::Arc;
use std::time::Duration;

use reqwest_challenge::reqwest::Method;
use reqwest_challenge::{
    Credential, Origin, RefreshContext, RefreshError, RefreshReason, RenewalLock, Secret, async_trait,
};

use crate::support::script::API;

/// A lock whose `before_spending` fails, and whose `before_prompt` returns the login of another process.
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

#[test]
fn a_context_without_a_request_has_an_origin_and_no_challenges() {
    let context = RefreshContext::builder(format!("{API}/reports")).reason(RefreshReason::Login).method(Method::POST);
    let context =
        context.challenge("Bearer realm=\"a\", claims=\"e30=\", max_age=60").without_request().build().unwrap();
    assert_eq!((context.url(), context.method()), (None, None));
    assert!(context.challenges().is_empty() && context.demand().is_empty());
    assert_eq!(context.origin(), &Origin::new(API).unwrap());
    assert_eq!(context.reason(), RefreshReason::Login);
    assert!(RefreshContext::builder("no URL").without_request().build().is_err());
}

#[test]
fn only_a_plain_demand_is_met_by_a_credential_that_has_all_its_scopes() {
    let demand_of = |line: &str| RefreshContext::builder(API).challenge(line).build().unwrap().demand().clone();
    let (unknown, none) = (Credential::bearer("t1"), Credential::bearer("t1").with_scopes([""; 0]));
    let both = Credential::bearer("t1").with_scopes(["a", "b"]);
    let plain = demand_of("Bearer realm=\"x\", scope=\"a\"");
    assert!([&unknown, &none, &both].into_iter().all(|credential| plain.is_met_by(credential)));
    for line in [
        "Bearer claims=\"e30=\"",
        "Bearer acr_values=\"strong\"",
        "Bearer max_age=60",
        "Bearer error=\"insufficient_scope\", scope=\"a\"",
        "Bearer error=\"insufficient_authorization\"",
    ] {
        assert!(!demand_of(line).is_met_by(&both), "{line}");
    }
    for (scopes, is_met) in [(&["a"][..], true), (&["b", "a"], true), (&["a", "c"], false)] {
        let context = RefreshContext::builder(API).reason(RefreshReason::StepUp).scopes(scopes.iter().copied());
        let context = context.build().unwrap();
        assert_eq!(context.demand().is_met_by(&both), is_met, "{scopes:?}");
        assert!(!context.demand().is_met_by(&unknown) && !context.demand().is_met_by(&none), "{scopes:?}");
    }
}
