//! A login in a browser of this machine: its page, its redirect, and its failures.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::{StatusCode, Url};
use reqwest_challenge::{BoxError, DeniedReason, RefreshErrorKind};
use reqwest_challenge_login::oauth::{AuthorizationCode, AuthorizationPrompt, Client, Issuer, OAuth};
use reqwest_challenge_testing::{Answer, Failure, ManualClock, MockApi, MockIdentityProvider, until};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::oauth::{browser, client, client_by, line, protected, why};

/// A login page that the test opens.
#[derive(Clone, Default)]
struct Page(Arc<Mutex<Option<Url>>>);

impl Page {
    fn show(&self) -> impl Fn(&AuthorizationPrompt) -> Result<(), BoxError> + Send + Sync + 'static {
        let page = self.clone();
        move |prompt| {
            // The URL contains the state, which is a secret.
            let (shown, state) = (format!("{prompt:?}"), param(prompt.url(), "state"));
            assert!(shown.contains(prompt.host()) && !shown.contains(&state), "{shown}");
            *page.0.lock().unwrap() = Some(prompt.url().clone());
            Ok(())
        }
    }

    async fn shown(&self) -> Url {
        until(|| self.0.lock().unwrap().is_some()).await;
        self.0.lock().unwrap().take().unwrap()
    }
}

fn param(url: &Url, name: &str) -> String {
    url.query_pairs().find(|(other, _)| other == name).map(|(_, value)| value.into_owned()).unwrap()
}

fn pinned(provider: &MockIdentityProvider, grant: AuthorizationCode) -> OAuth {
    OAuth::new(Issuer::new(provider.issuer()).unwrap(), Client::public("tool"), grant).unwrap().scopes(["api:read"])
}

async fn get(url: &str) -> (StatusCode, String) {
    let response = reqwest::get(url).await.unwrap();
    (response.status(), response.text().await.unwrap())
}

#[tokio::test]
async fn a_request_opens_no_login_page_unless_prompts_are_enabled() {
    let provider = MockIdentityProvider::start().await.unwrap();
    let api = protected(&provider).await;
    let (show, seen) = browser();
    let oauth = pinned(&provider, AuthorizationCode::new(show)).hint("run `tool login`");
    let (client, session) = client(&api.origin(), oauth);
    let error = client.get(api.url("/api")).send().await.unwrap_err();
    assert_eq!(why(&error).kind(), &RefreshErrorKind::LoginRequired { hint: "run `tool login`".to_owned() });
    assert_eq!(seen.count(), 0);
    session.login().await.unwrap();
    assert_eq!((client.get(api.url("/api")).send().await.unwrap().status(), seen.count()), (StatusCode::OK, 1));
    // A revoked login starts no new login without an explicit call.
    provider.fail_next(Failure::InvalidGrant);
    api.tokens().expire_all();
    let error = client.get(api.url("/api")).send().await.unwrap_err();
    assert_eq!(why(&error).kind(), &RefreshErrorKind::CredentialRevoked { code: "invalid_grant".to_owned() });
    assert_eq!(seen.count(), 1);
}

#[tokio::test]
async fn the_authorization_request_has_the_required_parameters_and_a_new_state_each_time() {
    let provider = MockIdentityProvider::start().await.unwrap();
    let api = protected(&provider).await;
    let (show, seen) = browser();
    let oauth = pinned(&provider, AuthorizationCode::new(show).redirect_path("done")).parameter("prompt", "login");
    let (_, session) = client(&api.origin(), oauth);
    session.login().await.unwrap();
    session.login().await.unwrap();
    let fixed =
        ["response_type", "client_id", "code_challenge_method", "prompt"].map(|name| seen.param(0, name).unwrap());
    assert_eq!(fixed, ["code", "tool", "S256", "login"]);
    assert_eq!(seen.param(0, "resource"), None, "the caller names no resource");
    for name in ["state", "code_challenge"] {
        let [first, second] = [0, 1].map(|number| seen.param(number, name).unwrap());
        assert!(first.len() == 43 && first != second, "{first} {second}");
    }
    let redirect = Url::parse(&seen.param(0, "redirect_uri").unwrap()).unwrap();
    assert_eq!((redirect.host_str(), redirect.path()), (Some("127.0.0.1"), "/done"));
}

