//! Stores that fail, and logins of other processes: no credential is lost, and a login that has ended does not come
//! back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use reqwest_challenge::{
    ChallengeMiddleware, Credential, Refresh, RefreshContext, RefreshError, RefreshErrorKind, Unauthorized,
};
use reqwest_challenge_login::store::{Key, MemoryStore, Saved, Store, StoreError, StoreLock, Stored};
use reqwest_challenge_testing::{ManualClock, RecordingRefresher};

use crate::stores::{another_saves, client, gives, stored, takes};
use crate::support::contexts::{initial, logout};
use crate::support::folder::key;
use crate::support::script::{API, Script, challenged, status};

/// A store that can be full. Like a file, it compares the old value first.
#[derive(Clone, Default)]
pub(crate) struct Disk {
    pub(crate) inner: MemoryStore,
    full: Arc<AtomicBool>,
}

impl Disk {
    pub(crate) fn full(&self, so: bool) {
        self.full.store(so, Ordering::SeqCst);
    }

    fn check_space(&self) -> Result<(), StoreError> {
        if self.full.load(Ordering::SeqCst) { Err(StoreError::TooLarge { size: 9, limit: 8 }) } else { Ok(()) }
    }
}

#[async_trait]
impl Store for Disk {
    fn name(&self) -> String {
        "disk".to_owned()
    }

    async fn load(&self, key: &Key) -> Result<Option<Saved>, StoreError> {
        self.inner.load(key).await
    }

    async fn replace(&self, key: &Key, old: Option<&Saved>, new: &Saved) -> Result<bool, StoreError> {
        if self.inner.load(key).await?.as_ref() != old {
            return Ok(false);
        }
        self.check_space()?;
        self.inner.replace(key, old, new).await
    }

    async fn clear(&self, key: &Key, old: &Saved) -> Result<bool, StoreError> {
        self.check_space()?;
        self.inner.clear(key, old).await
    }

    async fn lock(&self, key: &Key, deadline: Duration) -> Result<StoreLock, StoreError> {
        self.inner.lock(key, deadline).await
    }
}

#[tokio::test]
async fn several_failed_saves_in_a_row_lose_no_refresh_token() {
    let (disk, latest, given) = (Disk::default(), Arc::new(AtomicUsize::new(1)), AtomicUsize::new(0));
    let taken = latest.clone();
    let server = Script::new(move |arrived, _| {
        let is_latest = arrived.token() == format!("t{}", taken.load(Ordering::SeqCst));
        if is_latest { status(200) } else { challenged() }
    });
    // Each refresh token is valid once.
    let ours = RecordingRefresher::answering(move |_, _| {
        let number = given.fetch_add(1, Ordering::SeqCst) + 1;
        Ok(Some(Credential::bearer(format!("t{number}")).with_attachment(format!("renews t{number}"))))
    });
    let refresher = Arc::new(Stored::new(ours.clone(), disk.clone(), key()));
    let (run, _) = client(&server, refresher.clone());
    assert_eq!(run.get(API).send().await.unwrap().status(), 200);
    for (number, full) in [(2, true), (3, true), (4, true), (5, false)] {
        disk.full(full);
        latest.store(number, Ordering::SeqCst);
        assert_eq!(run.get(API).send().await.unwrap().status(), 200, "t{number}");
        assert_eq!(refresher.save_error().is_some(), full, "t{number}");
    }
    assert!(stored(&disk).await.unwrap().contains("renews t5"));
    let renewed_by: Vec<_> = ours.contexts()[1..]
        .iter()
        .map(|one| one.credential().unwrap().attachment().unwrap().expose().to_owned())
        .collect();
    assert_eq!(renewed_by, ["renews t1", "renews t2", "renews t3", "renews t4"]);
}

#[tokio::test]
async fn an_expired_credential_that_another_process_saved_is_renewed() {
    let (store, server, clock) = (MemoryStore::new(), takes("t3"), ManualClock::new());
    another_saves(&store, "t1").await;
    let ours = gives("t3");
    let refresher = Stored::new(ours.clone(), store.clone(), key());
    let held = Credential::bearer("t1");
    let auth =
        ChallengeMiddleware::builder(API, refresher).initial_credential(held).clock(clock.clone()).build().unwrap();
    let run = server.client(&auth);
    // Another process renews. Then its new credential expires as well.
    let expiry = clock.time_in(Duration::from_secs(60));
    let theirs = RecordingRefresher::answering(move |_, _| {
        Ok(Some(Credential::bearer("t2").with_attachment("renews t2").with_expiry(expiry)))
    });
    let (_, session) = client(&takes("t2"), Stored::new(theirs, store.clone(), key()));
    session.login().await.unwrap();
    clock.forward(Duration::from_secs(61));
    assert_eq!(run.get(API).send().await.unwrap().status(), 200);
    assert_eq!(ours.contexts()[0].credential().unwrap().attachment().unwrap().expose(), "renews t2");
}

