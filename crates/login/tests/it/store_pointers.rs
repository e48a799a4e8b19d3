//! A pointer to a store is a store, and forwards every method.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use reqwest_challenge_login::store::{Key, MemoryStore, Prepared, Saved, Store, StoreError, StoreLock, Stored};
use reqwest_challenge_testing::{RecordingRefresher, store_contract};

use crate::support::folder::key;

/// A store that records the methods whose default implementations do nothing.
#[derive(Clone, Default)]
struct Recording(MemoryStore, Arc<Mutex<Vec<&'static str>>>);

#[async_trait]
impl Store for Recording {
    fn name(&self) -> String {
        "recording".to_owned()
    }

    async fn load(&self, key: &Key) -> Result<Option<Saved>, StoreError> {
        self.0.load(key).await
    }

    async fn replace(&self, key: &Key, old: Option<&Saved>, new: &Saved) -> Result<bool, StoreError> {
        self.0.replace(key, old, new).await
    }

    async fn clear(&self, key: &Key, old: &Saved) -> Result<bool, StoreError> {
        self.0.clear(key, old).await
    }

    async fn lock(&self, key: &Key, deadline: Duration) -> Result<StoreLock, StoreError> {
        self.0.lock(key, deadline).await
    }

    async fn prepare(&self, _key: &Key, _size: usize) -> Result<Prepared, StoreError> {
        self.1.lock().unwrap().push("prepare");
        Ok(Prepared::nothing())
    }

    async fn sweep(&self, _key: &Key) -> Result<Vec<Saved>, StoreError> {
        self.1.lock().unwrap().push("sweep");
        Ok(Vec::new())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shared_and_a_boxed_store_pass_the_store_contract() {
    store_contract(|| Arc::new(MemoryStore::new())).run().await.assert_passed();
    store_contract(|| Box::new(MemoryStore::new()) as Box<dyn Store>).run().await.assert_passed();
}

#[tokio::test]
async fn a_pointer_forwards_the_methods_that_have_a_default() {
    let store = Recording::default();
    let shared: Arc<dyn Store> = Arc::new(store.clone());
    let pointers: [Box<dyn Store>; 2] = [Box::new(shared.clone()), Box::new(Box::new(shared))];
    for pointer in pointers {
        assert_eq!(pointer.name(), "recording");
        drop(pointer.prepare(&key(), 1).await.unwrap());
        pointer.sweep(&key()).await.unwrap();
    }
    assert_eq!(*store.1.lock().unwrap(), ["prepare", "sweep", "prepare", "sweep"]);
}

#[test]
fn a_refresher_stores_its_credentials_in_a_store_of_any_type() {
    let shared: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let stored = Stored::new(RecordingRefresher::new(), shared, key());
    assert_eq!(stored.store_name(), "memory");
}
