//! The SQLite database of [`SqliteStore`](crate::sqlite_store::SqliteStore).

use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use reqwest_challenge_login::store::{Key, Saved, StoreError};
use rusqlite::{Connection, Error, OptionalExtension, Transaction, TransactionBehavior};

/// The version of the tables, in `user_version`.
const VERSION: u32 = 1;
/// `EXTRA` keeps a commit through a power cut. `secure_delete` overwrites a credential that is removed.
const SETUP: &str = "PRAGMA synchronous = EXTRA; PRAGMA secure_delete = ON;
    CREATE TABLE IF NOT EXISTS credentials (key TEXT PRIMARY KEY, text TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS reserved (id INTEGER PRIMARY KEY, key TEXT NOT NULL, space BLOB NOT NULL);";

/// A connection that clones share.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    path: PathBuf,
    connection: Arc<Mutex<Connection>>,
}

impl Database {
    /// Opens the database, and creates it if there is none.
    pub(crate) fn open(path: PathBuf) -> Result<Self, StoreError> {
        create(&path)?;
        let failed = |error: Error| StoreError::backend(place(&path), error);
        let connection = Connection::open(&path).map_err(failed)?;
        let found: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(failed)?;
        if found > VERSION {
            return Err(StoreError::NewerVersion { place: place(&path), found: found.into() });
        }
        connection.execute_batch(SETUP).map_err(failed)?;
        if found < VERSION {
            connection.pragma_update(None, "user_version", VERSION).map_err(failed)?;
        }
        Ok(Self { path, connection: Arc::new(Mutex::new(connection)) })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The name of the store.
    pub(crate) fn name(&self) -> String {
        place(&self.path)
    }

    /// The connection. A transaction that panicked was rolled back, so the connection can be used after it.
    pub(crate) fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a transaction that only reads.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.run(TransactionBehavior::Deferred, work).await
    }

    /// Runs a transaction that excludes the other writers from its beginning.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.run(TransactionBehavior::Immediate, work).await
    }

    /// Runs a transaction on a thread that may block. If the future is dropped, the transaction still ends.
    async fn run<T: Send + 'static>(
        &self,
        behavior: TransactionBehavior,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, StoreError> {
        let database = self.clone();
        let transaction = tokio::task::spawn_blocking(move || {
            let mut connection = database.connection();
            let transaction = connection.transaction_with_behavior(behavior)?;
            let result = work(&transaction)?;
            transaction.commit().map(|()| result)
        });
        let result = transaction.await.map_err(|error| StoreError::backend(self.name(), error))?;
        result.map_err(|error| StoreError::backend(self.name(), error))
    }
}

/// The stored text. A text that is not UTF-8 is damaged and counts as none.
pub(crate) fn stored(transaction: &Transaction<'_>, key: &Key) -> Result<Option<Saved>, Error> {
    let select = "SELECT CAST(text AS BLOB) FROM credentials WHERE key = ?1";
    let text: Option<Vec<u8>> = transaction.query_row(select, [key.as_str()], |row| row.get(0)).optional()?;
    Ok(text.and_then(|text| String::from_utf8(text).ok()).map(Saved::new))
}

/// Creates the file, so that only its owner can read it. SQLite gives its journal the same mode.
///
/// A file that exists is not opened here: closing it would release the locks that SQLite holds in this process.
fn create(path: &Path) -> Result<(), StoreError> {
    match private().create_new(true).open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(io_error("create", path, error)),
        _ => Ok(()),
    }
}

/// The options to write a file that only its owner can read.
pub(crate) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// The error of an operation on a file.
pub(crate) fn io_error(what: &str, path: &Path, error: io::Error) -> StoreError {
    StoreError::Io { what: format!("cannot {what} {}", path.display()), source: Arc::new(error) }
}

fn place(path: &Path) -> String {
    format!("sqlite:{}", path.display())
}
