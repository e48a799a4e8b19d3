//! Renewals that a login, a logout, a refused token or a step-up interrupts.

use std::time::Duration;

use reqwest_challenge::{ChallengeMiddleware, Forbidden};
use reqwest_challenge_login::oauth::{AuthorizationCode, Client, ClientCredentials, Issuer, OAuth, RefreshToken};
use reqwest_challenge_testing::{Answer, Failure, Gate, ManualClock, MockApi, MockIdentityProvider, until};
use reqwest_middleware::ClientBuilder;
use serde_json::json;

use crate::oauth_robustness::settled;
use crate::support::oauth::{browser, client, endpoint, line, protected, registering, why};

#[tokio::test]
async fn a_client_that_the_server_no_longer_knows_registers_again() {
    let provider = MockIdentityProvider::start().await.unwrap();
    let api = protected(&provider).await;
    let (oauth, seen) = registering();
    let (client, _) = client(&api.origin(), oauth.prompting());
    client.get(api.url("/api")).send().await.unwrap();
    provider.fail_next(Failure::InvalidClient);
    api.tokens().expire_all();
    let got = client.get(api.url("/api")).send().await;
    assert!(got.is_ok() && seen.count() == 2, "{}", line(&why(&got.unwrap_err())));
}

#[tokio::test]
async fn a_login_during_a_renewal_does_not_use_its_refresh_token_again() {
    let provider = MockIdentityProvider::start().await.unwrap();
    let api = protected(&provider).await;
    let login = provider.log_in(["api:read"]);
    let at = Issuer::new(provider.issuer()).unwrap();
    let oauth = OAuth::new(at, Client::public("tool"), RefreshToken::new(login.refresh_token)).unwrap();
    let (client, session) = client(&api.origin(), oauth);
    client.get(api.url("/api")).send().await.unwrap();
    api.tokens().expire_all();
    let gate = Gate::closed();
    provider.fail_next(Failure::Hang(gate.clone()));
    let url = api.url("/api");
    let other = client.clone();
    let request = tokio::spawn(async move { other.get(url).send().await });
    until(|| provider.token_requests() == 2).await;
    let waiting = session.clone();
    let again = tokio::spawn(async move { waiting.login().await });
    settled().await;
    gate.open();
    let (request, again) = (request.await.unwrap(), again.await.unwrap());
    assert_eq!(provider.reuses(), 0, "request {:?}, login {:?}", request.is_ok(), again.map_err(|e| line(&e)));
}

#[tokio::test]
async fn a_refused_login_during_a_renewal_keeps_the_renewed_credential() {
    let provider = MockIdentityProvider::start().await.unwrap();
    let api = protected(&provider).await;
    let (show, seen) = browser();
    let at = Issuer::new(provider.issuer()).unwrap();
    let oauth = OAuth::new(at, Client::public("tool"), AuthorizationCode::new(show)).unwrap().scopes(["api:read"]);
    let clock = ManualClock::new();
    let auth = ChallengeMiddleware::builder(api.origin(), oauth).clock(clock.clone()).build().unwrap();
    let session = auth.session();
    let client = ClientBuilder::new(reqwest::Client::new()).with(auth).build();
    session.login().await.unwrap();
    client.get(api.url("/api")).send().await.unwrap();
    api.tokens().expire_all();
    let gate = Gate::closed();
    provider.fail_next(Failure::Hang(gate.clone()));
    let url = api.url("/api");
    let other = client.clone();
    let before = provider.token_requests();
    let request = tokio::spawn(async move { other.get(url).send().await });
    until(|| provider.token_requests() == before + 1).await;
    provider.refuse_logins(true);
    let waiting = session.clone();
    let again = tokio::spawn(async move { waiting.login().await });
    settled().await;
    gate.open();
    let (_, again) = (request.await.unwrap(), again.await.unwrap());
    assert!(again.is_err() && seen.count() == 2);
    session.wait_until_saved(Duration::from_secs(5)).await;
    clock.forward(Duration::from_secs(3600));
    let got = client.get(api.url("/api")).send().await;
    assert!(
        got.is_ok() && provider.reuses() == 0,
        "reused {}: {}",
        provider.reuses(),
        got.err().map(|e| line(&why(&e))).unwrap_or_default()
    );
}

