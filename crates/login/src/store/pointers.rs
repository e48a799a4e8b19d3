//! Pointers to stores are stores.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::error::StoreError;
use super::guards::{Prepared, StoreLock};
use super::key::Key;
use super::saved::Saved;
use super::store::Store;

macro_rules! forward {
    ($($pointer:ident)*) => {$(
        #[async_trait]
        impl<S: Store + ?Sized> Store for $pointer<S> {
            fn name(&self) -> String {
                (**self).name()
            }

            async fn load(&self, key: &Key) -> Result<Option<Saved>, StoreError> {
                (**self).load(key).await
            }

            async fn replace(&self, key: &Key, old: Option<&Saved>, new: &Saved) -> Result<bool, StoreError> {
                (**self).replace(key, old, new).await
            }

            async fn clear(&self, key: &Key, old: &Saved) -> Result<bool, StoreError> {
                (**self).clear(key, old).await
            }

            async fn lock(&self, key: &Key, deadline: Duration) -> Result<StoreLock, StoreError> {
                (**self).lock(key, deadline).await
            }

            async fn prepare(&self, key: &Key, size: usize) -> Result<Prepared, StoreError> {
                (**self).prepare(key, size).await
            }

            async fn sweep(&self, key: &Key) -> Result<Vec<Saved>, StoreError> {
                (**self).sweep(key).await
            }
        }
    )*};
}

forward!(Arc Box);
