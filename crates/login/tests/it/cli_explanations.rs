//! The exit codes and the explanations of failed commands.

use reqwest_challenge::{ChallengeMiddleware, Credential, Forbidden, RefreshError};
use reqwest_challenge_login::cli::{exit_code, explain};
use reqwest_challenge_testing::RecordingRefresher;
use reqwest_middleware::ClientBuilder;

use crate::support::script::{API, Script, challenged, challenged_with, respond, status};

#[tokio::test]
async fn exit_codes_and_texts_distinguish_a_required_login_a_refusal_and_a_network_failure() {
    let refresh = |error: RefreshError| {
        let server = Script::always(challenged());
        async move {
            let auth = ChallengeMiddleware::new(API, RecordingRefresher::failing(error)).unwrap();
            server.client(&auth).get(API).send().await.unwrap_err()
        }
    };
    let text = |error: &reqwest_middleware::Error| explain(error, "tool login", Some("TOOL_TOKEN"));
    let required = refresh(RefreshError::login_required("run `tool login`")).await;
    assert_eq!(exit_code(&required), 4);
    assert!(
        text(&required).ends_with("run `tool login`\n  help: you can also set TOOL_TOKEN to a token"),
        "{}",
        text(&required)
    );
    let revoked = refresh(RefreshError::credential_revoked("invalid_grant")).await;
    assert_eq!(exit_code(&revoked), 4);
    assert!(text(&revoked).ends_with("help: run `tool login`, or set TOOL_TOKEN to a token"), "{}", text(&revoked));
    let outage = refresh(RefreshError::transient(None)).await;
    assert_eq!(exit_code(&outage), 6);
    assert!(text(&outage).contains("nothing is wrong with the login") && !text(&outage).contains("tool login"));
    assert_eq!(exit_code(&refresh(RefreshError::other("odd")).await), 1);
    let auth = ChallengeMiddleware::new(API, Credential::bearer("t")).unwrap();
    let challenge = "Bearer error=\"insufficient_scope\", scope=\"admin\"";
    let server = Script::always(respond(403, &[("www-authenticate", challenge)], "no"));
    let forbidden = server.client(&auth).get(API).send().await.unwrap_err();
    assert!(Forbidden::find(&forbidden).is_some());
    assert_eq!(exit_code(&forbidden), 5);
    assert!(!text(&forbidden).contains("help"), "{}", text(&forbidden));
    let server = Script::always(challenged_with("Bearer"));
    let refused = server.client(&auth).get(API).send().await.unwrap_err();
    assert_eq!(exit_code(&refused), 4);
    // No server listens there.
    let auth = ChallengeMiddleware::new("http://127.0.0.1:1", Credential::bearer("t")).unwrap();
    let client = ClientBuilder::new(reqwest::Client::new()).with(auth.clone()).build();
    let network = client.get("http://127.0.0.1:1/?token=hunter2").send().await.unwrap_err();
    assert_eq!(exit_code(&network), 6);
    assert!(
        text(&network).contains("http://127.0.0.1:1/") && !text(&network).contains("hunter2"),
        "{}",
        text(&network)
    );
    let long = format!("http://127.0.0.1:1/?token=hunter2&x={}", "a".repeat(1500));
    let network = client.get(long).send().await.unwrap_err();
    assert!(!text(&network).contains("hunter2"), "{}", text(&network));
    // A 404 is no network failure, and a login does not help against a permanent refusal.
    let server = Script::always(status(404));
    let missing = server.client(&auth).get(API).send().await.unwrap().error_for_status().unwrap_err();
    assert_eq!(exit_code(&missing), 1);
    let server = Script::always(status(503));
    assert_eq!(exit_code(&server.client(&auth).get(API).send().await.unwrap().error_for_status().unwrap_err()), 6);
    let unknown = refresh(RefreshError::denied("invalid_client")).await;
    assert!(exit_code(&unknown) == 1 && !text(&unknown).contains("help"), "{}", text(&unknown));
    let shown = text(&refresh(RefreshError::other("a\u{1b}]0;x\u{7}b\nc")).await);
    assert!(shown.contains("\\u{1b}") && !shown.contains('\u{1b}'), "{shown}");
    assert_eq!(exit_code(anyhow::anyhow!("another").as_ref()), 1);
    assert_eq!(exit_code(anyhow::Error::from(forbidden).as_ref()), 5);
}