#[tokio::test]
async fn a_logout_uses_the_middlewares_refresh_client() {
    let provider = MockIdentityProvider::start().await.unwrap();
    let api = protected(&provider).await;
    let login = provider.log_in(["api:read"]);
    let at = Issuer::new(provider.issuer()).unwrap();
    let oauth = OAuth::new(at, Client::public("tool"), RefreshToken::new(login.refresh_token)).unwrap();
    let mut headers = reqwest::header::HeaderMap::new();
    headers.insert("x-ours", "yes".parse().unwrap());
    let http = reqwest::Client::builder().default_headers(headers).build().unwrap();
    let auth = ChallengeMiddleware::builder(api.origin(), oauth).refresh_client(http).build().unwrap();
    let session = auth.session();
    let client = ClientBuilder::new(reqwest::Client::new()).with(auth).build();
    client.get(api.url("/api")).send().await.unwrap();
    session.logout().await.unwrap();
    let said: Vec<_> = provider
        .journal()
        .exchanges()
        .iter()
        .filter(|one| one.request().server() == "identity")
        .map(|one| (one.request().path().to_owned(), one.request().header("x-ours").is_some()))
        .collect();
    assert!(said.iter().all(|(_, ours)| *ours), "{said:?}");
}

#[tokio::test]
async fn a_step_up_uses_the_metadata_that_an_earlier_challenge_named() {
    let provider = MockIdentityProvider::start().await.unwrap();
    let api = MockApi::trusting(&provider).await.unwrap();
    let metadata = format!("resource_metadata=\"{}\"", api.url("/meta.json"));
    api.at("/meta.json")
        .open()
        .answers(Answer::json(json!({ "resource": api.url("/api"), "authorization_servers": [provider.issuer()] })));
    api.at("/.well-known").open().answers(Answer::new(404));
    api.at("/api").requires("api:read").challenges_with([&*format!("Bearer {metadata}, scope=\"api:read\"")]);
    api.at("/api/write").requires("api:write");
    let (client, session) = client(&api.origin(), registering().0.prompting());
    client.get(api.url("/api")).send().await.unwrap();
    let error = client.get(api.url("/api/write")).send().await.unwrap_err();
    let got = session.step_up(Forbidden::find(&error).unwrap()).await;
    assert!(got.is_ok(), "{}", line(&got.unwrap_err()));
}

#[tokio::test]
async fn a_new_refresh_token_is_kept_if_its_access_token_is_refused() {
    use reqwest_challenge::dpop::{Dpop, Es256Key};
    let server = endpoint(|arrived| {
        let n = arrived.form("refresh_token").unwrap();
        let kind = if n == "r1" { "Bearer" } else { "DPoP" };
        Answer::json(json!({ "access_token": "t", "token_type": kind, "refresh_token": format!("{n}1") }))
    })
    .await;
    let at = Issuer::new(server.origin()).unwrap().token_endpoint(server.url("/token")).unwrap();
    let oauth = OAuth::new(at, Client::public("c"), RefreshToken::new("r"))
        .unwrap()
        .dpop(Dpop::new(Es256Key::generate().unwrap()));
    let (_, session) = client(&server.origin(), oauth);
    session.login().await.unwrap();
    let _ = session.login().await;
    let _ = session.login().await;
    let sent: Vec<_> = server.requests().iter().map(|one| one.form("refresh_token").unwrap()).collect();
    assert_eq!(sent, ["r", "r1", "r11"]);
}

#[tokio::test]
async fn a_renewal_after_a_step_up_requests_the_added_scopes_again() {
    let server = endpoint(|a| {
        Answer::json(
            json!({ "access_token": "t", "token_type": "Bearer", "expires_in": 3600, "scope": a.form("scope") }),
        )
    })
    .await;
    let api = MockApi::start().await.unwrap();
    api.at("/").answers_with(|arrived| match arrived.credential() {
        Some(_) => Answer::insufficient_scope("b"),
        None => Answer::unauthorized(["Bearer"]),
    });
    let clock = ManualClock::new();
    let at = Issuer::new(server.origin()).unwrap().token_endpoint(server.url("/token")).unwrap();
    let oauth = OAuth::new(at, Client::public("tool"), ClientCredentials).unwrap().scopes(["a"]);
    let auth = ChallengeMiddleware::builder(api.origin(), oauth).clock(clock.clone()).build().unwrap();
    let session = auth.session();
    let client = ClientBuilder::new(reqwest::Client::new()).with(auth).build();
    let error = client.get(api.url("/")).send().await.unwrap_err();
    session.step_up(Forbidden::find(&error).unwrap()).await.unwrap();
    clock.forward(Duration::from_secs(4000));
    let _ = client.get(api.url("/")).send().await;
    let sent: Vec<_> = server.requests().iter().map(|one| one.form("scope").unwrap()).collect();
    assert_eq!(sent, ["a", "a b", "a b"]);
}

