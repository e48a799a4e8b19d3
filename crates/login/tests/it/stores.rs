//! Credentials that a store saves and restores, and the keys and contracts of stores.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use reqwest_challenge::{ChallengeMiddleware, Credential, Refresh, Secret, Session};
use reqwest_challenge_login::store::{FileStore, Key, MemoryStore, Saved, Store, StoreError, StoreLock, Stored};
use reqwest_challenge_testing::{ManualClock, RecordingRefresher, store_contract};
use reqwest_middleware::ClientWithMiddleware;

use crate::support::contexts::initial;
use crate::support::folder::{Folder, key};
use crate::support::script::{API, Script, challenged, status};

#[tokio::test(flavor = "multi_thread")]
async fn both_stores_pass_the_store_contract() {
    let report = store_contract(MemoryStore::new).run().await;
    report.assert_passed();
    let folder = Arc::new(Folder::new());
    let number = AtomicUsize::new(0);
    let (last, made) = (Arc::new(Mutex::new(PathBuf::new())), folder.clone());
    let reopened = last.clone();
    let make = move || {
        let path = made.0.join(format!("{}/credentials.json", number.fetch_add(1, Ordering::SeqCst)));
        last.lock().unwrap().clone_from(&path);
        FileStore::new(path)
    };
    let contract = store_contract(make).reopen_with(move || FileStore::new(reopened.lock().unwrap().clone()));
    let report = contract.run().await;
    report.assert_passed();
    assert!(!report.to_string().contains("skipped"), "{report}");
}

/// A store that compares nothing and locks nothing.
struct Careless(MemoryStore);

#[async_trait]
impl Store for Careless {
    fn name(&self) -> String {
        "careless".to_owned()
    }

    async fn load(&self, key: &Key) -> Result<Option<Saved>, StoreError> {
        self.0.load(key).await
    }

    async fn replace(&self, key: &Key, _: Option<&Saved>, new: &Saved) -> Result<bool, StoreError> {
        let old = self.0.load(key).await?;
        self.0.replace(key, old.as_ref(), new).await
    }

    async fn clear(&self, key: &Key, _: &Saved) -> Result<bool, StoreError> {
        let Some(old) = self.0.load(key).await? else { return Ok(false) };
        self.0.clear(key, &old).await
    }

    async fn lock(&self, _: &Key, _: Duration) -> Result<StoreLock, StoreError> {
        Ok(StoreLock::new(()))
    }
}

#[tokio::test]
async fn a_store_without_comparison_and_without_locks_fails_the_store_contract() {
    let report = store_contract(|| Careless(MemoryStore::new())).run().await;
    let shown = report.to_string();
    assert_eq!(shown.matches("FAILED").count(), 4, "{shown}");
}

/// An API that accepts only one token.
pub(crate) fn takes(token: &'static str) -> Script {
    Script::new(move |arrived, _| if arrived.token() == token { status(200) } else { challenged() })
}

pub(crate) fn client(server: &Script, refresher: impl Refresh) -> (ClientWithMiddleware, Session) {
    let auth = ChallengeMiddleware::new(API, refresher).unwrap();
    (server.client(&auth), auth.session())
}

/// A refresher that returns a token with a refresh token.
pub(crate) fn gives(token: &'static str) -> RecordingRefresher {
    RecordingRefresher::answering(move |_, _| {
        Ok(Some(Credential::bearer(token).with_attachment(format!("renews {token}"))))
    })
}

#[tokio::test]
async fn a_second_run_starts_with_the_credential_of_the_first_run() {
    let (folder, server) = (Folder::new(), takes("t1"));
    let first = gives("t1");
    let (run, _) = client(&server, Stored::new(first.clone(), FileStore::new(folder.file()), key()));
    run.get(API).send().await.unwrap();
    let second = gives("never");
    let (run, session) = client(&server, Stored::new(second.clone(), FileStore::new(folder.file()), key()));
    run.get(API).send().await.unwrap();
    assert_eq!((first.calls(), second.calls(), server.sends()), (1, 0, 3));
    let credential = session.credential().unwrap();
    assert_eq!(credential.source(), Some(&*format!("file:{}", folder.file().display())));
    assert_eq!(credential.attachment().unwrap().expose(), "renews t1");
}

/// A memory store that counts its loads, and fails the first `fails` saves.
#[derive(Clone, Default)]
struct Counting {
    inner: MemoryStore,
    loads: Arc<AtomicUsize>,
    fails: Arc<AtomicUsize>,
}

#[async_trait]
impl Store for Counting {
    fn name(&self) -> String {
        "counting".to_owned()
    }

    async fn load(&self, key: &Key) -> Result<Option<Saved>, StoreError> {
        self.loads.fetch_add(1, Ordering::SeqCst);
        self.inner.load(key).await
    }