#[tokio::test]
async fn a_panic_in_on_save_error_loses_no_credential() {
    let (disk, ours) = (Disk::default(), gives("t1"));
    disk.full(true);
    let refresher =
        Stored::new(ours.clone(), disk.clone(), key()).on_save_error(|_| panic!("standard error is closed"));
    let (run, _) = client(&takes("t1"), refresher);
    assert!(run.get(API).send().await.is_err());
    disk.full(false);
    assert_eq!(run.get(API).send().await.unwrap().status(), 200);
    assert!(ours.calls() == 1 && stored(&disk).await.unwrap().contains("renews t1"));
}

#[tokio::test]
async fn an_unsaved_login_is_not_replaced_by_the_stored_login_of_another_account() {
    let disk = Disk::default();
    let refresher = Arc::new(Stored::new(gives("bob"), disk.clone(), key()));
    let (_, session) = client(&takes("bob"), refresher.clone());
    disk.full(true);
    session.login().await.unwrap();
    another_saves(&disk.inner, "alice").await;
    let held = refresher.initial(initial()).await.unwrap().unwrap();
    assert_eq!(held.attachment().unwrap().expose(), "renews bob", "the store is still full");
    disk.full(false);
    // The next read saves the login.
    let held = refresher.initial(initial()).await.unwrap().unwrap();
    assert_eq!(held.attachment().unwrap().expose(), "renews bob");
    assert!(stored(&disk).await.unwrap().contains("renews bob") && refresher.save_error().is_none());
}

#[tokio::test]
async fn a_revoked_login_is_reported_even_if_it_cannot_be_deleted() {
    let disk = Disk::default();
    another_saves(&disk.inner, "t1").await;
    let ends = RecordingRefresher::failing(RefreshError::credential_revoked("invalid_grant"));
    let refresher = Arc::new(Stored::new(ends, disk.clone(), key()));
    let (run, _) = client(&takes("t9"), refresher.clone());
    disk.full(true);
    let error = run.get(API).send().await.unwrap_err();
    let why = Unauthorized::find(&error).unwrap().refresh_error().unwrap().clone();
    assert_eq!(why.kind(), &RefreshErrorKind::CredentialRevoked { code: "invalid_grant".to_owned() });
    assert!(refresher.save_error().is_some());
}

#[test]
fn a_key_ignores_the_user_name_the_query_and_the_fragment_of_an_api() {
    let of = |api: &str| Key::new("https://auth.example.com").api(api);
    assert_eq!(of("https://me:hunter2@api.example.com/?token=hunter2#x"), of("https://api.example.com"));
    assert_ne!(of("https://api.example.com/a"), of("https://api.example.com/b"));
}

/// A refresher whose server fails to revoke a token.
struct FailsToRevoke;

#[async_trait]
impl Refresh for FailsToRevoke {
    async fn refresh(&self, _: RefreshContext) -> Result<Option<Credential>, RefreshError> {
        Ok(None)
    }

    async fn forget(&self, _: RefreshContext) -> Result<(), RefreshError> {
        Err(RefreshError::transient(None).caused_by("the revocation endpoint says 503"))
    }
}

#[tokio::test]
async fn the_error_of_a_logout_lists_every_failure() {
    for full in [false, true] {
        let disk = Disk::default();
        another_saves(&disk.inner, "t1").await;
        disk.full(full);
        let stored = Stored::new(FailsToRevoke, disk.clone(), key());
        let held = stored.initial(initial()).await.unwrap();
        let error = stored.forget(logout(held)).await.unwrap_err();
        let shown = format!("{:#}", anyhow::Error::new(error));
        assert!(shown.contains("the revocation endpoint says 503"), "{shown}");
        assert_eq!(shown.contains("could not be removed from disk"), full, "{shown}");
        assert_eq!(disk.load(&key()).await.unwrap().is_some(), full);
    }
}
