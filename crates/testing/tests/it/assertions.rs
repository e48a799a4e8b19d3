//! The assertions of a journal pass if they are true. Otherwise they fail with a timeline.

use std::panic::{AssertUnwindSafe, catch_unwind};

use reqwest_challenge::{ChallengeMiddleware, Credential, RefreshReason};
use reqwest_challenge_testing::{Answer, Gate, RecordingRefresher, Script};

const API: &str = "https://api.example.com";

/// The message of an assertion that fails.
pub(crate) fn failure(assertion: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(assertion)).expect_err("the assertion passes");
    panic.downcast_ref::<String>().cloned().expect("a text")
}

async fn two_calls() -> (Script, RecordingRefresher) {
    let script = Script::accepting("t1-hunter2");
    let refresher = RecordingRefresher::answering(|_, _| Ok(Some(Credential::bearer("t1-hunter2"))));
    let refresher = refresher.with_journal(script.journal());
    let client = script.client(&ChallengeMiddleware::new(API, refresher.clone()).unwrap());
    for _ in 0..2 {
        client.get(format!("{API}/reports?token=hunter2-query")).send().await.unwrap();
    }
    (script, refresher)
}

#[tokio::test]
async fn assertions_pass_if_they_are_true() {
    let (script, refresher) = two_calls().await;
    let journal = script.journal();
    journal.assert_one_refresh_for(2);
    journal.assert_refreshes(1);
    journal.assert_sends("/reports", 3);
    journal.assert_no_403_was_resent();
    journal.assert_no_server_saw("hunter3");
    assert_eq!((refresher.reasons(), script.tokens().len()), (vec![RefreshReason::Challenged], 3));
    assert_eq!(journal.exchanges()[0].status().unwrap(), 401);
}

#[tokio::test]
async fn a_failed_assertion_prints_the_timeline_and_no_secret() {
    let (script, _) = two_calls().await;
    let journal = script.journal();
    for (message, expected) in [
        (failure(|| journal.assert_one_refresh_for(3)), "one refresh for 3 callers"),
        (failure(|| journal.assert_refreshes(0)), "0 refresh(es); there were 1"),
        (failure(|| journal.assert_sends("/reports", 2)), "2 send(s) to /reports; there were 3"),
        (failure(|| journal.assert_no_credential_reached("script")), "no credential at script; it received one"),
        (failure(|| journal.assert_no_credential_reached("elsewhere")), "a server named elsewhere; there is none"),
        (failure(|| journal.assert_no_server_saw("hunter2")), "no server to receive the text; script did"),
    ] {
        assert!(message.starts_with(&format!("expected {expected}")), "{message}");
        assert!(
            message.contains("   1  script     GET     /reports  no credential  → 401  Bearer realm="),
            "{message}"
        );
        assert!(message.contains("   2  refresh (Challenged)"), "{message}");
        assert!(message.contains("   3  script     GET     /reports  Bearer #1  → 200"), "{message}");
        assert!(!message.contains("hunter2"), "{message}");
    }
}

#[tokio::test]
async fn a_403_that_is_sent_again_fails_the_assertion() {
    let script = Script::sequence([Answer::insufficient_scope("a"), Answer::insufficient_scope("a"), Answer::ok("")]);
    let client = script.client(&ChallengeMiddleware::new(API, Credential::bearer("t0")).unwrap());
    client.get(API).send().await.unwrap_err();
    script.journal().assert_no_403_was_resent();
    client.get(API).send().await.unwrap_err();
    assert!(
        failure(|| script.journal().assert_no_403_was_resent())
            .contains("no request to be sent again after a 403; / was")
    );
}

#[tokio::test]
async fn concurrent_requests_that_both_get_a_403_are_not_resent_requests() {
    let (script, gate) = (Script::always(Answer::insufficient_scope("a")), Gate::closed());
    let held = Script::always(Answer::insufficient_scope("a").hold_until(&gate)).with_journal(script.journal());
    let client = held.client(&ChallengeMiddleware::new(API, Credential::bearer("t0")).unwrap());
    let calls: Vec<_> = (0..2).map(|_| tokio::spawn(client.get(API).send())).collect();
    gate.reached_by(2).await;
    gate.open();
    for call in calls {
        call.await.unwrap().unwrap_err();
    }
    script.journal().assert_no_403_was_resent();
}

#[tokio::test]
async fn a_timeline_masks_secrets_in_paths_and_secrets_that_contain_others() {
    let script = Script::new(|arrived, _| Answer::unauthorized([&*format!("Bearer realm=\"{}\"", arrived.path())]));
    let client = reqwest_middleware::ClientBuilder::new(reqwest::Client::new()).with(script.clone()).build();
    for secret in ["hunter2", "hunter2-and-more"] {
        let request = client.post(format!("{API}/{secret}")).bearer_auth(secret);
        request.body("refresh_token=hunter3").send().await.unwrap();
    }
    client.get(format!("{API}/hunter3")).send().await.unwrap();
    let shown = script.journal().to_string();
    assert!(!shown.contains("hunter") && !shown.contains("and-more"), "{shown}");
}
