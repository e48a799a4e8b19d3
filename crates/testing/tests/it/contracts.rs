//! The contract of a refresher reports each violation.

use std::time::Duration;

use async_trait::async_trait;
use reqwest_challenge::{Credential, Refresh, RefreshContext, RefreshError, RefreshReason};
use reqwest_challenge_testing::{RecordingRefresher, Report, Verdict, refresher_contract};

use super::assertions::failure;

/// A refresher that violates the contract in one way.
struct Bad(&'static str, Credential);

#[async_trait]
impl Refresh for Bad {
    async fn refresh(&self, context: RefreshContext) -> Result<Option<Credential>, RefreshError> {
        match self.0 {
            "declines" => Ok(None),
            "newline" => Ok(Some(Credential::bearer("a\nb"))),
            "panics" if context.challenges().get("Bearer").is_none() => panic!("an unknown scheme"),
            "hangs" => std::future::pending().await,
            "secret" if context.credential().is_some() => Err(RefreshError::credential_revoked("t-hunter2 is no good")),
            "vague" if context.credential().is_some() => Err("hm".into()),
            "again" => Ok(Some(self.1.clone())),
            _ if context.credential() == Some(&self.1) => Ok(None),
            _ => Ok(Some(self.1.clone())),
        }
    }

    async fn initial(&self, _context: RefreshContext) -> Result<Option<Credential>, RefreshError> {
        match self.0 {
            "locked" => Err("the store is locked".into()),
            "keeps" => Ok(Some(self.1.clone())),
            _ => Ok(None),
        }
    }

    async fn forget(&self, _: RefreshContext) -> Result<(), RefreshError> {
        if self.0 == "stuck" { Err("no".into()) } else { Ok(()) }
    }

    fn timeout(&self) -> Duration {
        Duration::from_millis(if self.0 == "for ever" { u64::MAX } else { 20 })
    }
}

async fn report(how: &'static str) -> Report {
    let contract = refresher_contract(move || Bad(how, Credential::bearer("t-hunter2")));
    contract.outage(|| {}, || {}).revocation(|| {}).run().await
}

#[tokio::test]
async fn a_contract_reports_each_violation() {
    for (how, name) in [
        ("for ever", "the timeout is more than zero and at most 15 minutes"),
        ("declines", "a challenge gives a credential that can be sent"),
        ("newline", "a challenge gives a credential that can be sent"),
        ("again", "the refused credential is not returned again"),
        ("panics", "unknown and malformed challenges cause no panic and no timeout"),
        ("hangs", "a dropped refresh does not block the next one"),
        ("locked", "the initial credential can be sent, or there is none"),
        ("stuck", "`forget` can be called twice for a credential, and without a credential"),
        ("keeps", "a forgotten credential is not the initial credential"),
        ("well", "an outage gives a transient error, and the next refresh succeeds"),
        ("vague", "a revocation gives a final error without a secret"),
        ("secret", "a revocation gives a final error without a secret"),
    ] {
        let report = report(how).await;
        let check = report.checks().iter().find(|check| check.name == name).unwrap();
        assert!(matches!(check.verdict, Verdict::Failed(_)), "{how}:\n{report}");
        assert!(!report.is_passed() && !report.to_string().contains("hunter2"), "{how}:\n{report}");
        assert!(failure(|| report.assert_passed()).contains("FAILED"), "{how}");
    }
}

#[tokio::test]
async fn a_contract_lists_the_checks_that_it_skips() {
    let report =
        refresher_contract(RecordingRefresher::new).url("https://x.example/").challenges(["Bearer"]).run().await;
    report.assert_passed();
    assert_eq!(report.to_string().matches("skipped").count(), 2, "{report}");
    assert_eq!(report.checks().len(), 10);
}

#[tokio::test]
async fn a_context_made_by_hand_is_complete() {
    let context = RefreshContext::builder("https://api.example.com/a?b")
        .challenge("Bearer realm=\"a\", claims=\"e30=\"")
        .method(http::Method::POST)
        .reason(RefreshReason::Expired)
        .credential(Credential::bearer("old"))
        .build()
        .unwrap();
    assert_eq!((context.reason(), context.method()), (RefreshReason::Expired, Some(&http::Method::POST)));
    assert_eq!(context.origin().to_string(), "https://api.example.com");
    assert_eq!((context.demand().claims(), context.is_awaited()), (Some("e30="), true));
    assert!(context.http_client().is_ok() && context.credential().is_some());
}
