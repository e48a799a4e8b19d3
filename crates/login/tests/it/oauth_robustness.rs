//! Unusual and hostile answers of servers, and unusual settings of callers.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest_challenge::ChallengeMiddleware;
use reqwest_challenge_login::oauth::{
    AuthorizationCode, AuthorizationPrompt, Client, ClientCredentials, DeviceCode, Issuer, OAuth, RefreshToken,
    Registration,
};
use reqwest_challenge_testing::{Answer, ManualClock, MockApi, MockIdentityProvider, ReceivedRequest, until};
use reqwest_middleware::ClientBuilder;
use serde_json::{Value, json};

use crate::support::oauth::{browser, client, client_by, device_server, endpoint, line, names, protected, why};

fn code(status: u16, code: &str) -> Answer {
    Answer::new(status).json_body(json!({ "error": code }))
}

/// Yields until the other tasks of this runtime wait.
pub(crate) async fn settled() {
    for _ in 0..500 {
        tokio::task::yield_now().await;
    }
}

fn token() -> Answer {
    Answer::json(json!({ "access_token": "t", "token_type": "Bearer" }))
}

async fn device(
    extra: Value,
    poll: impl Fn(usize, &ReceivedRequest) -> Answer + Send + Sync + 'static,
) -> (MockApi, OAuth) {
    let (server, issuer) = device_server(extra, poll).await;
    (server, OAuth::new(issuer, Client::public("tool"), DeviceCode::new(|_| Ok(()))).unwrap())
}

#[tokio::test]
async fn a_polling_interval_over_a_minute_and_an_outage_do_not_end_a_device_login() {
    let (server, oauth) = device(json!({ "interval": 60 }), |n, _| match n {
        1 => code(400, "slow_down"),
        2 => Answer::new(503),
        _ => token(),
    })
    .await;
    let clock = ManualClock::new();
    let (_, session) = client_by(clock.clone(), &server.origin(), oauth);
    let login = tokio::spawn(async move { session.login().await });
    for _ in 0..5 {
        until(|| clock.waiting() == 1 || login.is_finished()).await;
        if login.is_finished() {
            break;
        }
        clock.forward(Duration::from_secs(130));
        settled().await;
    }
    let got = login.await.unwrap();
    assert!(got.is_ok(), "{}", line(&got.unwrap_err()));
}

#[tokio::test]
async fn an_authorization_pending_error_with_status_200_continues_the_polling() {
    let (server, oauth) = device(json!({ "interval": 1 }), |n, _| match n {
        1 => code(200, "authorization_pending"),
        _ => token(),
    })
    .await;
    let (_, session) = client(&server.origin(), oauth);
    let got = session.login().await;
    assert!(got.is_ok(), "{}", line(&got.unwrap_err()));
}

#[tokio::test]
async fn a_refresh_token_that_the_server_echoes_is_masked_with_status_400_and_200() {
    for status in [400, 200] {
        let server = endpoint(move |arrived| {
            let token = arrived.form("refresh_token").unwrap();
            Answer::new(status)
                .json_body(json!({ "error": "invalid_request", "error_description": format!("bad token {token}") }))
        })
        .await;
        let issuer = Issuer::new(server.origin()).unwrap().token_endpoint(server.url("/token")).unwrap();
        let oauth = OAuth::new(issuer, Client::public("c"), RefreshToken::new("hunter2-refresh")).unwrap();
        let (_, session) = client(&server.origin(), oauth);
        let shown = line(&session.login().await.unwrap_err());
        assert!(!shown.contains("hunter2"), "{status}: {shown}");
    }
}

#[tokio::test]
async fn an_issuer_with_control_characters_is_refused_and_not_printed() {
    let provider = MockIdentityProvider::start().await.unwrap();
    let api = protected(&provider).await;
    let evil = format!("{}/\u{1b}[2K\rhttps://bank.example\u{202e}\n", provider.issuer());
    names(&api, &api.url("/api"), &evil);
    let (show, _) = browser();
    let oauth =
        OAuth::new(Issuer::from_challenge(), Client::public("c"), AuthorizationCode::new(show)).unwrap().prompting();
    let (client, _) = client(&api.origin(), oauth);
    let error = client.get(api.url("/api")).send().await.unwrap_err();
    let shown = line(&why(&error));
    assert!(!shown.contains('\u{1b}') && !shown.contains('\n'), "{shown:?}");
}

#[tokio::test]
async fn an_issuer_with_control_characters_is_not_shown_to_the_user() {
    let server = MockApi::start().await.unwrap();
    let evil = format!("{}/\u{1b}[2K\rhttps://bank.example", server.origin());
    let issuer = evil.clone();
    let base = server.origin();
    server.at("/.well-known").answers_with(move |_| {
        Answer::json(json!({
        "issuer": issuer, "token_endpoint": format!("{base}/token"), "authorization_endpoint": format!("{base}/a"),
        "code_challenge_methods_supported": ["S256"] }))
    });
    let api = MockApi::start().await.unwrap();
    names(&api, &api.url("/api"), &evil);
    let seen = Arc::new(Mutex::new(String::new()));
    let put = seen.clone();
    let show = move |prompt: &AuthorizationPrompt| {
        *put.lock().unwrap() = prompt.issuer().to_owned();
        Err("enough".into())
    };
    let oauth = OAuth::new(Issuer::from_challenge(), Client::public("c"), AuthorizationCode::new(show)).unwrap();
    let (_, session) = client(&api.origin(), oauth);
    let _ = session.login().await;
    assert!(!seen.lock().unwrap().contains('\u{1b}'), "{:?}", seen.lock().unwrap());
}

