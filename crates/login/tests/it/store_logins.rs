//! Logins, logouts and renewals of several processes that share one store.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use reqwest_challenge::{Credential, Refresh, RefreshContext, RefreshError, RefreshErrorKind, RefreshReason};
use reqwest_challenge_login::store::{MemoryStore, Store, Stored};
use reqwest_challenge_testing::{Gate, RecordingRefresher, until};

use crate::stores::{another_saves, client, elsewhere, gives, stored, takes};
use crate::support::folder::key;
use crate::support::script::{API, Script, challenged, status};

#[tokio::test]
async fn only_a_revoked_login_is_deleted_and_never_one_that_another_process_saved() {
    let errors = [
        (RefreshError::transient(None), true),
        (RefreshError::denied("invalid_client"), true),
        (RefreshError::login_required("x"), true),
        (RefreshError::other("odd"), true),
        (RefreshError::credential_revoked("invalid_grant"), false),
    ];
    for (error, stays) in errors {
        let (store, server) = (MemoryStore::new(), takes("t9"));
        another_saves(&store, "t1").await;
        let before = stored(&store).await;
        let (run, _) = client(&server, Stored::new(RecordingRefresher::failing(error.clone()), store.clone(), key()));
        assert!(run.get(API).send().await.is_err());
        let after = stored(&store).await;
        assert_eq!(after.is_some(), stays, "{error:?}");
        assert!(after.is_none() || after == before, "the stored octets are unchanged");
    }
    // The refresh token is revoked because another process has used it without the lock.
    let (store, server) = (MemoryStore::new(), takes("t2"));
    another_saves(&store, "t1").await;
    let (winner, old) = (MemoryStore::new(), store.load(&key()).await.unwrap());
    another_saves(&winner, "t2").await;
    let new = winner.load(&key()).await.unwrap().unwrap();
    let late = store.clone();
    let loses = RecordingRefresher::answering(move |_, _| {
        // The other process saves during the renewal.
        assert!(elsewhere(late.replace(&key(), old.as_ref(), &new)).unwrap());
        Err(RefreshError::credential_revoked("invalid_grant"))
    });
    let (run, _) = client(&server, Stored::new(loses, store.clone(), key()));
    assert_eq!(run.get(API).send().await.unwrap().status(), 200, "the other process's token is used");
    assert!(stored(&store).await.unwrap().contains("t2"));
}

#[tokio::test]
async fn a_logout_clears_the_store_and_revokes_the_credential_that_another_process_renewed() {
    let (store, server) = (MemoryStore::new(), takes("t1"));
    let ours = gives("t1");
    let (run, session) = client(&server, Stored::new(ours.clone(), store.clone(), key()));
    run.get(API).send().await.unwrap();
    another_saves(&store, "t2").await;
    session.logout().await.unwrap();
    assert_eq!(stored(&store).await, None);
    let forgotten = ours.forgotten();
    assert_eq!(forgotten[0].as_ref().unwrap().attachment().unwrap().expose(), "renews t2");
}

#[tokio::test]
async fn a_renewal_waits_for_another_process_until_the_lock_timeout() {
    let (store, server) = (MemoryStore::new(), takes("t1"));
    let held = store.lock(&key(), Duration::ZERO).await.unwrap();
    let ours = gives("t1");
    let refresher = Stored::new(ours.clone(), store.clone(), key()).lock_timeout(Duration::from_millis(20));
    let (run, _) = client(&server, refresher);
    let error = run.get(API).send().await.unwrap_err();
    let refused = reqwest_challenge::Unauthorized::find(&error).unwrap();
    assert!(matches!(refused.refresh_error().unwrap().kind(), RefreshErrorKind::Transient { .. }), "{error:?}");
    assert!(format!("{error:#}").contains("another process"), "{error:#}");
    let (run, _) = client(&server, Stored::new(ours.clone(), store.clone(), key()));
    let waits = tokio::spawn(async move { run.get(API).send().await.unwrap().status() });
    until(|| server.sends() == 2).await;
    drop(held);
    assert_eq!((waits.await.unwrap().as_u16(), ours.calls()), (200, 1));
}

#[tokio::test]
async fn a_logout_in_another_process_is_not_undone_by_a_renewal() {
    let store = MemoryStore::new();
    another_saves(&store, "t1").await;
    let late = store.clone();
    let server = Script::new(move |arrived, _| {
        if arrived.token() == "t1" {
            let saved = elsewhere(late.load(&key())).unwrap().unwrap();
            assert!(elsewhere(late.clear(&key(), &saved)).unwrap());
        }
        challenged()
    });
    // Like a refresher that renews only with the refresh token of the refused credential.
    let ours = RecordingRefresher::answering(|_, context| match context.credential() {
        Some(_) => Ok(Some(Credential::bearer("t2"))),
        None => Err(RefreshError::login_required("tool login")),
    });
    let (run, _) = client(&server, Stored::new(ours.clone(), store.clone(), key()));
    assert!(run.get(API).send().await.is_err());
    assert_eq!((stored(&store).await, ours.calls()), (None, 1));
}

