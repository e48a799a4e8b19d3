//! A store in memory.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Semaphore;

use super::error::StoreError;
use super::guards::StoreLock;
use super::key::Key;
use super::saved::Saved;
use super::store::Store;
use crate::util::lock;

/// Keeps credentials in memory, for tests and for several clients of one process. Clones share the credentials, which live
/// until the last clone is dropped.
#[derive(Clone, Default)]
pub struct MemoryStore(Arc<Inner>);

#[derive(Default)]
struct Inner {
    entries: Mutex<HashMap<Key, Saved>>,
    locks: Mutex<HashMap<Key, Arc<Semaphore>>>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoryStore(_)")
    }
}

#[async_trait]
impl Store for MemoryStore {
    fn name(&self) -> String {
        "memory".to_owned()
    }

    async fn load(&self, key: &Key) -> Result<Option<Saved>, StoreError> {
        Ok(lock(&self.0.entries).get(key).cloned())
    }

    async fn replace(&self, key: &Key, old: Option<&Saved>, new: &Saved) -> Result<bool, StoreError> {
        let mut entries = lock(&self.0.entries);
        let is_old = entries.get(key) == old;
        if is_old {
            entries.insert(key.clone(), new.clone());
        }
        Ok(is_old)
    }

    async fn clear(&self, key: &Key, old: &Saved) -> Result<bool, StoreError> {
        let mut entries = lock(&self.0.entries);
        let is_old = entries.get(key) == Some(old);
        if is_old {
            entries.remove(key);
        }
        Ok(is_old)
    }

    async fn lock(&self, key: &Key, deadline: Duration) -> Result<StoreLock, StoreError> {
        let lock = {
            let mut locks = lock(&self.0.locks);
            locks.entry(key.clone()).or_insert_with(|| Arc::new(Semaphore::new(1))).clone()
        };
        match tokio::time::timeout(deadline, lock.acquire_owned()).await {
            Ok(Ok(permit)) => Ok(StoreLock::new(permit)),
            _ => Err(StoreError::Locked { waited: deadline }),
        }
    }
}
