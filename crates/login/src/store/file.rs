//! A store in a file.

use std::fmt;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use async_trait::async_trait;

use super::error::{StoreError, shown};
use super::file_format::{Content, Entries};
use super::file_lock;
use super::guards::{Prepared, StoreLock};
use super::key::Key;
use super::private_file::{self, FileState};
use super::reservations::Reservations;
use super::saved::Saved;
use super::store::Store;
use super::temporary::{remove_leftovers, replace_content};
use crate::util::lock;

/// The largest file that is read or written, in octets. A credential has a few thousand octets, and a user has a few accounts.
pub(super) const MAX_FILE_SIZE: usize = 1 << 20;

/// A lock that this process holds.
struct HeldLock {
    path: PathBuf,
    file: Weak<File>,
}

/// Keeps credentials in a file that the caller chooses. Only its owner can read it: it has the mode 0600, in a folder that no
/// other user can write to.
///
/// A save writes a temporary file, `.NAME.….new`, and renames it over the file. Beside the file are two kinds of lock files:
/// `.lock`, held during a write, and `.renewing`, held during a renewal or a login. If a lock file is removed while it is
/// held, two processes can renew at the same time. A damaged file counts as empty, with a warning; the next save moves it to
/// `.damaged`. A file of a newer version is an error.
///
/// ```
/// use reqwest_challenge_login::store::FileStore;
///
/// let store = FileStore::new("/home/alice/.config/tool/credentials.json")
///     .on_warning(|warning| eprintln!("warning: {warning}"));
/// assert_eq!(store.path().file_name().unwrap(), "credentials.json");
/// ```
#[derive(Clone)]
pub struct FileStore {
    path: PathBuf,
    warn: Arc<dyn Fn(&str) + Send + Sync>,
    held_locks: Arc<Mutex<Vec<HeldLock>>>,
    pub(super) reservations: Reservations,
}

impl FileStore {
    /// A store in this file. The first save creates the file and its folder.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            warn: Arc::new(|_| ()),
            held_locks: Arc::default(),
            reservations: Reservations::default(),
        }
    }

    /// Sets a function that receives warnings, for example that the file is damaged and counts as empty. A warning is one line
    /// that contains the path and no secret. Without this call, warnings are dropped.
    #[must_use]
    pub fn on_warning(mut self, warn: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.warn = Arc::new(warn);
        self
    }

    /// The path of the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path of a file beside this one: the same name with this suffix.
    pub(super) fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(suffix);
        self.path.with_file_name(name)
    }

    /// The lock file of a key. Renewals under different keys do not wait for each other.
    fn renewal_lock_path(&self, key: &Key) -> PathBuf {
        // FNV-1a. Two keys with the same hash only wait for each other.
        let hash = key
            .as_str()
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, octet| (hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3));
        self.beside(&format!(".{hash:016x}.renewing"))
    }

    /// The lock of this key, if this process holds it. A write keeps the lock until the write ends, also if its caller is
    /// dropped meanwhile, for example because the runtime ends. Otherwise another process would renew with the token that is
    /// being replaced.
    fn held_lock(&self, key: &Key) -> Option<Arc<File>> {
        let path = self.renewal_lock_path(key);
        let held = lock(&self.held_locks);
        held.iter().find(|other| other.path == path).and_then(|held| held.file.upgrade())
    }

    fn hold(&self, path: PathBuf, file: File) -> StoreLock {
        let file = Arc::new(file);
        let mut held = lock(&self.held_locks);
        held.retain(|other| other.file.strong_count() > 0);
        held.push(HeldLock { path, file: Arc::downgrade(&file) });
        StoreLock::new(file)
    }

    pub(super) fn warn(&self, warning: &str) {
        (self.warn)(warning);
    }

    /// The texts in the file. `None` if it is damaged.
    pub(super) fn entries(&self) -> Result<Option<Entries>, StoreError> {
        private_file::read(&self.path, MAX_FILE_SIZE)?
            .map_or_else(|| Ok(Some(Entries::default())), |text| self.entries_of(&text))
    }

    /// The texts in a file with this content. `None` if it is damaged.
    pub(super) fn entries_of(&self, text: &[u8]) -> Result<Option<Entries>, StoreError> {
        match Content::read(text) {
            Content::Entries(entries) => Ok(Some(entries)),
            Content::NewerVersion(found) => Err(StoreError::NewerVersion { place: self.name(), found }),
            Content::Damaged => {
                self.warn(&format!("{} cannot be read as credentials and is ignored", shown(&self.path)));
                Ok(None)
            }
        }
    }

    fn change(&self, key: &Key, old: Option<&Saved>, new: &Saved) -> Result<bool, StoreError> {
        private_file::prepare_folder(&self.path)?;
        let lock = file_lock::wait_to_write(&self.beside(".lock"))?;
        self.recover_under(lock.as_ref());
        let mut seen = FileState::of(&self.path);
        let found = self.entries()?;
        let is_damaged = found.is_none();
        let mut entries = found.unwrap_or_default();
        if entries.get(key).as_ref() != old {
            return Ok(false);
        }
        if old == Some(new) {
            return Ok(true);
        }
        entries.set(key, new);
        let text = entries.write();
        let octets = text.expose().as_bytes();
        self.check_size(octets.len())?;
        if is_damaged {
            if FileState::of(&self.path) != seen {
                return Ok(false);
            }
            let aside = self.beside(".damaged");
            fs::rename(&self.path, &aside)
                .map_err(|error| StoreError::io("move aside the damaged file", &self.path, error))?;
            seen = FileState::of(&self.path);
        }
        remove_leftovers(&self.path);
        replace_content(&self.path, octets, self.reservations.take(key), seen)
    }

    fn check_size(&self, size: usize) -> Result<(), StoreError> {
        if size <= MAX_FILE_SIZE {
            Ok(())
        } else {
            Err(StoreError::FileTooLarge { path: self.path.clone(), size, limit: MAX_FILE_SIZE })
        }
    }

    /// Runs the work on a thread that may block.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&store)).await;
        done.unwrap_or_else(|error| Err(StoreError::io("use", &self.path, std::io::Error::other(error))))
    }
}

