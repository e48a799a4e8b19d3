//! The mock servers distinguish a caller's request from a token request, and both from the other requests of a login. They
//! count each correctly, and a failure affects the request that it is meant for.

use reqwest_challenge::RefreshErrorKind;
use reqwest_challenge_login::oauth::{AuthorizationCode, Client, ClientCredentials, Issuer, OAuth};
use reqwest_challenge_testing::{Failure, MockApi, MockIdentityProvider};

use crate::support::oauth::{anybody, browser, client, device_server, protected, why};

const FORM: &str = "application/x-www-form-urlencoded";

async fn post(url: String, form: &str) -> reqwest::Response {
    reqwest::Client::new().post(url).header("content-type", FORM).body(form.to_owned()).send().await.unwrap()
}

#[tokio::test]
async fn the_requests_of_a_login_are_not_sends_of_a_caller() {
    let provider = MockIdentityProvider::start().await.unwrap();
    let api = protected(&provider).await;
    let (client, session) = client(&api.origin(), anybody().0.prompting());
    assert_eq!(client.get(api.url("/api")).send().await.unwrap().status(), 200);
    let journal = provider.journal();
    journal.assert_one_refresh_for(1);
    journal.assert_refreshes(1);
    // The revocation of a logout counts neither as a refresh nor as a send of a caller.
    session.logout().await.unwrap();
    assert!(journal.exchanges().iter().any(|exchanged| exchanged.request().path() == "/revoke"));
    journal.assert_one_refresh_for(1);
    // A request to the token endpoint that is not a token request does not count as a refresh.
    reqwest::get(provider.token_url()).await.unwrap();
    journal.assert_one_refresh_for(1);
    assert_eq!(provider.token_requests(), 1);
}

#[tokio::test]
async fn a_failure_affects_the_next_token_request() {
    let provider = MockIdentityProvider::start().await.unwrap();
    let api = protected(&provider).await;
    provider.fail_next(Failure::InvalidGrant);
    let (show, _) = browser();
    let issuer = Issuer::new(provider.issuer()).unwrap();
    let oauth = OAuth::new(issuer, Client::public("tool"), AuthorizationCode::new(show)).unwrap().prompting();
    let (client, _) = client(&api.origin(), oauth);
    let error = client.get(api.url("/api")).send().await.unwrap_err();
    let kind = why(&error).kind().clone();
    assert!(
        matches!(&kind, RefreshErrorKind::Denied { code, .. } | RefreshErrorKind::CredentialRevoked { code } if code == "invalid_grant"),
        "{kind:?}"
    );
    let exchanges = provider.journal().exchanges();
    let status = |path: &str| {
        let all = exchanges.iter().filter(|exchanged| exchanged.request().path() == path);
        all.map(|exchanged| exchanged.status().unwrap().as_u16()).collect::<Vec<_>>()
    };
    assert_eq!((status("/.well-known/oauth-authorization-server"), status("/token")), (vec![200], vec![400]));
}

#[tokio::test]
async fn other_requests_to_a_provider_do_not_use_up_a_failure() {
    let provider = MockIdentityProvider::start().await.unwrap();
    let at = |path: &str| format!("{}{path}", provider.issuer());
    for failure in [Failure::InvalidGrant, Failure::ServerError, Failure::Cut] {
        provider.fail_next(failure.clone());
        assert_eq!(reqwest::get(at("/.well-known/oauth-authorization-server")).await.unwrap().status(), 200);
        assert_eq!(reqwest::get(at("/.well-known/jwks.json")).await.unwrap().status(), 404);
        assert_eq!(post(at("/register"), "").await.status(), 201);
        assert_eq!(post(at("/revoke"), "token=x").await.status(), 200);
        assert_eq!(post(at("/device_authorization"), "client_id=tool").await.status(), 200);
        assert_eq!(reqwest::get(at("/device")).await.unwrap().status(), 200);
        assert_eq!(reqwest::get(at("/token")).await.unwrap().status(), 405);
        let request = reqwest::Client::new().post(at("/token")).header("content-type", FORM);
        let answer = request.body("grant_type=client_credentials").send().await;
        assert!(answer.is_err() || answer.unwrap().status() != 200, "{failure:?}");
    }
    assert_eq!(post(at("/token"), "grant_type=client_credentials").await.status(), 200);
}

