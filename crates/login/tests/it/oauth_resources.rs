//! Several protected resources on one origin: the refresh token of one resource is not spent for another.

use reqwest_challenge::ChallengeMiddleware;
use reqwest_challenge_login::oauth::{Client, ClientCredentials, Issuer, OAuth};
use reqwest_challenge_testing::{Answer, MockApi};
use reqwest_middleware::ClientBuilder;
use serde_json::json;

use crate::support::oauth::endpoint;

#[tokio::test]
async fn a_refresh_token_of_one_resource_is_not_used_up_for_another() {
    let issuer = endpoint(|asked| {
        let resource = asked.form("resource").unwrap_or_default();
        let name = resource.rsplit('/').next().unwrap_or_default().to_owned();
        Answer::json(json!({ "access_token": format!("t-{name}"), "token_type": "Bearer", "refresh_token": format!("r-{name}") }))
    })
    .await;
    let api = MockApi::start().await.unwrap();
    for name in ["a", "b"] {
        let place = format!("/.well-known/oauth-protected-resource/{name}");
        let document = json!({ "resource": api.url(&format!("/{name}")), "authorization_servers": [issuer.origin()] });
        api.at(&place).open().answers(Answer::json(document));
        let challenge = format!("Bearer resource_metadata=\"{}\"", api.url(&place));
        api.at(&format!("/{name}")).answers_with(move |arrived| {
            if arrived.token() == format!("t-{name}") { Answer::ok("") } else { Answer::unauthorized([&*challenge]) }
        });
    }
    let oauth = || {
        let at = Issuer::new(issuer.origin()).unwrap().token_endpoint(issuer.url("/token")).unwrap();
        OAuth::new(at, Client::secret_post("c", "hunter2"), ClientCredentials).unwrap()
    };
    let first = ChallengeMiddleware::new(api.origin(), oauth()).unwrap();
    let client = ClientBuilder::new(reqwest::Client::new()).with(first.clone()).build();
    for path in ["/a", "/b", "/a", "/b"] {
        assert_eq!(client.get(api.url(path)).send().await.unwrap().status(), 200, "{path}");
    }
    let grants = || issuer.requests().iter().map(|one| one.form("grant_type").unwrap()).collect::<Vec<_>>();
    assert_eq!(grants(), ["client_credentials"; 2]);
    // Another process starts with the credential of one resource, and calls the other resource first.
    let kept = first.session().credential().unwrap();
    let second = ChallengeMiddleware::builder(api.origin(), oauth()).initial_credential(kept).build().unwrap();
    let client = ClientBuilder::new(reqwest::Client::new()).with(second).build();
    for path in ["/b", "/a", "/b"] {
        assert_eq!(client.get(api.url(path)).send().await.unwrap().status(), 200, "{path}");
    }
    assert!(grants().iter().all(|grant| grant == "client_credentials"), "{:?}", grants());
}
