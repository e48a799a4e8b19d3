//! What a logout does with the saved credential, and with a credential that comes after it.

use std::time::Duration;

use reqwest_challenge::{ChallengeMiddleware, Credential, Refresh, RefreshContext, RefreshReason};
use reqwest_challenge_login::store::{Key, MemoryStore, Saved, Store, from_saved, to_saved};
use reqwest_challenge_testing::{Gate, RecordingRefresher, Script};
use third_party::saved_refresher::SavedRefresher;

const URL: &str = "https://api.example.com/reports";

fn key() -> Key {
    Key::new("https://auth.example.com")
}

async fn store_with(token: &str) -> (MemoryStore, Saved) {
    let (store, text) = (MemoryStore::new(), to_saved(&Credential::bearer(token)).unwrap());
    assert!(store.replace(&key(), None, &text).await.unwrap());
    (store, text)
}

/// The credential in the store.
async fn stored(store: &MemoryStore) -> Option<Credential> {
    let text = store.load(&key()).await.unwrap()?;
    from_saved(&text, |_scheme, _exported| None)
}

/// A refresher that waits at the gate.
fn held_refresher() -> (Gate, RecordingRefresher) {
    let gate = Gate::closed();
    (gate.clone(), RecordingRefresher::new().hold_until(&gate))
}

fn refused(token: &str) -> RefreshContext {
    RefreshContext::builder(URL).credential(Credential::bearer(token)).build().unwrap()
}

#[tokio::test]
async fn a_credential_that_comes_after_a_logout_is_not_saved() {
    let (store, _) = store_with("t0").await;
    let (gate, inner) = held_refresher();
    let refresher = SavedRefresher::new(inner.clone(), store.clone(), key());
    let auth = ChallengeMiddleware::new("https://api.example.com", refresher).unwrap();
    let session = auth.session();
    let call = tokio::spawn(Script::accepting("t1").client(&auth).get(URL).send());
    gate.reached_by(1).await;
    session.logout().await.unwrap();
    assert_eq!(stored(&store).await, None);
    gate.open();
    call.await.unwrap().unwrap_err();
    assert!(session.wait_until_saved(Duration::from_secs(30)).await);
    assert_eq!(stored(&store).await, None);
    assert_eq!(inner.forgotten(), [Some(Credential::bearer("t0")), Some(Credential::bearer("t1"))]);
}

#[tokio::test]
async fn a_credential_that_comes_after_a_logout_of_another_process_is_forgotten() {
    let (store, text) = store_with("t0").await;
    let (gate, inner) = held_refresher();
    let refresher = SavedRefresher::new(inner.clone(), store.clone(), key());
    let logout = async {
        gate.reached_by(1).await;
        assert!(store.clear(&key(), &text).await.unwrap());
        gate.open();
    };
    let (renewed, ()) = tokio::join!(refresher.refresh(refused("t0")), logout);
    assert!(renewed.unwrap_err().is_login_required());
    assert_eq!(stored(&store).await, None);
    assert_eq!(inner.forgotten(), [Some(Credential::bearer("t1"))]);
}

#[tokio::test]
async fn a_first_login_that_ends_after_a_logout_is_not_saved() {
    let store = MemoryStore::new();
    let (gate, inner) = held_refresher();
    let refresher = SavedRefresher::new(inner, store.clone(), key());
    let logout = async {
        gate.reached_by(1).await;
        refresher.forget(refused("t0").to_forget(RefreshReason::Logout, None)).await.unwrap();
        gate.open();
    };
    // The session discards the credential, because the logout ended its epoch.
    let (new, ()) = tokio::join!(refresher.refresh(refused("t0")), logout);
    assert!(new.unwrap().is_some());
    assert_eq!(stored(&store).await, None);
}

#[tokio::test]
async fn a_logout_forgets_the_saved_credential_and_the_held_one() {
    let (store, _) = store_with("saved").await;
    let inner = RecordingRefresher::new();
    let refresher = SavedRefresher::new(inner.clone(), store.clone(), key());
    let held = Some(Credential::bearer("held"));
    refresher.forget(refused("x").to_forget(RefreshReason::Logout, held.clone())).await.unwrap();
    assert_eq!(stored(&store).await, None);
    assert_eq!(inner.forgotten(), [Some(Credential::bearer("saved")), held]);
}
