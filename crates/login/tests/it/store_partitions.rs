//! Several resources with one store.

use reqwest_challenge::{ChallengeMiddleware, Credential, Refresh, RefreshContext, RefreshReason};
use reqwest_challenge_login::oauth::{ChallengeScopes, Client, ClientCredentials, Issuer, OAuth};
use reqwest_challenge_login::store::{Key, MemoryStore, Stored};
use reqwest_challenge_testing::{Answer, Script};
use reqwest_middleware::ClientBuilder;
use serde_json::json;

use crate::support::oauth::endpoint;
use crate::support::script::{API, challenged_with, status};

/// The first segment of a path.
fn segment(path: &str) -> String {
    path.trim_start_matches('/').split('/').next().unwrap_or_default().to_owned()
}

/// The issuer returns a token for each resource, and the store keeps the first one.
#[tokio::test]
async fn a_stored_credential_of_one_resource_is_not_sent_to_another() {
    let issuer = endpoint(|asked| {
        Answer::json(json!({
            "access_token": format!("t{}", asked.form("scope").unwrap_or_default()),
            "token_type": "Bearer",
        }))
    })
    .await;
    let api = Script::new(|arrived, _| {
        let resource = segment(arrived.path());
        if arrived.token() == format!("t{resource}") {
            return status(200);
        }
        challenged_with(&format!(
            "Bearer scope=\"{resource}\", resource_metadata=\"{API}/.well-known/oauth-protected-resource/{resource}\""
        ))
    });
    let at = Issuer::new(issuer.origin()).unwrap().token_endpoint(issuer.url("/token")).unwrap();
    let oauth = OAuth::new(at, Client::secret_post("c", "hunter2"), ClientCredentials).unwrap();
    let oauth = oauth.challenge_scopes(ChallengeScopes::any());
    let store = MemoryStore::new();
    let stored = Stored::new(Credential::bearer("unused"), store.clone(), Key::new("app"));
    let auth = ChallengeMiddleware::new(API, Stored::new(oauth.without_resource(), store.clone(), Key::new("app")));
    let client = ClientBuilder::new(reqwest::Client::new()).with(auth.unwrap()).with(api.clone()).build();
    for path in ["a/1", "b/1", "a/2", "b/2"] {
        assert_eq!(client.get(format!("{API}/{path}")).send().await.unwrap().status(), 200, "{path}");
    }
    assert_eq!(issuer.requests().iter().filter(|one| one.path() == "/token").count(), 2);
    let context = RefreshContext::builder(API).reason(RefreshReason::Initial).build().unwrap();
    assert_eq!(stored.initial(context).await.unwrap(), Some(Credential::bearer("ta")));
}
