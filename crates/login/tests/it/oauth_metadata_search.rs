//! If one URL of the metadata fails, the next one is tried. Also: issuers that are a template, and `without_resource`.

use reqwest_challenge::{Credential, Refresh, RefreshContext, RefreshError, RefreshErrorKind};
use reqwest_challenge_login::oauth::{Client, ClientCredentials, DeviceCode, Issuer, OAuth};
use reqwest_challenge_testing::{Answer, MockApi, MockIdentityProvider};
use serde_json::json;

use crate::support::oauth::{browser, client, endpoint, line, names, registering};

const OAUTH: &str = "/.well-known/oauth-authorization-server";
const OPENID: &str = "/.well-known/openid-configuration";

fn token() -> Answer {
    Answer::json(json!({ "access_token": "t", "token_type": "Bearer" }))
}

async fn granted(issuer: Issuer) -> Result<Option<Credential>, RefreshError> {
    let oauth = OAuth::new(issuer, Client::secret_basic("c", "s"), ClientCredentials).unwrap();
    oauth.refresh(RefreshContext::builder("https://api.example.com/").build().unwrap()).await
}

/// Failures after which the next URL is tried.
fn failures(elsewhere: &MockApi) -> Vec<Answer> {
    vec![
        Answer::new(500),
        Answer::new(503).header("retry-after", "9"),
        Answer::new(429),
        Answer::new(401),
        Answer::new(404),
        Answer::new(405),
        Answer::redirect(elsewhere.url("/login")),
        Answer::redirect("https://10.0.0.1/"),
        Answer::redirect("nonsense://"),
        Answer::cut(),
        Answer::ok("<html>log in</html>"),
        Answer::json("{\"error\":\"not_found\"}"),
        Answer::json(json!({ "issuer": "https://another.example" })),
    ]
}

#[tokio::test]
async fn if_one_metadata_url_of_an_issuer_fails_the_next_is_tried() {
    let elsewhere = MockApi::start().await.unwrap();
    for failure in failures(&elsewhere) {
        let server = MockApi::start().await.unwrap();
        server.at("/token").answers(token());
        let issuer = server.url("/tenant");
        server.at(OAUTH).answers(failure.clone());
        server.at(OPENID).answers(failure.clone());
        let document = json!({ "issuer": issuer, "token_endpoint": server.url("/token") });
        server.at("/tenant").answers(Answer::json(document));
        let got = granted(Issuer::new(&issuer).unwrap()).await;
        assert!(got.is_ok(), "{failure:?}: {}", line(&got.unwrap_err()));
    }
    assert_eq!(elsewhere.requests().len(), 0);
}

#[tokio::test]
async fn if_one_metadata_url_of_a_resource_fails_the_next_is_tried() {
    let provider = MockIdentityProvider::start().await.unwrap();
    let elsewhere = MockApi::start().await.unwrap();
    for failure in failures(&elsewhere) {
        let api = MockApi::trusting(&provider).await.unwrap();
        api.at("/api").requires("*").challenges_with_nothing();
        names(&api, &api.origin(), &provider.issuer());
        api.at("/.well-known/oauth-protected-resource/api").open().answers(failure.clone());
        let (client, _) = client(&api.origin(), registering().0.prompting());
        let got = client.get(api.url("/api")).send().await;
        assert!(got.is_ok(), "{failure:?}: {}", line(&got.unwrap_err()));
    }
}

#[tokio::test]
async fn if_no_url_has_metadata_the_error_is_the_transient_failure() {
    let server = MockApi::start().await.unwrap();
    server.at(OAUTH).answers(Answer::new(503).header("retry-after", "9"));
    server.at(OPENID).answers(Answer::new(404));
    let error = granted(Issuer::new(server.origin()).unwrap()).await.unwrap_err();
    assert!(matches!(error.kind(), RefreshErrorKind::Transient { retry_after: Some(_) }), "{}", line(&error));
}

#[tokio::test]
async fn the_error_for_an_issuer_template_has_a_hint_that_works() {
    let server = MockApi::start().await.unwrap();
    server.at("/token").answers(token());
    server.at("/").answers(Answer::new(404));
    let template = server.url("/{tenantid}/v2.0");
    let metadata = |issuer: &str| Answer::json(json!({ "issuer": issuer, "token_endpoint": server.url("/token") }));
    server.at("/common/v2.0").answers(metadata(&template));
    server.at("/8f1e/v2.0").answers(metadata(&server.url("/8f1e/v2.0")));
    for wrong in [server.url("/common/v2.0"), template] {
        let error = line(&granted(Issuer::new(&wrong).unwrap()).await.unwrap_err());
        assert!(error.contains("one tenant") && error.contains("Issuer::token_endpoint"), "{error}");
        assert!(!error.contains("exactly that text"), "{error}");
    }
    assert_eq!(server.requests_to("/token"), 0);
    // Both solutions that the hint names.
    granted(Issuer::new(server.url("/8f1e/v2.0")).unwrap()).await.unwrap();
    let given = Issuer::new(server.url("/common/v2.0")).unwrap().token_endpoint(server.url("/token")).unwrap();
    granted(given).await.unwrap();
    // An API that names the template gets the hint too.
    let api = MockApi::start().await.unwrap();
    for issuer in [server.url("/common/v2.0"), server.url("/{tenantid}/v2.0")] {
        names(&api, &api.url("/api"), &issuer);
        let (_, session) = client(&api.origin(), registering().0);
        let error = line(&session.login().await.unwrap_err());
        assert!(error.contains("one tenant"), "{error}");
    }
}

#[tokio::test]
async fn without_resource_omits_the_resource_parameter_in_every_grant() {
    let provider = MockIdentityProvider::start().await.unwrap();
    let api = crate::support::oauth::protected(&provider).await;
    let (show, seen) = browser();
    let client_of = Client::public("tool");
    let code = reqwest_challenge_login::oauth::AuthorizationCode::new(show);
    let oauth = OAuth::new(Issuer::new(provider.issuer()).unwrap(), client_of, code).unwrap().prompting();
    let (client, _) = client(&api.origin(), oauth.without_resource());
    client.get(api.url("/api")).send().await.unwrap();
    api.tokens().expire_all();
    client.get(api.url("/api")).send().await.unwrap();
    assert_eq!((seen.param(0, "resource"), seen.count()), (None, 1));
    let exchanges = provider.journal().exchanges();
    let asked: Vec<_> = exchanges.iter().filter(|one| one.request().path() == "/token").collect();
    assert_eq!(asked.len(), 2);
    assert!(asked.iter().all(|one| one.request().form("resource").is_none()));
    // The other grants omit it too, even if the caller names the resource.
    let server = endpoint(|_| token()).await;
    server.at("/device").answers(Answer::new(400));
    let issuer = || {
        let issuer = Issuer::new(server.origin()).unwrap().token_endpoint(server.url("/token")).unwrap();
        issuer.device_authorization_endpoint(server.url("/device")).unwrap()
    };
    let service = OAuth::new(issuer(), Client::secret_basic("c", "s"), ClientCredentials).unwrap();
    let device = OAuth::new(issuer(), Client::public("c"), DeviceCode::new(|_| Ok(()))).unwrap().prompting();
    for oauth in [service, device] {
        let oauth = oauth.resource("https://api.example.com/").without_resource();
        let _ = oauth.refresh(RefreshContext::builder("https://api.example.com/").build().unwrap()).await;
    }
    assert_eq!(server.requests().len(), 2);
    assert!(server.requests().iter().all(|one| one.form("resource").is_none()));
}