    async fn replace(&self, key: &Key, old: Option<&Saved>, new: &Saved) -> Result<bool, StoreError> {
        if self.fails.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
            return Err(StoreError::TooLarge { size: 9, limit: 8 });
        }
        self.inner.replace(key, old, new).await
    }

    async fn clear(&self, key: &Key, old: &Saved) -> Result<bool, StoreError> {
        self.inner.clear(key, old).await
    }

    async fn lock(&self, key: &Key, deadline: Duration) -> Result<StoreLock, StoreError> {
        self.inner.lock(key, deadline).await
    }
}

#[tokio::test]
async fn a_store_is_read_once_if_the_server_accepts_its_credential() {
    let (store, server) = (Counting::default(), takes("t1"));
    let (run, _) = client(&server, Stored::new(gives("t1"), store.clone(), key()));
    run.get(API).send().await.unwrap();
    let loads = store.loads.load(Ordering::SeqCst);
    for _ in 0..50 {
        run.get(API).send().await.unwrap();
    }
    assert_eq!(store.loads.load(Ordering::SeqCst), loads);
    // Another run starts with many concurrent requests.
    let again = Counting { inner: store.inner.clone(), ..Counting::default() };
    let ours = gives("t1");
    let (run, _) = client(&server, Stored::new(ours.clone(), again.clone(), key()));
    let first: Vec<_> = (0..20).map(|_| tokio::spawn(run.get(API).send())).collect();
    for one in first {
        assert_eq!(one.await.unwrap().unwrap().status(), 200);
    }
    assert_eq!((again.loads.load(Ordering::SeqCst), ours.calls()), (1, 0));
}

/// The stored text.
pub(crate) async fn stored(store: &impl Store) -> Option<String> {
    Some(store.load(&key()).await.unwrap()?.expose().to_owned())
}

/// Runs a future to its end on another thread, from synchronous code.
pub(crate) fn elsewhere<T: Send>(work: impl Future<Output = T> + Send) -> T {
    std::thread::scope(|scope| {
        let runs = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work);
        scope.spawn(runs).join().unwrap()
    })
}

/// Saves a token as another process.
pub(crate) async fn another_saves(store: &MemoryStore, token: &'static str) {
    let server = takes(token);
    let (run, session) = client(&server, Stored::new(gives(token), store.clone(), key()));
    session.login().await.unwrap();
    run.get(API).send().await.unwrap();
}

#[tokio::test]
async fn a_credential_that_cannot_be_saved_is_used_reported_and_saved_later() {
    let (store, server) = (Counting::default(), takes("t1"));
    store.fails.store(2, Ordering::SeqCst);
    let reports = Arc::new(Mutex::new(Vec::new()));
    let heard = reports.clone();
    let ours = gives("t1");
    let refresher = Stored::new(ours.clone(), store.clone(), key())
        .on_save_error(move |error| heard.lock().unwrap().push(error.to_string()));
    let (run, session) = client(&server, refresher);
    assert_eq!(run.get(API).send().await.unwrap().status(), 200);
    assert_eq!((stored(&store).await, reports.lock().unwrap().len()), (None, 1));
    assert!(reports.lock().unwrap()[0].contains("9 octets, but the limit of the store is 8"));
    // The next refresh first saves the credential that could not be saved, and then renews with it.
    session.login().await.unwrap();
    assert!(stored(&store).await.unwrap().contains("t1"));
    assert_eq!(ours.contexts()[1].credential().unwrap().attachment().unwrap().expose(), "renews t1");
}

#[tokio::test]
async fn a_save_that_fails_once_is_repeated_at_once() {
    let (store, server) = (Counting::default(), takes("t1"));
    store.fails.store(1, Ordering::SeqCst);
    let (run, _) = client(&server, Stored::new(gives("t1"), store.clone(), key()));
    run.get(API).send().await.unwrap();
    assert!(stored(&store).await.is_some());
}

#[tokio::test]
async fn an_expiry_is_stored_as_an_absolute_time_and_a_missing_one_stays_missing() {
    let folder = Folder::new();
    let clock = ManualClock::new();
    for expiry in [None, Some(clock.time_in(Duration::from_millis(1500)))] {
        let made = RecordingRefresher::answering(move |_, _| {
            let credential = expiry.into_iter().fold(Credential::bearer("t1"), Credential::with_expiry);
            Ok(Some(credential.with_scopes(["b", "a"])))
        });
        let store = FileStore::new(folder.file());
        let (_, session) = client(&takes("t1"), Stored::new(made, store.clone(), key()));
        session.login().await.unwrap();
        let again = Stored::new(gives("never"), store, key()).initial(initial()).await.unwrap().unwrap();
        assert_eq!((again.expiry(), again.scopes().unwrap()), (expiry, &["b".to_owned(), "a".to_owned()][..]));
    }
}

#[tokio::test]
async fn every_kind_of_credential_is_restored_unchanged() {
    let store = MemoryStore::new();
    let kinds = [
        Credential::bearer("t0k3n"),
        Credential::basic("alice", "pass: word"),
        Credential::header(http::HeaderName::from_static("x-api-key"), "k3y with blanks"),
        Credential::bearer("x".repeat(16 << 10)).with_attachment("y".repeat(16 << 10)),
    ];
    for credential in kinds {
        let given = credential.clone();
        let made = RecordingRefresher::answering(move |_, _| Ok(Some(given.clone())));
        let (_, session) = client(&takes("t1"), Stored::new(made, store.clone(), key()));
        session.login().await.unwrap();
        let again = Stored::new(gives("never"), store.clone(), key()).initial(initial()).await.unwrap().unwrap();
        assert_eq!(again, credential);
        assert_eq!((again.scheme(), again.attachment()), (credential.scheme(), credential.attachment()));
    }
}