impl fmt::Debug for FileStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileStore").field("path", &self.path).finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for FileStore {
    fn name(&self) -> String {
        format!("file:{}", self.path.display())
    }

    async fn load(&self, key: &Key) -> Result<Option<Saved>, StoreError> {
        let key = key.clone();
        self.blocking(move |store| Ok(store.entries()?.and_then(|entries| entries.get(&key)))).await
    }

    async fn replace(&self, key: &Key, old: Option<&Saved>, new: &Saved) -> Result<bool, StoreError> {
        let (key, old, new, held) = (key.clone(), old.cloned(), new.clone(), self.held_lock(key));
        let change = move |store: &Self| {
            let changed = store.change(&key, old.as_ref(), &new);
            drop(held);
            changed
        };
        self.blocking(change).await
    }

    async fn clear(&self, key: &Key, old: &Saved) -> Result<bool, StoreError> {
        let (key, old) = (key.clone(), old.clone());
        self.blocking(move |store| store.erase(&key, &old)).await
    }

    async fn lock(&self, key: &Key, deadline: Duration) -> Result<StoreLock, StoreError> {
        let path = self.renewal_lock_path(key);
        self.blocking(|store| private_file::prepare_folder(&store.path)).await?;
        let began = tokio::time::Instant::now();
        loop {
            let attempt = path.clone();
            if let Some(file) = self.blocking(move |_| file_lock::try_lock(&attempt)).await? {
                let held = self.hold(path, file);
                let recover = |store: &Self| {
                    store.recover();
                    Ok(())
                };
                self.blocking(recover).await?;
                return Ok(held);
            }
            if began.elapsed() >= deadline {
                return Err(StoreError::Locked { waited: deadline });
            }
            tokio::time::sleep(file_lock::RETRY_INTERVAL.min(deadline)).await;
        }
    }

    async fn prepare(&self, key: &Key, size: usize) -> Result<Prepared, StoreError> {
        let key = key.clone();
        self.blocking(move |store| store.reserve(&key, size)).await
    }

    async fn sweep(&self, key: &Key) -> Result<Vec<Saved>, StoreError> {
        let key = key.clone();
        self.blocking(move |store| store.remove_traces(&key)).await
    }
}