#[tokio::test]
async fn a_refused_login_does_not_stop_renewals() {
    let provider = MockIdentityProvider::start().await.unwrap();
    let api = protected(&provider).await;
    let (show, _) = browser();
    let at = Issuer::new(provider.issuer()).unwrap();
    let oauth = OAuth::new(at, Client::public("tool"), AuthorizationCode::new(show)).unwrap().scopes(["api:read"]);
    let (client, session) = client(&api.origin(), oauth);
    session.login().await.unwrap();
    provider.refuse_logins(true);
    session.login().await.unwrap_err();
    api.tokens().expire_all();
    let got = client.get(api.url("/api")).send().await;
    assert!(got.is_ok(), "{}", got.err().map(|e| line(&why(&e))).unwrap_or_default());
}

#[tokio::test]
async fn a_refresh_token_is_sent_for_no_other_issuer_client_or_resource() {
    let (old, new) = (MockIdentityProvider::start().await.unwrap(), MockIdentityProvider::start().await.unwrap());
    let api = protected(&old).await;
    let login = |issuer: &MockIdentityProvider, client: &str| {
        let (show, seen) = browser();
        let at = Issuer::new(issuer.issuer()).unwrap();
        let oauth = OAuth::new(at, Client::public(client), AuthorizationCode::new(show)).unwrap();
        (oauth.scopes(["api:read"]).prompting(), seen)
    };
    let (first, _) = login(&old, "tool");
    let (_, session) = client(&api.origin(), first.resource("urn:a"));
    let held = session.login().await.unwrap();
    let starts_with = |oauth: OAuth| {
        let auth = ChallengeMiddleware::builder(api.origin(), oauth).initial_credential(held.clone()).build().unwrap();
        ClientBuilder::new(reqwest::Client::new()).with(auth).build()
    };
    api.tokens().expire_all();
    let others =
        [(login(&new, "tool"), "urn:a"), (login(&old, "another tool"), "urn:a"), (login(&old, "tool"), "urn:b")];
    for ((oauth, seen), resource) in others {
        let _ = starts_with(oauth.resource(resource)).get(api.url("/api")).send().await;
        assert_eq!((seen.count(), old.grants("refresh_token"), new.grants("refresh_token")), (1, 0, 0), "a new login");
        api.tokens().expire_all();
    }
    let (same, seen) = login(&old, "tool");
    assert_eq!(starts_with(same.resource("urn:a")).get(api.url("/api")).send().await.unwrap().status(), 200);
    assert_eq!((seen.count(), old.grants("refresh_token")), (0, 1));
}

/// An API whose metadata can only be found by its challenge.
async fn named_by_its_challenge(provider: &MockIdentityProvider) -> MockApi {
    let api = MockApi::trusting(provider).await.unwrap();
    let document = json!({ "resource": api.url("/api"), "authorization_servers": [provider.issuer()] });
    api.at("/meta.json").open().answers(Answer::json(document));
    api.at("/.well-known").open().answers(Answer::new(404));
    let challenge = format!("Bearer resource_metadata=\"{}\"", api.url("/meta.json"));
    api.at("/api").requires("*").challenges_with([&*challenge]);
    api
}

#[tokio::test]
async fn a_login_that_finds_no_metadata_does_not_block_a_401_that_names_them() {
    let provider = MockIdentityProvider::start().await.unwrap();
    let api = named_by_its_challenge(&provider).await;
    let (oauth, seen) = registering();
    let (client, session) = client(&api.origin(), oauth.prompting());
    let error = line(&session.login().await.unwrap_err());
    assert!(error.contains("send a request to the API") && seen.count() == 0, "{error}");
    assert_eq!(client.get(api.url("/api")).send().await.unwrap().status(), 200);
    assert_eq!(seen.count(), 1);
}

#[tokio::test]
async fn a_login_after_a_401_finds_metadata_that_only_the_challenge_names() {
    let provider = MockIdentityProvider::start().await.unwrap();
    let api = named_by_its_challenge(&provider).await;
    let (client, session) = client(&api.origin(), registering().0);
    assert!(client.get(api.url("/api")).send().await.is_err(), "no login without an explicit call");
    session.login().await.unwrap();
    session.logout().await.unwrap();
    session.login().await.unwrap();
    assert_eq!(client.get(api.url("/api")).send().await.unwrap().status(), 200);
}
