//! A grant without a user requests no scopes that the API chooses, unless the caller allows it.

use reqwest_challenge::dpop::Es256Key;
use reqwest_challenge::{Refresh, RefreshContext, RefreshReason, Secret};
use reqwest_challenge_login::oauth::{
    ChallengeScopes, Client, ClientCredentials, DeviceCode, Grant, Issuer, JwtBearer, OAuth, TokenExchange,
};
use reqwest_challenge_testing::{Answer, MockApi};
use serde_json::json;

use crate::support::oauth::endpoint;

/// The scopes in the token request, after a challenge or metadata that name `read` and `admin`.
async fn asked(grant: impl Grant, by_metadata: bool, set: impl FnOnce(OAuth) -> OAuth) -> Option<String> {
    let server = endpoint(|_| Answer::json(json!({ "access_token": "t", "token_type": "Bearer" }))).await;
    server.at("/device").answers(Answer::new(400));
    let api = MockApi::start().await.unwrap();
    api.at("/metadata").answers(Answer::json(json!({
        "resource": api.origin(), "authorization_servers": [server.origin()], "scopes_supported": ["read", "admin"],
    })));
    let issuer = Issuer::new(server.origin()).unwrap().token_endpoint(server.url("/token")).unwrap();
    let issuer = issuer.device_authorization_endpoint(server.url("/device")).unwrap();
    let oauth = set(OAuth::new(issuer, Client::secret_basic("c", "s"), grant).unwrap());
    let challenge = if by_metadata {
        format!("Bearer resource_metadata=\"{}\"", api.url("/metadata"))
    } else {
        "Bearer scope=\"read admin\", error=\"invalid_token\"".to_owned()
    };
    let context = RefreshContext::builder(api.url("/api"))
        .challenge(&challenge)
        .reason(RefreshReason::Challenged)
        .build()
        .unwrap();
    let _ = oauth.prompting().refresh(context).await;
    server.requests()[0].form("scope")
}

/// The grants without a user.
fn grants_without_a_user() -> [Box<dyn Grant>; 3] {
    let key = Es256Key::generate().unwrap();
    [
        Box::new(ClientCredentials),
        Box::new(JwtBearer::new("i", "s", key)),
        Box::new(TokenExchange::new(|| Ok(Secret::new("subject")), "urn:ietf:params:oauth:token-type:jwt")),
    ]
}

#[tokio::test]
async fn an_api_does_not_choose_the_scopes_of_a_grant_without_a_user() {
    for by_metadata in [false, true] {
        for grant in grants_without_a_user() {
            let name = grant.grant_type().to_owned();
            assert_eq!(asked(grant, by_metadata, |oauth| oauth).await, None, "{name}");
        }
        for grant in grants_without_a_user() {
            let set = |oauth: OAuth| oauth.scopes(["mine"]).challenge_scopes(ChallengeScopes::any());
            assert_eq!(asked(grant, by_metadata, set).await.as_deref(), Some("mine"));
        }
    }
}

#[tokio::test]
async fn a_caller_allows_all_listed_matching_or_no_scopes_of_a_challenge() {
    for by_metadata in [false, true] {
        for (allowed, expected) in [
            (ChallengeScopes::any(), Some("read admin")),
            (ChallengeScopes::only(["read", "write"]), Some("read")),
            (ChallengeScopes::matching(|scope| scope.starts_with("ad")), Some("admin")),
            (ChallengeScopes::only(["other"]), None),
            (ChallengeScopes::none(), None),
        ] {
            let told = format!("{allowed:?}");
            let found = asked(ClientCredentials, by_metadata, |oauth| oauth.challenge_scopes(allowed)).await;
            assert_eq!(found.as_deref(), expected, "{told}");
        }
    }
}

#[tokio::test]
async fn a_users_login_requests_the_scopes_of_a_challenge_without_permission() {
    for by_metadata in [false, true] {
        let found = asked(DeviceCode::new(|_| Ok(())), by_metadata, |oauth| oauth).await;
        assert_eq!(found.as_deref(), Some("read admin"));
    }
}

/// The scopes in the request after a 401 that names a missing scope. The caller has set another scope.
async fn asked_for_more(grant: impl Grant, set: impl FnOnce(OAuth) -> OAuth) -> Option<String> {
    let server = endpoint(|_| Answer::json(json!({ "access_token": "t", "token_type": "Bearer" }))).await;
    server.at("/device").answers(Answer::new(400));
    let issuer = Issuer::new(server.origin()).unwrap().token_endpoint(server.url("/token")).unwrap();
    let issuer = issuer.device_authorization_endpoint(server.url("/device")).unwrap();
    let oauth = set(OAuth::new(issuer, Client::secret_basic("c", "s"), grant).unwrap().scopes(["mine"]));
    let challenge = "Bearer error=\"insufficient_scope\", scope=\"mine admin\"";
    let context =
        RefreshContext::builder("https://api.example.com/api").challenge(challenge).reason(RefreshReason::Challenged);
    let _ = oauth.prompting().refresh(context.build().unwrap()).await;
    server.requests()[0].form("scope")
}

#[tokio::test]
async fn a_missing_scope_is_added_to_the_callers_scopes_if_the_api_may_choose() {
    let device = asked_for_more(DeviceCode::new(|_| Ok(())), |oauth| oauth).await;
    assert_eq!(device.as_deref(), Some("mine admin"));
    for grant in grants_without_a_user() {
        assert_eq!(asked_for_more(grant, |oauth| oauth).await.as_deref(), Some("mine"));
    }
    for grant in grants_without_a_user() {
        let any = |oauth: OAuth| oauth.challenge_scopes(ChallengeScopes::any());
        assert_eq!(asked_for_more(grant, any).await.as_deref(), Some("mine admin"));
    }
}
