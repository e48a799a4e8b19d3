//! A command that Ctrl-C interrupts during a login.

use std::sync::Arc;
use std::time::Duration;

use reqwest_challenge::{ChallengeMiddleware, Refresh};
use reqwest_challenge_login::oauth::{AuthorizationCode, Client, Issuer, OAuth};
use reqwest_challenge_login::store::{Key, MemoryStore, Store, Stored};
use reqwest_challenge_testing::{Answer, Gate, MockApi, MockIdentityProvider};

use crate::support::contexts::initial;
use crate::support::oauth::browser;

/// Ctrl-C during the token request: the server has issued the token, and issues it once.
#[tokio::test]
async fn a_login_that_is_interrupted_during_the_token_request_is_still_saved() {
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
    // Half a second is longer than an abandoned refresh takes to end.
    assert!(!session.wait_until_saved(Duration::from_millis(500)).await, "the token request still runs");
    assert!(store.load(&key).await.unwrap().is_none());
    gate.open();
    assert!(session.wait_until_saved(Duration::from_secs(60)).await, "the session waits for the save");
    assert!(store.load(&key).await.unwrap().is_some(), "the login is saved");
    assert!(stored.save_error().is_none() && stored.initial(initial()).await.unwrap().is_some());
    assert_eq!(tokens.requests_to("/token"), 1);
}
