//! What is claimed of a journal fails where it is not so, with a timeline; and a contract finds what breaks it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use async_trait::async_trait;
use reqwest_challenge::{ChallengeMiddleware, Credential, Refresh, RefreshContext, RefreshError, RefreshReason};
use reqwest_challenge_testing::{Answer, Gate, RecordingRefresher, Report, Script, Verdict, refresher_contract, until};

const API: &str = "https://api.example.com";

/// What a claim says where it is wrong.
fn broken(claim: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(claim)).expect_err("it is claimed");
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
async fn claims_hold_where_they_are_so() {
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
async fn a_wrong_claim_prints_what_happened_and_no_secret() {
    let (script, _) = two_calls().await;
    let journal = script.journal();
    for (said, wanted) in [
        (broken(|| journal.assert_one_refresh_for(3)), "one refresh for 3 callers"),
        (broken(|| journal.assert_refreshes(0)), "0 refresh(es); there were 1"),
        (broken(|| journal.assert_sends("/reports", 2)), "2 send(s) to /reports; there were 3"),
        (broken(|| journal.assert_no_credential_reached("script")), "no credential reached script"),
        (broken(|| journal.assert_no_credential_reached("elsewhere")), "there is a server of the name elsewhere"),
        (broken(|| journal.assert_no_server_saw("hunter2")), "no server saw that text; script did"),
    ] {
        assert!(said.starts_with(&format!("claimed: {wanted}")), "{said}");
        assert!(said.contains("   1  script     GET     /reports  no credential  → 401  Bearer realm="), "{said}");
        assert!(said.contains("   2  a refresher is asked (Challenged)"), "{said}");
        assert!(said.contains("   3  script     GET     /reports  Bearer #1  → 200"), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
}

#[tokio::test]
async fn a_403_that_is_sent_again_is_noticed() {
    let script = Script::sequence([Answer::insufficient_scope("a"), Answer::insufficient_scope("a"), Answer::ok("")]);
    let client = script.client(&ChallengeMiddleware::new(API, Credential::bearer("t0")).unwrap());
    client.get(API).send().await.unwrap_err();
    script.journal().assert_no_403_was_resent();
    client.get(API).send().await.unwrap_err();
    assert!(broken(|| script.journal().assert_no_403_was_resent()).contains("no 403 was sent again; / was"));
}

#[tokio::test]
async fn two_who_were_on_the_way_before_a_403_did_not_send_it_again() {
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
async fn a_timeline_masks_what_stands_in_paths_bodies_and_longer_secrets() {
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

#[tokio::test(start_paused = true)]
async fn a_script_answers_under_paused_time_and_says_when_it_is_over() {
    let script = Script::sequence([Answer::ok("late").delay(Duration::from_secs(3600)), Answer::cut()]);
    let client = script.client(&ChallengeMiddleware::new(API, Credential::bearer("t0")).unwrap());
    assert_eq!(client.get(API).send().await.unwrap().text().await.unwrap(), "late");
    assert!(client.get(API).send().await.is_err());
    let over = client.get(API).send().await.unwrap();
    assert_eq!((over.status().as_u16(), over.url().as_str()), (500, "https://api.example.com/"));
    assert_eq!(over.text().await.unwrap(), "the script is over");
    let sized = Script::always(Answer::new(200).body_of_size(100_000));
    let client = sized.client(&ChallengeMiddleware::new(API, Credential::bearer("t0")).unwrap());
    assert_eq!(client.get(API).send().await.unwrap().bytes().await.unwrap().len(), 100_000);
}

#[tokio::test]
async fn a_gate_lets_one_through_or_all() {
    let gate = Gate::closed();
    let waits = |_| {
        tokio::spawn({
            let gate = gate.clone();
            async move { gate.pass().await }
        })
    };
    let all: Vec<_> = (0..3).map(waits).collect();
    gate.reached_by(3).await;
    gate.let_one_through();
    until(|| gate.passed() == 1).await;
    assert_eq!((gate.arrived(), gate.passed()), (3, 1));
    gate.open();
    for one in all {
        one.await.unwrap();
    }
    gate.pass().await;
    assert_eq!((gate.arrived(), gate.passed()), (4, 4));
}

/// Breaks the contract in one way.
struct Bad(&'static str, Credential);

#[async_trait]
impl Refresh for Bad {
    async fn refresh(&self, context: RefreshContext) -> Result<Option<Credential>, RefreshError> {
        match self.0 {
            "declines" => Ok(None),
            "newline" => Ok(Some(Credential::bearer("a\nb"))),
            "panics" if context.challenges().get("Bearer").is_none() => panic!("what is this?"),
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
async fn a_contract_finds_each_way_to_break_it() {
    for (how, name) in [
        ("for ever", "it names a time that a caller can wait for"),
        ("declines", "it answers a challenge with a credential that can be sent"),
        ("newline", "it answers a challenge with a credential that can be sent"),
        ("again", "it never gives the refused credential again"),
        ("panics", "it survives challenges that it does not know"),
        ("hangs", "a refresh that is dropped midway does not hold the next one"),
        ("locked", "it begins with nothing, or with a credential that can be sent"),
        ("stuck", "it forgets, also what it does not have, also twice"),
        ("keeps", "what it forgot is not what it begins with"),
        ("well", "an outage is a passing failure, after which it recovers"),
        ("vague", "what is finished is said to be, and no secret with it"),
        ("secret", "what is finished is said to be, and no secret with it"),
    ] {
        let report = report(how).await;
        let check = report.checks().iter().find(|check| check.name == name).unwrap();
        assert!(matches!(check.verdict, Verdict::Failed(_)), "{how}:\n{report}");
        assert!(!report.is_passed() && !report.to_string().contains("hunter2"), "{how}:\n{report}");
        assert!(broken(|| report.assert_passed()).contains("FAILED"), "{how}");
    }
}

#[tokio::test]
async fn a_contract_says_what_it_did_not_look_at() {
    let report =
        refresher_contract(RecordingRefresher::new).url("https://x.example/").challenges(["Bearer"]).run().await;
    report.assert_passed();
    assert_eq!(report.to_string().matches("skipped").count(), 2, "{report}");
    assert_eq!(report.checks().len(), 10);
}

#[tokio::test]
async fn a_rejection_made_by_hand_is_whole() {
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
