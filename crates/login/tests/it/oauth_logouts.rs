//! The server at which a logout revokes a login that an earlier process stored.

use reqwest_challenge::{ChallengeMiddleware, Refresh, Session};
use reqwest_challenge_login::oauth::{AuthorizationCode, Client, Issuer, OAuth, Registration};
use reqwest_challenge_login::store::{MemoryStore, Store, Stored};
use reqwest_challenge_testing::{MockApi, MockIdentityProvider};

use crate::support::folder::key;
use crate::support::oauth::{browser, protected, registering};

fn session(origin: &str, refresher: impl Refresh) -> Session {
    ChallengeMiddleware::new(origin, refresher).unwrap().session()
}

/// A store with a login for the API.
async fn logged_in(api: &MockApi, oauth: OAuth) -> MemoryStore {
    let store = MemoryStore::new();
    session(&api.origin(), Stored::new(oauth, store.clone(), key())).login().await.unwrap();
    store
}

/// Logs out in a process that has refreshed nothing and that takes the issuer from a challenge. Returns how many requests
/// the provider got, and how many of them were revocations.
async fn logs_out(origin: &str, store: &MemoryStore, provider: &MockIdentityProvider) -> (usize, usize) {
    let count = || {
        let exchanges = provider.journal().exchanges();
        let paths = exchanges.iter().map(|one| one.request()).filter(|one| one.server() == "identity");
        let paths: Vec<_> = paths.map(|one| one.path().to_owned()).collect();
        (paths.len(), paths.iter().filter(|path| *path == "/revoke").count())
    };
    let before = count();
    session(origin, Stored::new(registering().0, store.clone(), key())).logout().await.unwrap();
    assert_eq!(store.load(&key()).await.unwrap(), None, "the login is always removed here");
    (count().0 - before.0, count().1 - before.1)
}

#[tokio::test]
async fn a_stored_login_is_revoked_at_the_issuer_that_its_api_named() {
    let provider = MockIdentityProvider::start().await.unwrap();
    let api = protected(&provider).await;
    let store = logged_in(&api, registering().0).await;
    assert_eq!(logs_out(&api.origin(), &store, &provider).await.1, 1);
    // The issuer is the one that the login's API named. The first origin of this middleware does not matter.
    let store = logged_in(&api, registering().0).await;
    assert_eq!(logs_out("https://api.example.com", &store, &provider).await.1, 1);
}

#[tokio::test]
async fn a_stored_login_of_an_unknown_api_is_sent_to_no_server() {
    let provider = MockIdentityProvider::start().await.unwrap();
    let api = protected(&provider).await;
    // The issuer is pinned for this login, so no metadata of the API are read.
    let client = Client::registered(Registration::named("a tool").with("software_id", "tool"));
    let issuer = Issuer::new(provider.issuer()).unwrap();
    let oauth = OAuth::new(issuer, client, AuthorizationCode::new(browser().0)).unwrap().scopes(["api:read"]);
    let store = logged_in(&api, oauth).await;
    assert_eq!(logs_out(&api.origin(), &store, &provider).await, (0, 0));
}
