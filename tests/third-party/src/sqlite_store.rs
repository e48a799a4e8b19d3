//! A store in an SQLite database.

use std::fs::TryLockError;
use std::path::PathBuf;
use std::time::Duration;

use reqwest_challenge_login::async_trait;
use reqwest_challenge_login::store::{Key, Prepared, Saved, Store, StoreError, StoreLock};
use rusqlite::params;
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use crate::database::{Database, io_error, private, stored};

/// How long to wait before a lock that is held is tried again.
const PAUSE: Duration = Duration::from_millis(10);

/// Keeps credentials in an SQLite database that only its owner can read. Clones share one connection.
///
/// The lock of a key is a lock of a file beside the database. If its process is killed, the lock becomes free.
///
/// ```
/// use reqwest_challenge::Credential;
/// use reqwest_challenge_login::store::{Key, Store, to_saved};
/// use third_party::sqlite_store::SqliteStore;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("credentials.db");
/// let store = SqliteStore::open(path)?;
/// let key = Key::new("https://auth.example.com").client("tool");
/// let text = to_saved(&Credential::bearer("t1")).ok_or("not storable")?;
/// assert!(store.replace(&key, None, &text).await?);
/// assert_eq!(store.load(&key).await?, Some(text));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SqliteStore(Database);

impl SqliteStore {
    /// Opens the database, and creates it if there is none. Its folder must exist.
    ///
    /// # Errors
    ///
    /// - `StoreError::Io` if the file cannot be created.
    /// - `StoreError::Backend` if the file cannot be opened, or is not a database.
    /// - `StoreError::NewerVersion` if a newer version of this crate wrote it.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, StoreError> {
        Database::open(path.into()).map(Self)
    }
}

#[async_trait]
impl Store for SqliteStore {
    fn name(&self) -> String {
        self.0.name()
    }

    async fn load(&self, key: &Key) -> Result<Option<Saved>, StoreError> {
        let key = key.clone();
        self.0.read(move |transaction| stored(transaction, &key)).await
    }

    async fn replace(&self, key: &Key, old: Option<&Saved>, new: &Saved) -> Result<bool, StoreError> {
        let (key, old, new) = (key.clone(), old.cloned(), new.clone());
        let change = self.0.write(move |transaction| {
            if stored(transaction, &key)? != old {
                return Ok(false);
            }
            // The new text takes the space that `prepare` reserved.
            transaction.execute("DELETE FROM reserved WHERE key = ?1", [key.as_str()])?;
            let insert = "INSERT OR REPLACE INTO credentials (key, text) VALUES (?1, ?2)";
            transaction.execute(insert, [key.as_str(), new.expose()])?;
            Ok(true)
        });
        change.await
    }

    async fn clear(&self, key: &Key, old: &Saved) -> Result<bool, StoreError> {
        let (key, old) = (key.clone(), old.clone());
        let change = self.0.write(move |transaction| {
            let is_old = stored(transaction, &key)? == Some(old);
            if is_old {
                transaction.execute("DELETE FROM credentials WHERE key = ?1", [key.as_str()])?;
            }
            Ok(is_old)
        });
        change.await
    }

    async fn lock(&self, key: &Key, deadline: Duration) -> Result<StoreLock, StoreError> {
        let mut path = self.0.path().to_owned().into_os_string();
        path.push(format!(".{:.16}.lock", crate::hex(&Sha256::digest(key.as_str()))));
        let path = PathBuf::from(path);
        let file = private().create(true).open(&path).map_err(|error| io_error("open", &path, error))?;
        let begin = Instant::now();
        loop {
            // The lock belongs to the open file and not to the process, so it also excludes other tasks of this process.
            match file.try_lock() {
                Ok(()) => return Ok(StoreLock::new(file)),
                Err(TryLockError::Error(error)) => return Err(io_error("lock", &path, error)),
                Err(TryLockError::WouldBlock) => {}
            }
            let left = deadline.saturating_sub(begin.elapsed());
            if left.is_zero() {
                return Err(StoreError::Locked { waited: begin.elapsed() });
            }
            tokio::time::sleep(PAUSE.min(left)).await;
        }
    }

    /// Writes a row of that size, so that a full disk and a database that cannot be written are found.
    async fn prepare(&self, key: &Key, size: usize) -> Result<Prepared, StoreError> {
        let (key, size) = (key.clone(), i64::try_from(size).unwrap_or(i64::MAX));
        let reserve = self.0.write(move |transaction| {
            let insert = "INSERT INTO reserved (key, space) VALUES (?1, zeroblob(?2))";
            transaction.execute(insert, params![key.as_str(), size])?;
            Ok(transaction.last_insert_rowid())
        });
        Ok(Prepared::new(Reserved { id: reserve.await?, database: self.0.clone() }))
    }

    /// Removes what killed processes reserved. SQLite itself removes what they began to write.
    async fn sweep(&self, key: &Key) -> Result<Vec<Saved>, StoreError> {
        let key = key.clone();
        let remove =
            self.0.write(move |transaction| transaction.execute("DELETE FROM reserved WHERE key = ?1", [key.as_str()]));
        remove.await.map(|_rows| Vec::new())
    }
}

/// Space for one save.
struct Reserved {
    database: Database,
    id: i64,
}

impl Drop for Reserved {
    fn drop(&mut self) {
        // After an error the row stays for `sweep`.
        let _ = self.database.connection().execute("DELETE FROM reserved WHERE id = ?1", [self.id]);
    }
}
