//! The trait of a store.

use std::time::Duration;

use async_trait::async_trait;

use super::error::StoreError;
use super::guards::{Prepared, StoreLock};
use super::key::Key;
use super::saved::Saved;

/// Keeps the text of credentials, each under a [`Key`]. [`Stored`](crate::store::Stored) calls it.
///
/// Each change names the text that the caller believes is stored, and changes nothing if another text is there. A late
/// change therefore never overwrites a newer credential.
///
/// A store in memory:
///
/// ```
/// use std::collections::HashMap;
/// use std::sync::{Arc, Mutex};
/// use std::time::Duration;
///
/// use reqwest_challenge_login::async_trait;
/// use reqwest_challenge_login::store::{Key, Saved, Store, StoreError, StoreLock};
///
/// #[derive(Default)]
/// struct Table {
///     entries: Mutex<HashMap<Key, Saved>>,
///     locks: Mutex<HashMap<Key, Arc<tokio::sync::Mutex<()>>>>,
/// }
///
/// impl Table {
///     fn entries(&self) -> Result<std::sync::MutexGuard<'_, HashMap<Key, Saved>>, StoreError> {
///         self.entries.lock().map_err(|_| StoreError::backend("table", "a thread panicked"))
///     }
/// }
///
/// #[async_trait]
/// impl Store for Table {
///     fn name(&self) -> String {
///         "table".to_owned()
///     }
///
///     async fn load(&self, key: &Key) -> Result<Option<Saved>, StoreError> {
///         Ok(self.entries()?.get(key).cloned())
///     }
///
///     async fn replace(&self, key: &Key, old: Option<&Saved>, new: &Saved) -> Result<bool, StoreError> {
///         let mut entries = self.entries()?;
///         let is_old = entries.get(key) == old;
///         if is_old {
///             entries.insert(key.clone(), new.clone());
///         }
///         Ok(is_old)
///     }
///
///     async fn clear(&self, key: &Key, old: &Saved) -> Result<bool, StoreError> {
///         let mut entries = self.entries()?;
///         let is_old = entries.get(key) == Some(old);
///         if is_old {
///             entries.remove(key);
///         }
///         Ok(is_old)
///     }
///
///     async fn lock(&self, key: &Key, deadline: Duration) -> Result<StoreLock, StoreError> {
///         let lock = match self.locks.lock() {
///             Ok(mut locks) => locks.entry(key.clone()).or_default().clone(),
///             Err(_) => return Err(StoreError::backend("table", "a thread panicked")),
///         };
///         match tokio::time::timeout(deadline, lock.lock_owned()).await {
///             Ok(guard) => Ok(StoreLock::new(guard)),
///             Err(_) => Err(StoreError::Locked { waited: deadline }),
///         }
///     }
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), StoreError> {
/// # let (table, key) = (Table::default(), Key::new("https://auth.example.com"));
/// # assert!(table.replace(&key, None, &Saved::new("text")).await?);
/// # assert!(!table.clear(&key, &Saved::new("other")).await?);
/// # let held = table.lock(&key, Duration::ZERO).await?;
/// # assert!(table.lock(&key, Duration::ZERO).await.is_err_and(|error| error.is_locked()));
/// # drop(held); Ok(()) }
/// ```
///
/// `store_contract` of the crate `reqwest-challenge-testing` checks a store against this contract.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Returns where the credentials are, for the user: `file:/home/alice/credentials.json`, `memory`. It becomes the
    /// [source](reqwest_challenge::Credential::source) of each stored credential. It contains no secret.
    fn name(&self) -> String;

    /// Returns the text that is stored under this key, or `None` if there is none. It does not wait for [`lock`](Self::lock).
    ///
    /// # Errors
    /// - [`StoreError::NewerVersion`] if a newer version of the crate wrote the text.
    /// - [`StoreError::NotPrivate`] if other users can change the text.
    /// - [`StoreError::Io`] or [`StoreError::Backend`] if the place cannot be read.
    ///
    /// A damaged entry is no error. The store returns `None` for it, and [`replace`](Self::replace) treats it alike.
    async fn load(&self, key: &Key) -> Result<Option<Saved>, StoreError>;

    /// Stores `new` under this key if the stored text is `old`, or, if `old` is `None`, if nothing is stored. Returns whether
    /// it did. The comparison and the change are one step for all processes.
    ///
    /// A damaged entry counts as none: with `None` as `old` it is replaced. If `old` and `new` are equal and stored, the result
    /// is `true`. The store may use the space that [`prepare`](Self::prepare) reserved under this key.
    ///
    /// When it returns `true`, the text survives a crash of the process, and of the machine if the store is persistent.
    ///
    /// # Errors
    /// - [`StoreError::TooLarge`] if the store does not take a text of this size.
    /// - [`StoreError::Io`] or [`StoreError::Backend`] if the place cannot be written.
    ///
    /// After an error the old text is still complete.
    async fn replace(&self, key: &Key, old: Option<&Saved>, new: &Saved) -> Result<bool, StoreError>;

    /// Removes the text under this key if it is `old`. Returns whether it did. The comparison and the change are one step for
    /// all processes.
    ///
    /// # Errors
    /// [`StoreError::Io`] or [`StoreError::Backend`] if the text cannot be removed.
    async fn clear(&self, key: &Key, old: &Saved) -> Result<bool, StoreError>;

    /// Takes the lock of this key, for all processes. It waits until the lock is free, for `deadline` at most. If `deadline`
    /// is zero, it tries once. If a process is killed, its locks become free. A lock does not expire: it is held until the
    /// [`StoreLock`] is dropped. If the future is dropped, the store stops waiting.
    ///
    /// The wait is real time, because a store does not know the session's clock. A store may try again at intervals, and then
    /// returns up to one interval late.
    ///
    /// One process can ask for the lock twice, from two tasks or two stores. The second call waits too.
    ///
    /// The lock does not stop [`load`](Self::load), [`replace`](Self::replace) and [`clear`](Self::clear).
    ///
    /// # Errors
    /// - [`StoreError::Locked`] if the lock was held for all that time.
    /// - [`StoreError::Io`] or [`StoreError::Backend`] if the store has no locks there.
    async fn lock(&self, key: &Key, deadline: Duration) -> Result<StoreLock, StoreError>;

    /// Checks that a text of about `size` octets can be saved under this key. A full disk or a read-only folder is then found
    /// before a server receives a refresh token that can be used only once. [`Stored`](crate::store::Stored) holds the result
    /// until the credential is saved. The next [`replace`](Self::replace) under this key may use the reserved space; dropping
    /// the result afterwards gives back what is left.
    ///
    /// The size is an estimate, because the new credential is not known yet. [`Stored`](crate::store::Stored) passes one and a
    /// half times the size of the stored text, and at least 4 KiB more than it. On a first login nothing is stored, and the
    /// size is 4 KiB. The call may also come without the [`lock`](Self::lock): before the user is asked, `Stored` only checks
    /// that a save is possible, and drops the result.
    ///
    /// The default implementation checks nothing and succeeds. A store whose writes can fail overrides it. A store that wraps
    /// another store forwards it.
    ///
    /// # Errors
    /// Returns why a save would fail. Then no refresh token is sent.
    async fn prepare(&self, _key: &Key, _size: usize) -> Result<Prepared, StoreError> {
        Ok(Prepared::nothing())
    }

    /// Removes what killed processes left beside the stored credentials. Returns the texts under this key that it finds there,
    /// so that a logout can revoke those credentials.
    ///
    /// The default implementation removes nothing. A store that wraps another store forwards it.
    ///
    /// # Errors
    /// Returns why something that may contain a credential could not be removed.
    async fn sweep(&self, _key: &Key) -> Result<Vec<Saved>, StoreError> {
        Ok(Vec::new())
    }
}
