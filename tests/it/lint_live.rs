//! The lint in the middleware, and over a journal.

use std::sync::{Arc, Mutex};

use reqwest_challenge::lint::{Finding, Severity};
use reqwest_challenge::{AuthReport, ChallengeMiddleware, Credential, Event, Forbidden, Unauthorized};
use reqwest_challenge_testing::{Answer, MockApi, Protection, Script};

use crate::support::fake::Fake;
use crate::support::script::API;

fn ids(report: &AuthReport) -> Vec<&'static str> {
    report.findings().iter().map(Finding::id).collect()
}

#[tokio::test]
async fn the_reports_of_a_401_a_403_and_a_success_have_findings() {
    let bare = Script::new(|arrived, _| if arrived.token() == "t1" { Answer::ok("") } else { Answer::new(401) });
    let auth = || ChallengeMiddleware::new(API, Fake::new()).unwrap();
    let response = bare.client(&auth()).get(API).send().await.unwrap();
    assert_eq!(ids(&AuthReport::of(&response)), ["401-without-challenge"]);

    let never = Script::always(Answer::unauthorized(["Bearer error=\"insufficient_scope\""]).body("rate limit"));
    let error = never.client(&auth()).get(API).send().await.unwrap_err();
    let wanted = ["401-for-insufficient-scope", "error-without-a-token", "401-for-a-fresh-credential"];
    assert_eq!(ids(Unauthorized::find(&error).unwrap().report()), wanted);

    let expired = Script::always(Answer::new(403).body("the token has expired"));
    let error = expired.client(&auth()).get(API).send().await.unwrap_err();
    let wanted = ["403-without-credential", "403-for-an-expired-token", "403-without-a-reason"];
    assert_eq!(ids(Forbidden::find(&error).unwrap().report()), wanted);

    let odd = Script::always(Answer::ok("").header("www-authenticate", "Bearer realm=\"a\""));
    let key = ChallengeMiddleware::new(API, Credential::bearer("t0")).unwrap();
    for _ in 0..2 {
        // The second call already holds its credential. Such a call keeps nothing of a success, but its report still
        // has the finding.
        let response = odd.client(&key).get(API).send().await.unwrap();
        assert_eq!(ids(&AuthReport::of(&response)), ["challenge-on-success"]);
    }
    let fine = Script::always(Answer::ok(""));
    assert!(AuthReport::of(&fine.client(&key).get(API).send().await.unwrap()).findings().is_empty());
}

#[tokio::test]
async fn a_401_that_a_scheme_answers_is_checked_and_a_renewal_before_the_send_counts_as_fresh() {
    struct AlwaysRetries;
    #[async_trait::async_trait]
    impl reqwest_challenge::Authorize for AlwaysRetries {
        fn scheme(&self) -> &str {
            "DPoP"
        }
        async fn authorize(
            &self,
            _: &mut reqwest::Request,
            _now: std::time::SystemTime,
        ) -> Result<(), reqwest_challenge::BoxError> {
            Ok(())
        }
        fn observe(
            &self,
            head: &reqwest_challenge::ResponseHead<'_>,
        ) -> Result<reqwest_challenge::Observed, reqwest_challenge::BoxError> {
            let refused = head.status() == 401;
            Ok(if refused { reqwest_challenge::Observed::Retry } else { reqwest_challenge::Observed::Nothing })
        }
    }
    let answers = [Answer::unauthorized(["DPoP error=\"use_dpop_nonce\""]), Answer::ok("")];
    let own = ChallengeMiddleware::new(API, Credential::custom(AlwaysRetries)).unwrap();
    let response = Script::sequence(answers).client(&own).get(API).send().await.unwrap();
    assert_eq!(ids(&AuthReport::of(&response)), ["dpop-nonce-without-a-nonce"]);

    let auth =
        ChallengeMiddleware::builder(API, Fake::new()).initial_credential(Credential::bearer("t0")).build().unwrap();
    let never = Script::always(Answer::unauthorized(["Bearer realm=\"a\""]));
    let first = never.client(&auth).get(API).send().await.unwrap_err();
    auth.session().invalidate(Unauthorized::find(&first).unwrap());
    let error = never.client(&auth).get(format!("{API}/other")).send().await.unwrap_err();
    let refused = Unauthorized::find(&error).unwrap();
    assert_eq!((refused.report().attempts(), ids(refused.report())), (1, vec!["401-for-a-fresh-credential"]));
}

#[tokio::test]
async fn each_rule_is_reported_once_for_each_origin() {
    let found = Arc::new(Mutex::new(Vec::new()));
    let seen = found.clone();
    let auth = ChallengeMiddleware::builder(API, Credential::bearer("t0"))
        .origin("https://two.example.com")
        .on_event(move |event| {
            if let Event::LintFinding { rule, severity, url, .. } = event {
                seen.lock().unwrap().push((*rule, *severity, url.to_string()));
            }
        })
        .build()
        .unwrap();
    let client = Script::always(Answer::new(407)).client(&auth);
    for url in [API, API, "https://two.example.com/x?hunter2"] {
        client.get(url).send().await.unwrap();
    }
    let wanted = [format!("{API}/"), "https://two.example.com/x".to_owned()];
    assert_eq!(*found.lock().unwrap(), wanted.map(|url| ("407-from-an-origin", Severity::Fault, url)));
}

#[tokio::test]
async fn a_response_of_another_server_is_not_checked() {
    let away = Script::always(Answer::new(403).url("https://evil.example/"));
    let error = away.client(&ChallengeMiddleware::new(API, Fake::new()).unwrap()).get(API).send().await.unwrap_err();
    assert!(Forbidden::find(&error).unwrap().report().findings().is_empty());
}

#[tokio::test]
async fn assert_conformant_names_the_exchange_that_breaks_a_rule() {
    let api = MockApi::start().await.unwrap();
    api.at("/").accepts(Protection::bearer());
    api.tokens().accept_with("t1", ["read"], None);
    api.forbid("/admin", "admin");
    let get = |path: &str, token: Option<&str>| {
        let request = reqwest::Client::new().get(api.url(path));
        token.into_iter().fold(request, |request, token| request.bearer_auth(token)).send()
    };
    for (path, token) in [("/", None), ("/", Some("old")), ("/", Some("t1")), ("/admin", Some("t1"))] {
        get(path, token).await.unwrap();
    }
    api.journal().assert_conformant();
    api.at("/bare").accepts(Protection::bearer()).challenges_with_nothing();
    get("/bare", Some("hunter2")).await.unwrap();
    let journal = api.journal().clone();
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| journal.assert_conformant())).unwrap_err();
    let text = panic.downcast_ref::<String>().unwrap();
    assert!(
        text.contains("GET /bare 401: fault: a 401 has no `WWW-Authenticate`") && !text.contains("hunter2"),
        "{text}"
    );
}

#[tokio::test]
async fn a_journal_knows_which_credential_is_fresh() {
    let script = Script::always(Answer::unauthorized(["Bearer realm=\"a\""]));
    let auth = ChallengeMiddleware::new(API, crate::support::fake::recorded(&script)).unwrap();
    script.client(&auth).get(API).send().await.unwrap_err();
    let all = script.journal().findings();
    let found: Vec<_> = all.iter().flat_map(|(_, findings)| findings).map(Finding::id).collect();
    assert_eq!((all.len(), found), (1, vec!["401-for-a-fresh-credential"]));
}