#[tokio::test]
async fn an_endpoint_that_the_caller_sets_overrides_the_servers_metadata() {
    let provider = MockIdentityProvider::start().await.unwrap();
    let api = protected(&provider).await;
    let login = provider.log_in(["api:read"]);
    let other = MockApi::start().await.unwrap();
    other.at("/revoke-here").answers(Answer::ok(""));
    let at = Issuer::new(provider.issuer()).unwrap().revocation_endpoint(other.url("/revoke-here")).unwrap();
    let oauth = OAuth::new(at, Client::public("tool"), RefreshToken::new(login.refresh_token)).unwrap();
    let (client, session) = client(&api.origin(), oauth);
    client.get(api.url("/api")).send().await.unwrap();
    session.logout().await.unwrap();
    assert_eq!(other.requests().len(), 1, "the caller's endpoint is called");
}

#[tokio::test]
async fn a_challenge_does_not_choose_the_scopes_with_or_without_partitions() {
    let server = endpoint(|_| token()).await;
    let api = MockApi::start().await.unwrap();
    api.at("/").answers_with(|arrived| match arrived.credential() {
        Some(_) => Answer::ok("welcome"),
        None => Answer::unauthorized(["Bearer scope=\"admin\""]),
    });
    for partitioned in [false, true] {
        let at = Issuer::new(server.origin()).unwrap().token_endpoint(server.url("/token")).unwrap();
        let oauth = OAuth::new(at, Client::public("tool"), ClientCredentials).unwrap().scopes(["read"]);
        let mut auth = ChallengeMiddleware::builder(api.origin(), oauth);
        if partitioned {
            auth = auth.partition_by(|_, url| url.path().to_owned());
        }
        let client = ClientBuilder::new(reqwest::Client::new()).with(auth.build().unwrap()).build();
        client.get(api.url("/")).send().await.unwrap();
        assert_eq!(server.requests().last().unwrap().form("scope").as_deref(), Some("read"), "{partitioned}");
    }
}

#[tokio::test]
async fn a_polling_interval_of_less_than_a_second_is_raised_to_a_second() {
    let (server, oauth) = device(json!({ "interval": 0.5 }), |_, _| code(400, "authorization_pending")).await;
    let clock = ManualClock::new();
    let (_, session) = client_by(clock.clone(), &server.origin(), oauth);
    let login = tokio::spawn(async move { session.login().await });
    until(|| clock.waiting() == 1).await;
    clock.forward(Duration::from_millis(999));
    settled().await;
    assert_eq!(server.requests_to("/token"), 0);
    clock.forward(Duration::from_millis(1));
    until(|| server.requests_to("/token") == 1).await;
    login.abort();
}

#[tokio::test]
async fn a_polling_interval_of_two_minutes_is_kept() {
    let (server, oauth) = device(json!({ "interval": 120 }), |_, _| token()).await;
    let clock = ManualClock::new();
    let (_, session) = client_by(clock.clone(), &server.origin(), oauth);
    let login = tokio::spawn(async move { session.login().await });
    until(|| clock.waiting() == 1).await;
    clock.forward(Duration::from_secs(61));
    settled().await;
    assert_eq!(server.requests_to("/token"), 0);
    login.abort();
}

#[tokio::test]
async fn a_client_secret_that_was_sent_with_basic_is_masked_in_the_servers_error() {
    let server = endpoint(|_| {
        Answer::new(401)
            .json_body(json!({ "error": "invalid_client", "error_description": "wrong secret hunter2-secret" }))
    })
    .await;
    let at = Issuer::new(server.origin()).unwrap().token_endpoint(server.url("/token")).unwrap();
    let oauth = OAuth::new(at, Client::secret_basic("c", "hunter2-secret"), ClientCredentials).unwrap();
    let (_, session) = client(&server.origin(), oauth);
    let shown = line(&session.login().await.unwrap_err());
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[tokio::test]
async fn a_login_succeeds_with_any_text_as_the_redirect_path() {
    let provider = MockIdentityProvider::start().await.unwrap();
    let api = protected(&provider).await;
    for path in ["my path", "cb?x=1", "caf\u{e9}"] {
        let (show, _) = browser();
        let at = Issuer::new(provider.issuer()).unwrap();
        let oauth = OAuth::new(at, Client::public("tool"), AuthorizationCode::new(show).redirect_path(path)).unwrap();
        let (_, session) = client(&api.origin(), oauth);
        let login = tokio::time::timeout(Duration::from_secs(20), session.login()).await;
        assert!(login.is_ok_and(|login| login.is_ok()), "{path}");
    }
}

#[test]
fn a_registered_client_needs_a_users_login_and_the_servers_metadata() {
    let registered = || Client::registered(Registration::named("a"));
    let at = || Issuer::new("https://auth.example.com").unwrap();
    let page = || AuthorizationCode::new(|_| Ok(()));
    assert!(OAuth::new(at(), registered(), page()).is_ok());
    let error = OAuth::new(at(), registered(), ClientCredentials).unwrap_err();
    assert!(error.is_client_not_supported() && error.to_string().contains("login of a user"), "{error}");
    assert!(OAuth::new(at(), registered(), RefreshToken::new("r")).is_err());
    let given = at().token_endpoint("https://auth.example.com/token").unwrap();
    assert!(OAuth::new(given, registered(), page()).unwrap_err().to_string().contains("metadata"));
}
