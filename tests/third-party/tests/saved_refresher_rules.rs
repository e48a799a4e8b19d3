//! What the decorator does with the saved credential: one test for each rule.

use std::sync::Arc;
use std::time::Duration;

use reqwest_challenge::{Credential, Refresh, RefreshContext, RefreshError, RefreshReason};
use reqwest_challenge_login::store::{Key, MemoryStore, Saved, Store, from_saved, to_saved};
use reqwest_challenge_testing::RecordingRefresher;
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

fn refused(token: &str) -> RefreshContext {
    RefreshContext::builder(URL).credential(Credential::bearer(token)).build().unwrap()
}

#[tokio::test]
async fn a_saved_credential_that_is_newer_than_the_refused_one_is_the_answer() {
    let (store, _) = store_with("newer").await;
    let inner = RecordingRefresher::new();
    let refresher = SavedRefresher::new(inner.clone(), store, key());
    assert_eq!(refresher.refresh(refused("older")).await.unwrap(), Some(Credential::bearer("newer")));
    assert_eq!(inner.calls(), 0);
}

#[tokio::test]
async fn a_saved_credential_answers_a_step_up_if_it_has_the_scopes() {
    for (scope, calls) in [("write", 0), ("delete", 1)] {
        let (store, text) = (MemoryStore::new(), to_saved(&Credential::bearer("newer").with_scopes(["read", "write"])));
        assert!(store.replace(&key(), None, &text.unwrap()).await.unwrap());
        let inner = RecordingRefresher::new();
        let context = RefreshContext::builder(URL).reason(RefreshReason::StepUp).scopes([scope]);
        let context = context.credential(Credential::bearer("older")).build().unwrap();
        SavedRefresher::new(inner.clone(), store, key()).refresh(context).await.unwrap().unwrap();
        assert_eq!(inner.calls(), calls, "{scope}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lock_that_another_process_holds_is_a_temporary_failure() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let refresher = SavedRefresher::new(RecordingRefresher::new(), store.clone(), key());
    let held = store.lock(&key(), Duration::ZERO).await.unwrap();
    assert!(refresher.refresh(refused("t1")).await.unwrap_err().is_transient());
    drop(held);
    assert!(refresher.refresh(refused("t1")).await.is_ok());
}

#[tokio::test]
async fn the_refresher_inside_renews_the_saved_credential_and_the_new_one_is_saved() {
    let (store, _) = store_with("refused").await;
    let inner = RecordingRefresher::new();
    let refresher = SavedRefresher::new(inner.clone(), store.clone(), key());
    assert_eq!(refresher.refresh(refused("refused")).await.unwrap(), Some(Credential::bearer("t1")));
    assert_eq!(inner.contexts()[0].credential().unwrap().source(), Some("memory"));
    assert_eq!(stored(&store).await, Some(Credential::bearer("t1")));
}

#[tokio::test]
async fn the_lock_is_held_until_the_user_is_asked() {
    let (store, _) = store_with("t1").await;
    let seen = store.clone();
    let inner = move |context: RefreshContext| {
        let store = seen.clone();
        async move {
            assert!(store.lock(&key(), Duration::ZERO).await.is_err());
            assert_eq!(context.before_prompt().await?, None);
            drop(store.lock(&key(), Duration::ZERO).await.unwrap());
            Ok::<_, RefreshError>(Credential::bearer("t2"))
        }
    };
    let refresher = SavedRefresher::new(inner, store.clone(), key());
    assert_eq!(refresher.refresh(refused("t1")).await.unwrap(), Some(Credential::bearer("t2")));
    assert_eq!(stored(&store).await, Some(Credential::bearer("t2")));
}

#[tokio::test]
async fn only_a_revoked_credential_is_deleted() {
    let kept = [RefreshError::login_required("log in"), RefreshError::denied("x"), RefreshError::transient(None)];
    for error in kept.into_iter().chain([RefreshError::credential_revoked("invalid_grant")]) {
        let (store, _) = store_with("t1").await;
        let refresher = SavedRefresher::new(RecordingRefresher::failing(error.clone()), store.clone(), key());
        refresher.refresh(refused("t1")).await.unwrap_err();
        assert_eq!(stored(&store).await.is_none(), error.is_credential_revoked(), "{error}");
    }
}

#[tokio::test]
async fn a_new_attachment_without_a_credential_is_saved() {
    let (store, _) = store_with("t1").await;
    let inner = async |context: RefreshContext| {
        context.before_spending().await?;
        context.keep_attachment("r2");
        Err::<Credential, _>(RefreshError::transient(None))
    };
    let refresher = SavedRefresher::new(inner, store.clone(), key());
    refresher.refresh(refused("t1")).await.unwrap_err();
    assert_eq!(stored(&store).await.unwrap().attachment().unwrap().expose(), "r2");
}