#[tokio::test]
async fn an_outage_of_the_token_endpoint_does_not_affect_the_metadata() {
    let provider = MockIdentityProvider::start().await.unwrap();
    let metadata = format!("{}/.well-known/oauth-authorization-server", provider.issuer());
    for (failure, read) in [(Failure::InvalidGrant, 200), (Failure::InvalidClient, 200), (Failure::ServerError, 500)] {
        provider.begin_outage(failure.clone());
        assert_eq!(reqwest::get(&metadata).await.unwrap().status(), read, "{failure:?}");
        assert_ne!(post(provider.token_url(), "grant_type=client_credentials").await.status(), 200);
    }
}

#[tokio::test]
async fn polls_for_a_device_code_are_one_refresh() {
    let provider = MockIdentityProvider::start().await.unwrap();
    let device = post(format!("{}/device_authorization", provider.issuer()), "client_id=tool").await;
    let device: serde_json::Value = device.json().await.unwrap();
    let code = device["device_code"].as_str().unwrap();
    let poll = format!("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&device_code={code}");
    for _ in 0..3 {
        assert_eq!(post(provider.token_url(), &poll).await.status(), 400);
    }
    assert_eq!(provider.journal().refreshes(), 0);
    assert!(provider.decide_login(device["user_code"].as_str().unwrap(), true));
    assert_eq!(post(provider.token_url(), &poll).await.status(), 200);
    assert_eq!((provider.journal().refreshes(), provider.token_requests()), (1, 4));
}

#[tokio::test]
async fn a_token_request_that_is_repeated_with_a_nonce_is_one_refresh() {
    use reqwest_challenge::dpop::{Dpop, Es256Key};
    let provider = MockIdentityProvider::start().await.unwrap();
    let api = MockApi::trusting(&provider).await.unwrap();
    api.at("/").accepts(reqwest_challenge_testing::Protection::dpop()).requires("read");
    provider.require_nonce("of-the-provider");
    let issuer = Issuer::new(provider.issuer()).unwrap();
    let oauth = OAuth::new(issuer, Client::secret_basic("s", "secret"), ClientCredentials).unwrap();
    let (client, _) = client(&api.origin(), oauth.dpop(Dpop::new(Es256Key::generate().unwrap())));
    assert_eq!(client.get(api.url("/")).send().await.unwrap().status(), 200);
    assert_eq!(provider.token_requests(), 2);
    provider.journal().assert_one_refresh_for(1);
}

#[tokio::test]
async fn token_requests_to_a_mock_api_are_not_sends_of_a_caller() {
    let answer = serde_json::json!({ "access_token": "t", "token_type": "Bearer" });
    let server =
        device_server(serde_json::json!({}), move |_, _| reqwest_challenge_testing::Answer::json(answer.clone())).await;
    post(server.url("/device_authorization"), "client_id=tool").await;
    post(server.url("/token"), "grant_type=client_credentials").await;
    post(server.url("/revoke"), "token=t&token_type_hint=access_token").await;
    server.at("/reports").requires("read");
    server.tokens().accept("t");
    let request = |token: &str| reqwest::Client::new().get(server.url("/reports")).bearer_auth(token).send();
    request("old").await.unwrap();
    request("t").await.unwrap();
    server.journal().assert_one_refresh_for(1);
}

#[tokio::test]
async fn a_401_of_the_token_endpoint_is_not_a_401_for_a_fresh_credential() {
    let provider = MockIdentityProvider::start().await.unwrap();
    let form = "grant_type=client_credentials";
    post(provider.token_url(), form).await;
    provider.require_client("tool", "secret");
    let request = reqwest::Client::new().post(provider.token_url()).header("content-type", FORM);
    request.basic_auth("tool", Some("wrong")).body(form).send().await.unwrap();
    let all = provider.journal().findings();
    let found: Vec<_> = all.iter().flat_map(|(_, findings)| findings).map(|finding| finding.id()).collect();
    assert!(!found.contains(&"401-for-a-fresh-credential"), "{found:?}");
}