#[tokio::test]
async fn only_a_redirect_with_the_right_path_and_state_is_accepted() {
    let provider = MockIdentityProvider::start().await.unwrap();
    let api = protected(&provider).await;
    let page = Page::default();
    let (_, session) = client(&api.origin(), pinned(&provider, AuthorizationCode::new(page.show())));
    let login = tokio::spawn(async move { session.login().await });
    let url = page.shown().await;
    let (redirect, state) = (param(&url, "redirect_uri"), param(&url, "state"));
    let iss = provider.issuer();
    for odd in [
        redirect.replace("/callback", "/"),
        redirect.clone(),
        format!("{redirect}?code=stolen&iss={iss}"),
        format!("{redirect}?code=stolen&state=guessed&iss={iss}"),
        format!("{redirect}?code=stolen&state={state}&state=guessed&iss={iss}"),
        format!("{redirect}/x?code=stolen&state={state}&iss={iss}"),
    ] {
        assert_eq!(get(&odd).await, (StatusCode::NOT_FOUND, not_here()), "{odd}");
    }
    let posted = reqwest::Client::new().post(format!("{redirect}?code=stolen&state={state}&iss={iss}")).send().await;
    assert_eq!(posted.unwrap().status(), StatusCode::NOT_FOUND);
    // A connection that sends nothing, or too much, blocks no other connection.
    let address = Url::parse(&redirect).unwrap().socket_addrs(|| None).unwrap()[0];
    let _silent = tokio::net::TcpStream::connect(address).await.unwrap();
    let mut much = tokio::net::TcpStream::connect(address).await.unwrap();
    let _ = much.write_all(format!("GET /callback?{} HTTP/1.1\r\n", "x".repeat(1 << 20)).as_bytes()).await;
    let mut answer = Vec::new();
    let _ = much.read_to_end(&mut answer).await;
    assert!(answer.is_empty() || !answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    assert!(!login.is_finished());
    let (status, text) = get(url.as_str()).await;
    assert!(status == StatusCode::OK && text.contains("close this page"), "{status} {text}");
    login.await.unwrap().unwrap();
    assert!(reqwest::get(&redirect).await.is_err(), "the port is closed");
}

fn not_here() -> String {
    "<!doctype html><meta charset=utf-8><title>Login</title><p>There is nothing here.</p>\n".to_owned()
}

#[tokio::test]
async fn a_redirect_with_a_wrong_iss_is_refused_and_its_code_is_not_sent() {
    let provider = MockIdentityProvider::start().await.unwrap();
    let api = protected(&provider).await;
    for iss in ["", "&iss=https://evil.example", "&iss=ISSUER&iss=ISSUER", "&iss=ISSUER/"] {
        let page = Page::default();
        let (_, session) = client(&api.origin(), pinned(&provider, AuthorizationCode::new(page.show())));
        let login = tokio::spawn(async move { session.login().await });
        let url = page.shown().await;
        let iss = iss.replace("ISSUER", &provider.issuer());
        let back = format!("{}?code=mixed-up&state={}{iss}", param(&url, "redirect_uri"), param(&url, "state"));
        assert_eq!(get(&back).await.0, StatusCode::OK);
        let error = line(&login.await.unwrap().unwrap_err());
        assert!(error.contains("issuer_mismatch") && !error.contains("mixed-up"), "{error}");
    }
    assert_eq!(provider.token_requests(), 0);
}

#[tokio::test]
async fn a_refused_login_is_denied_and_revokes_no_credential() {
    let provider = MockIdentityProvider::start().await.unwrap();
    let api = protected(&provider).await;
    provider.refuse_logins(true);
    let (show, _) = browser();
    let (_, session) = client(&api.origin(), pinned(&provider, AuthorizationCode::new(show)));
    let error = line(&session.login().await.unwrap_err());
    assert!(error.contains("access_denied"), "{error}");
    provider.refuse_logins(false);
    session.login().await.unwrap();
    // A used code is not a revoked credential.
    let page = Page::default();
    let (_, session) = client(&api.origin(), pinned(&provider, AuthorizationCode::new(page.show())));
    let login = tokio::spawn(async move { session.login().await });
    let url = page.shown().await;
    let (redirect, state, iss) = (param(&url, "redirect_uri"), param(&url, "state"), provider.issuer());
    get(&format!("{redirect}?code=mock-code-used&state={state}&iss={iss}")).await;
    let reqwest_challenge::Error::Refresh(error) = login.await.unwrap().unwrap_err() else { panic!() };
    assert_eq!(
        error.kind(),
        &RefreshErrorKind::Denied { reason: DeniedReason::LoginExpired, code: "invalid_grant".to_owned() }
    );
}

#[tokio::test]
async fn a_login_without_a_redirect_times_out() {
    let provider = MockIdentityProvider::start().await.unwrap();
    let (api, clock, page) = (protected(&provider).await, ManualClock::new(), Page::default());
    let oauth = pinned(&provider, AuthorizationCode::new(page.show()));
    let (_, session) = client_by(clock.clone(), &api.origin(), oauth);
    let login = tokio::spawn(async move { session.login().await });
    let url = page.shown().await;
    until(|| clock.waiting() == 1).await;
    clock.forward(Duration::from_secs(299));
    assert_eq!(get(&param(&url, "redirect_uri")).await.0, StatusCode::NOT_FOUND, "the port is still open");
    clock.forward(Duration::from_secs(2));
    let error = line(&login.await.unwrap().unwrap_err());
    assert!(error.contains("login_timed_out"), "{error}");
    assert!(reqwest::get(param(&url, "redirect_uri")).await.is_err(), "the port is closed");
}

#[tokio::test]
async fn after_a_timeout_requests_show_no_new_page_but_an_explicit_login_does() {
    let provider = MockIdentityProvider::start().await.unwrap();
    let (api, clock, page) = (protected(&provider).await, ManualClock::new(), Page::default());
    let oauth = pinned(&provider, AuthorizationCode::new(page.show())).prompting();
    let (client, session) = client_by(clock.clone(), &api.origin(), oauth);
    let asked = tokio::spawn(client.get(api.url("/api")).send());
    page.shown().await;
    until(|| clock.waiting() == 1).await;
    clock.forward(Duration::from_secs(301));
    let timed_out = RefreshErrorKind::Denied { reason: DeniedReason::LoginExpired, code: "login_timed_out".to_owned() };
    assert_eq!(why(&asked.await.unwrap().unwrap_err()).kind(), &timed_out);
    assert_eq!(why(&client.get(api.url("/api")).send().await.unwrap_err()).kind(), &timed_out);
    assert!(page.0.lock().unwrap().is_none(), "another page was shown");
    // An explicit login shows a page.
    let login = tokio::spawn(async move { session.login().await });
    get(page.shown().await.as_str()).await;
    login.await.unwrap().unwrap();
    assert_eq!(client.get(api.url("/api")).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_login_ends_when_its_caller_drops_it() {
    let provider = MockIdentityProvider::start().await.unwrap();
    let (api, page) = (protected(&provider).await, Page::default());
    let (_, session) = client(&api.origin(), pinned(&provider, AuthorizationCode::new(page.show())));
    let waiting = session.clone();
    let login = tokio::spawn(async move { waiting.login().await });
    let url = page.shown().await;
    login.abort();
    assert!(session.wait_until_saved(Duration::from_secs(20)).await, "the refresh ends by itself");
    assert!(reqwest::get(param(&url, "redirect_uri")).await.is_err(), "the port is closed");
    assert!(session.credential().is_none());
}

/// The error of a login at a server with additional metadata.
async fn login_with(metadata: impl Fn(&MockApi) -> serde_json::Value, pinned: bool) -> String {
    let server = MockApi::start().await.unwrap();
    let mut document = metadata(&server);
    document["issuer"] = server.origin().into();
    document["token_endpoint"] = server.url("/token").into();
    document["authorization_response_iss_parameter_supported"] = true.into();
    server.at("/.well-known/oauth-authorization-server").answers(Answer::json(document));
    let resource = json!({ "resource": server.origin(), "authorization_servers": [server.origin()] });
    server.at("/.well-known/oauth-protected-resource").answers(Answer::json(resource));
    let issuer = if pinned { Issuer::new(server.origin()).unwrap() } else { Issuer::from_challenge() };
    let grant = AuthorizationCode::new(|prompt| Err(format!("shown: {}", prompt.host()).into()));
    let (_, session) = client(&server.origin(), OAuth::new(issuer, Client::public("c"), grant).unwrap());
    line(&session.login().await.unwrap_err())
}

#[tokio::test]
async fn the_login_page_must_be_on_the_issuers_host() {
    let at = |page: &'static str| {
        move |server: &MockApi| {
            let page = page.replace("HERE", &server.origin());
            json!({ "authorization_endpoint": page, "code_challenge_methods_supported": ["S256"] })
        }
    };
    assert!(login_with(at("HERE/login"), true).await.contains("shown: 127.0.0.1"));
    for page in
        ["https://evil.example/login", "https://127.0.0.1.evil.example/", "javascript:alert(1)", "file:///etc/passwd"]
    {
        let error = login_with(at(page), true).await;
        assert!(error.contains("untrusted_url") && !error.contains("shown"), "{page}: {error}");
    }
}

#[tokio::test]
async fn a_server_that_a_challenge_names_must_announce_pkce_with_s256() {
    let saying = |methods: serde_json::Value| move |server: &MockApi| json!({ "authorization_endpoint": server.url("/login"), "code_challenge_methods_supported": methods });
    assert!(login_with(saying(json!(["plain"])), true).await.contains("S256"));
    assert!(login_with(saying(json!(null)), true).await.contains("shown"), "the caller chose the server");
    assert!(login_with(saying(json!(null)), false).await.contains("S256"));
    assert!(login_with(saying(json!(["S256", "plain"])), false).await.contains("shown"));
}
