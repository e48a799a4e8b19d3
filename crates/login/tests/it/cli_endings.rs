//! How a command ends: its exit code, what it says, and that what it has is saved.

use std::sync::Arc;
use std::time::Duration;

use reqwest_challenge::{ChallengeMiddleware, Credential, Forbidden, Refresh, RefreshError};
use reqwest_challenge_login::cli::{exit_code, explain};
use reqwest_challenge_login::oauth::{AuthorizationCode, Client, Issuer, OAuth};
use reqwest_challenge_login::store::{Key, MemoryStore, Store, Stored};
use reqwest_challenge_testing::{Answer, Gate, MockApi, MockIdentityProvider, RecordingRefresher};
use reqwest_middleware::ClientBuilder;

use crate::support::contexts::initial;
use crate::support::oauth::browser;
use crate::support::script::{API, Script, challenged, challenged_with, respond, status};

/// Ctrl-C when the token is on its way: the server has given it, and will not give it twice.
#[tokio::test]
async fn a_login_that_is_interrupted_when_the_token_is_on_its_way_is_saved_first() {
    let provider = MockIdentityProvider::start().await.unwrap();
    let (tokens, gate) = (MockApi::start().await.unwrap(), Gate::closed());
    let granted = serde_json::json!({ "access_token": "t", "token_type": "Bearer", "refresh_token": "r" });
    tokens.at("/token").answers(Answer::json(granted)).hold_until(&gate);
    let issuer = Issuer::new(provider.issuer()).unwrap().token_endpoint(tokens.url("/token")).unwrap();
    let issuer = issuer.authorization_endpoint(format!("{}/authorize", provider.issuer())).unwrap();
    let login = OAuth::new(issuer, Client::public("tool"), AuthorizationCode::new(browser().0)).unwrap();
    let (store, key) = (MemoryStore::new(), Key::new(provider.issuer()));
    let stored = Arc::new(Stored::new(login, store.clone(), key.clone()));
    let session = ChallengeMiddleware::new("http://127.0.0.1:1", stored.clone()).unwrap().session();
    tokio::select! {
        done = session.login() => panic!("{done:?}"),
        () = gate.reached_by(1) => {}
    }
    // For longer than it takes to give up where nobody waits.
    assert!(!session.wait_until_saved(Duration::from_millis(500)).await, "it is on its way still");
    assert!(store.load(&key).await.unwrap().is_none());
    gate.open();
    assert!(session.wait_until_saved(Duration::from_secs(60)).await, "it is waited for");
    assert!(store.load(&key).await.unwrap().is_some(), "and saved");
    assert!(stored.save_error().is_none() && stored.initial(initial()).await.unwrap().is_some());
    assert_eq!(tokens.requests_to("/token"), 1);
}

#[tokio::test]
async fn exit_codes_and_texts_tell_a_login_from_a_no_and_from_a_network() {
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
    let rejected = refresh(RefreshError::credential_revoked("invalid_grant")).await;
    assert_eq!(exit_code(&rejected), 4);
    assert!(text(&rejected).ends_with("help: run `tool login`, or set TOOL_TOKEN to a token"), "{}", text(&rejected));
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
    // Nobody listens there.
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
    // An answer that is one is no network's failure, and neither is a server's lasting no a reason to log in.
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
