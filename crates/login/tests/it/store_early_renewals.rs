//! Renewals before the expiry while the store fails: the old credential is still valid and is sent.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use reqwest_challenge::{ChallengeMiddleware, Credential};
use reqwest_challenge_login::store::{Key, MemoryStore, Prepared, Saved, Store, StoreError, StoreLock, Stored};
use reqwest_challenge_testing::{ManualClock, RecordingRefresher};
use tokio::time::Instant;

use crate::support::folder::key;
use crate::support::script::{API, Script, challenged, status};

/// A store whose operation with the name `what` fails.
#[derive(Clone, Default)]
struct Failing {
    inner: MemoryStore,
    what: Arc<Mutex<&'static str>>,
}

impl Failing {
    fn checked(&self, what: &str) -> Result<(), StoreError> {
        let fails = *self.what.lock().unwrap() == what;
        let source = Arc::new(std::io::Error::from_raw_os_error(5));
        if fails { Err(StoreError::Io { what: format!("cannot {what}"), source }) } else { Ok(()) }
    }
}

#[async_trait]
impl Store for Failing {
    fn name(&self) -> String {
        "failing".to_owned()
    }

    async fn load(&self, key: &Key) -> Result<Option<Saved>, StoreError> {
        self.checked("load")?;
        self.inner.load(key).await
    }

    async fn replace(&self, key: &Key, old: Option<&Saved>, new: &Saved) -> Result<bool, StoreError> {
        self.checked("replace")?;
        self.inner.replace(key, old, new).await
    }

    async fn clear(&self, key: &Key, old: &Saved) -> Result<bool, StoreError> {
        self.inner.clear(key, old).await
    }

    async fn lock(&self, key: &Key, deadline: Duration) -> Result<StoreLock, StoreError> {
        self.checked("lock")?;
        self.inner.lock(key, deadline).await
    }

    async fn prepare(&self, _: &Key, _: usize) -> Result<Prepared, StoreError> {
        self.checked("prepare")?;
        Ok(Prepared::nothing())
    }
}

#[tokio::test(start_paused = true)]
async fn if_the_store_fails_during_an_early_renewal_requests_still_succeed() {
    for what in ["load", "lock", "prepare", "replace", "wait"] {
        let (store, clock) = (Failing::default(), ManualClock::new());
        let (now, hour) = (clock.clone(), Duration::from_secs(3600));
        let ours = RecordingRefresher::answering(move |number, _| {
            let token = format!("t{number}");
            Ok(Some(
                Credential::bearer(&*token).with_attachment(format!("renews {token}")).with_expiry(now.time_in(hour)),
            ))
        });
        let refresher = Stored::new(ours.clone(), store.clone(), key());
        let server = Script::new(|arrived, _| if arrived.token() == "none" { challenged() } else { status(200) });
        let auth = ChallengeMiddleware::builder(API, refresher).clock(clock.clone()).build().unwrap();
        let client = server.client(&auth);
        auth.session().login().await.unwrap();
        clock.forward(Duration::from_secs(3590));
        *store.what.lock().unwrap() = what;
        // Another process was stopped during a renewal, and holds the lock.
        let stopped = if what == "wait" { store.inner.lock(&key(), Duration::ZERO).await.ok() } else { None };
        let began = Instant::now();
        for _ in 0..3 {
            assert_eq!(client.get(API).send().await.unwrap().status(), 200, "{what}");
        }
        assert!(began.elapsed() < Duration::from_secs(5), "{what}: {:?}", began.elapsed());
        // If only the save fails, the new credential is used from memory.
        let calls = if what == "replace" { 2 } else { 1 };
        assert_eq!((ours.calls(), server.sends()), (calls, 3), "{what}");
        let last = server.requests().last().unwrap().token().to_owned();
        assert_eq!(last, format!("t{calls}"), "{what}");
        // The store works again, and the old credential has expired.
        (*store.what.lock().unwrap(), _) = ("", drop(stopped));
        clock.forward(Duration::from_secs(40));
        assert_eq!(client.get(API).send().await.unwrap().status(), 200, "{what}");
        assert_eq!(ours.calls(), 2, "{what}");
    }
}