#[tokio::test]
async fn a_dpop_token_is_stored_and_restored_with_its_key() {
    use reqwest_challenge::dpop::{Dpop, Es256Key};
    let (store, dpop) = (MemoryStore::new(), Dpop::new(Es256Key::generate().unwrap()));
    let server = Script::new(|arrived, _| match arrived.header("authorization") {
        Some("DPoP bound-2") => status(200),
        _ => challenged(),
    });
    let give = |token: &'static str| {
        let dpop = dpop.clone();
        RecordingRefresher::answering(move |_, _| Ok(Some(dpop.credential(token, "DPoP").unwrap())))
    };
    let restoring = |refresher: RecordingRefresher| {
        let dpop = dpop.clone();
        let stored = Stored::new(refresher, store.clone(), key());
        stored.restored_by(move |scheme, token| (scheme == "DPoP").then(|| dpop.restored(token)))
    };
    let (_, session) = client(&server, restoring(give("bound-1")));
    session.login().await.unwrap();
    // The refused token is the stored one: it is renewed, and not sent again.
    let renews = give("bound-2");
    let (run, _) = client(&server, restoring(renews.clone()));
    assert_eq!(run.get(API).send().await.unwrap().status(), 200);
    assert_eq!(
        (renews.calls(), renews.reasons(), server.sends()),
        (1, vec![reqwest_challenge::RefreshReason::Challenged], 2)
    );
    let again = restoring(gives("never")).initial(initial()).await.unwrap().unwrap();
    assert_eq!(again.scheme(), "DPoP");
    let without = Stored::new(gives("x"), store, key());
    assert!(without.initial(initial()).await.unwrap().is_none(), "it cannot be restored without the key");
    assert!(without.save_error().unwrap().to_string().contains("`DPoP` cannot be stored and restored"));
}

#[test]
fn keys_contain_no_secret_and_different_keys_are_not_equal() {
    let shown = Key::new("https://user:hunter2@auth.example.com/?token=hunter2#hunter2").to_string();
    assert_eq!(shown, "https://auth.example.com");
    let keys = [
        Key::new("https://a.example").client("b").account("c"),
        Key::new("https://a.example").client("b account=c"),
        Key::new("https://a.example client=b").account("c"),
        Key::new("https://a.example").client("b%20account=c"),
        Key::new("https://a.example").client("b"),
        Key::new("https://a.example").account("b"),
        Key::new("https://a.example").scopes(["a", "b"]),
    ];
    for (number, one) in keys.iter().enumerate() {
        assert!(keys[..number].iter().all(|other| other != one), "{one}");
    }
    assert_eq!(
        Key::new("https://a.example").scopes(["b", "a"]),
        Key::new("https://a.example/").scopes(["a", "b", "a"])
    );
}

#[tokio::test]
async fn no_debug_output_of_a_store_shows_a_secret() {
    let (folder, store) = (Folder::new(), MemoryStore::new());
    let file = FileStore::new(folder.file());
    let given =
        RecordingRefresher::answering(|_, _| Ok(Some(Credential::bearer("hunter2").with_attachment("hunter2-too"))));
    let stored = Stored::new(given, file.clone(), key());
    let shown = format!("{stored:?} {file:?} {store:?}");
    let (_, session) = client(&takes("t1"), stored);
    session.login().await.unwrap();
    let saved = file.load(&key()).await.unwrap().unwrap();
    assert!(saved.expose().contains("hunter2-too"));
    let shown = format!("{shown} {saved:?} {session:?} {:?}", Secret::new("hunter2"));
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[tokio::test]
async fn a_credential_that_cannot_be_restored_is_reported_as_not_storable() {
    struct Odd;

    #[async_trait]
    impl reqwest_challenge::Authorize for Odd {
        fn scheme(&self) -> &str {
            "Odd"
        }

        async fn authorize(
            &self,
            _: &mut reqwest::Request,
            _now: std::time::SystemTime,
        ) -> Result<(), reqwest_challenge::BoxError> {
            Ok(())
        }

        fn export(&self) -> Option<Secret> {
            Some(Secret::new("odd"))
        }
    }

    let store = MemoryStore::new();
    let made = RecordingRefresher::answering(|_, _| Ok(Some(Credential::custom(Odd))));
    let layered = Arc::new(Stored::new(made, store.clone(), key()));
    let (_, session) = client(&takes("t"), layered.clone());
    session.login().await.unwrap();
    assert!(matches!(layered.save_error(), Some(StoreError::NotStorable { scheme }) if scheme == "Odd"));
    assert_eq!(stored(&store).await, None);
}
