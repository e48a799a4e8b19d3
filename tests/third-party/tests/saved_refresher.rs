//! The decorator passes the contract of a refresher, and two processes renew a rotating token once.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use reqwest_challenge::reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use reqwest_challenge::{ChallengeMiddleware, Session, reqwest};
use reqwest_challenge_login::oauth::{AuthorizationCode, Client, Issuer, OAuth};
use reqwest_challenge_login::store::Key;
use reqwest_challenge_testing::{
    Failure, Gate, MockApi, MockIdentityProvider, Protection, RecordingRefresher, Verdict, decorator_contract,
    refresher_contract,
};
use tempfile::tempdir;
use third_party::saved_refresher::SavedRefresher;
use third_party::sqlite_store::SqliteStore;

fn key() -> Key {
    Key::new("https://auth.example.com").client("tool")
}

/// A login whose user opens the page at once.
fn oauth(issuer: &str) -> OAuth {
    let browser = AuthorizationCode::new(|prompt| {
        tokio::spawn(reqwest::get(prompt.url().clone()));
        Ok(())
    });
    OAuth::new(Issuer::new(issuer).unwrap(), Client::public("tool"), browser).unwrap()
}

/// One process: its own connection to the database, its own refresher and its own session.
fn process(database: &Path, provider: &MockIdentityProvider, api: &MockApi) -> (ClientWithMiddleware, Session) {
    let store = SqliteStore::open(database).unwrap();
    let refresher = SavedRefresher::new(oauth(&provider.issuer()), store, key());
    let auth = ChallengeMiddleware::new(api.origin(), refresher).unwrap();
    let session = auth.session();
    (ClientBuilder::new(reqwest::Client::new()).with(auth).build(), session)
}

#[tokio::test]
async fn the_decorator_around_a_login_passes_the_contract() {
    let folder = tempdir().unwrap();
    let provider = Arc::new(MockIdentityProvider::start().await.unwrap());
    let (issuer, root, number) = (provider.issuer(), folder.path().to_owned(), AtomicUsize::new(0));
    let (begin, end, revoke) = (provider.clone(), provider.clone(), provider.clone());
    let make = move || {
        let path = root.join(format!("{}.db", number.fetch_add(1, Ordering::SeqCst)));
        SavedRefresher::new(oauth(&issuer).prompting(), SqliteStore::open(path).unwrap(), key())
    };
    let report = refresher_contract(make)
        .outage(move || begin.begin_outage(Failure::ServerError), move || end.end_outage())
        .revocation(move || revoke.begin_outage(Failure::InvalidGrant))
        .run()
        .await;
    println!("{report}");
    report.assert_passed();
    assert!(report.checks().iter().all(|check| check.verdict == Verdict::Passed), "a check was skipped:\n{report}");
}

#[tokio::test]
async fn the_decorator_around_another_refresher_passes_the_contract() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("credentials.db");
    let store = SqliteStore::open(path).unwrap();
    let number = AtomicUsize::new(0);
    let make = move || {
        let key = key().account(number.fetch_add(1, Ordering::SeqCst).to_string());
        SavedRefresher::new(RecordingRefresher::new(), store.clone(), key)
    };
    refresher_contract(make).run().await.assert_passed();
}

#[tokio::test]
async fn the_decorator_passes_the_contract_of_a_decorator() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("credentials.db");
    // Each decorator opens the database again, as another process does.
    let make =
        move |inside, place: &str| SavedRefresher::new(inside, SqliteStore::open(&path).unwrap(), key().account(place));
    let report = decorator_contract(make).run().await;
    println!("{report}");
    report.assert_passed();
}

#[tokio::test]
async fn two_processes_renew_a_rotating_token_once() {
    let folder = tempdir().unwrap();
    let database = folder.path().join("credentials.db");
    let provider = MockIdentityProvider::start().await.unwrap();
    let api = MockApi::trusting(&provider).await.unwrap();
    api.at("/reports").accepts(Protection::bearer());

    // The first process logs in, and the second begins with the saved credential.
    let (first, session) = process(&database, &provider, &api);
    session.login().await.unwrap();
    let (second, _) = process(&database, &provider, &api);
    assert_eq!(second.get(api.url("/reports")).send().await.unwrap().status(), 200);
    api.journal().assert_sends("/reports", 1);

    // The server refuses both at the same time.
    provider.tokens().expire_all();
    let gate = Gate::closed();
    api.at("/reports").hold_until(&gate);
    let calls = [first, second].map(|client| tokio::spawn(client.get(api.url("/reports")).send()));
    gate.reached_by(2).await;
    gate.open();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().status(), 200);
    }
    assert_eq!(provider.grants("authorization_code"), 1);
    assert_eq!(provider.grants("refresh_token"), 1);
    assert_eq!(provider.reuses(), 0);
}