#[tokio::test]
async fn a_renewal_that_ends_after_a_logout_does_not_replace_the_next_login() {
    let (store, server) = (MemoryStore::new(), takes("n1"));
    let gate = Gate::closed();
    let ours =
        RecordingRefresher::answering(|call, _| Ok(Some(Credential::bearer(["n0", "n1"][call - 1])))).hold_until(&gate);
    let (run, session) = client(&server, Stored::new(ours.clone(), store.clone(), key()));
    let request = tokio::spawn(async move { run.get(API).send().await });
    gate.reached_by(1).await;
    let leaving = session.clone();
    let logout = tokio::spawn(async move { leaving.logout().await });
    until(|| session.credential().is_none() && ours.calls() == 1).await;
    let entering = session.clone();
    let login = tokio::spawn(async move { entering.login().await });
    gate.open();
    let (_, _, login) = (request.await.unwrap(), logout.await.unwrap(), login.await.unwrap());
    assert!(session.wait_until_saved(Duration::from_secs(20)).await);
    login.unwrap();
    assert_eq!(session.credential(), Some(Credential::bearer("n1")));
    assert!(stored(&store).await.unwrap().contains("n1"), "the login is stored");
}

/// A refresher that records the contexts of `forget`.
#[derive(Clone)]
struct Forgets {
    refresher: RecordingRefresher,
    forgotten: Arc<Mutex<Vec<RefreshContext>>>,
}

#[async_trait]
impl Refresh for Forgets {
    async fn refresh(&self, context: RefreshContext) -> Result<Option<Credential>, RefreshError> {
        self.refresher.refresh(context).await
    }

    async fn forget(&self, context: RefreshContext) -> Result<(), RefreshError> {
        self.forgotten.lock().unwrap().push(context);
        Ok(())
    }
}

#[tokio::test]
async fn a_credential_that_arrives_after_a_logout_is_forgotten_and_other_logins_stay() {
    let (store, server, gate) = (MemoryStore::new(), takes("never"), Gate::closed());
    let slow = Forgets { refresher: gives("n0").hold_until(&gate), forgotten: Arc::default() };
    let (run, session) = client(&server, Stored::new(slow.clone(), store.clone(), key()));
    let request = tokio::spawn(async move { run.get(API).send().await });
    gate.reached_by(1).await;
    let leaving = session.clone();
    let logout = tokio::spawn(async move { leaving.logout().await });
    until(|| request.is_finished()).await;
    gate.open();
    logout.await.unwrap().unwrap();
    assert!(session.wait_until_saved(Duration::from_secs(20)).await);
    assert_eq!(stored(&store).await, None, "the late credential is not stored");
    let forgotten = std::mem::take(&mut *slow.forgotten.lock().unwrap());
    let late = forgotten.into_iter().find(|context| context.reason() == RefreshReason::Discarded).unwrap();
    // The late credential is forgotten after another login.
    another_saves(&store, "n1").await;
    let ours = gives("n2");
    Stored::new(ours.clone(), store.clone(), key()).forget(late).await.unwrap();
    assert!(stored(&store).await.unwrap().contains("n1"));
    assert_eq!(ours.forgotten(), [Some(Credential::bearer("n0"))]);
}

#[tokio::test]
async fn a_credential_that_another_process_renewed_is_used_and_not_renewed_again() {
    let store = MemoryStore::new();
    another_saves(&store, "t1").await;
    let late = store.clone();
    let server = Script::new(move |arrived, _| match arrived.token() {
        // Another process renews while the request is sent.
        "t1" => {
            elsewhere(another_saves(&late, "t2"));
            challenged()
        }
        "t2" => status(200),
        _ => challenged(),
    });
    let ours = gives("t3");
    let (run, _) = client(&server, Stored::new(ours.clone(), store, key()));
    assert_eq!(run.get(API).send().await.unwrap().status(), 200);
    assert_eq!((ours.calls(), server.sends()), (0, 2));
}

#[tokio::test]
async fn a_login_of_another_process_is_used_after_the_next_401() {
    let (store, server) = (MemoryStore::new(), takes("t2"));
    let ours = RecordingRefresher::failing(RefreshError::login_required("tool login"));
    let (run, _) = client(&server, Stored::new(ours.clone(), store.clone(), key()));
    assert!(run.get(API).send().await.is_err());
    assert_eq!(ours.calls(), 1);
    another_saves(&store, "t2").await;
    // `LoginRequired` has no cooldown, so the next 401 reads the store.
    assert_eq!(run.get(API).send().await.unwrap().status(), 200);
    assert_eq!(ours.calls(), 1);
}

#[tokio::test]
async fn a_new_credential_is_saved_before_it_is_sent() {
    let store = MemoryStore::new();
    let seen = Arc::new(Mutex::new(None));
    let (looked, late) = (store.clone(), seen.clone());
    let server = Script::new(move |arrived, _| {
        if arrived.token() != "t1" {
            return challenged();
        }
        *late.lock().unwrap() = Some(elsewhere(looked.load(&key())).unwrap().is_some());
        status(200)
    });
    let (run, _) = client(&server, Stored::new(gives("t1"), store, key()));
    run.get(API).send().await.unwrap();
    assert_eq!(*seen.lock().unwrap(), Some(true));
}
