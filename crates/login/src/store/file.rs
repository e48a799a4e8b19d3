//! A store in a file.

use crate::util::lock;
use std::fmt;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use async_trait::async_trait;

use super::error::StoreError;
use super::error::shown;
use super::format::{Content, Entries};
use super::key::Key;
use super::private_file::Seen;
use super::reserve::Reservations;
use super::{Lock, Prepared, Saved, Store};
use crate::store::{lock, private_file};

/// How many octets a file may have: a credential has a few thousand, and a person a few accounts.
pub(super) const LIMIT: usize = 1 << 20;

/// Locks, and where they are.
type Held = Vec<(PathBuf, Weak<File>)>;

type Warn = Arc<dyn Fn(&str) + Send + Sync>;

/// Keeps credentials in a file of the caller's choice. Only its owner can read it (0600, in a folder that no other user can
/// write to).
///
/// A save writes a temporary file, `.NAME.….new`, and renames it over the file. Beside the file are two kinds of lock files:
/// `.lock`, held during a write, and `.renewing`, held during a renewal or a login. If a lock file is removed while it is
/// held, two processes can renew at the same time. A file that is damaged counts as empty, with a warning; the next save
/// moves it to `.damaged`. A file of a newer version is an error.
#[derive(Clone)]
pub struct FileStore {
    path: PathBuf,
    warn: Warn,
    /// The locks that are held here.
    held: Arc<Mutex<Held>>,
    pub(super) reserved: Reservations,
}

impl FileStore {
    /// In that file. It and its folder are made when something is saved.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), warn: Arc::new(|_| ()), held: Arc::default(), reserved: Reservations::default() }
    }

    /// Tells of what is odd and no error: a file that cannot be read. Nobody is told unless this is said.
    #[must_use]
    pub fn on_warning(mut self, warn: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.warn = Arc::new(warn);
        self
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(suffix);
        self.path.with_file_name(name)
    }

    /// Where a key's renewal is locked: keys do not wait for each other.
    fn renewing(&self, key: &Key) -> PathBuf {
        // FNV-1a: two keys that share a file wait for each other, and no more.
        let hash = key
            .as_str()
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, octet| (hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3));
        self.beside(&format!(".{hash:016x}.renewing"))
    }

    /// The lock of that key, if it is held here: whoever writes holds it to the end, also where nobody waits for that any more, as when a
    /// runtime ends. Else another process would renew by what is being replaced.
    fn held(&self, key: &Key) -> Option<Arc<File>> {
        let path = self.renewing(key);
        let held = lock(&self.held);
        held.iter().find(|(other, _)| *other == path).and_then(|(_, lock)| lock.upgrade())
    }

    fn holds(&self, path: PathBuf, file: File) -> Lock {
        let file = Arc::new(file);
        let mut held = lock(&self.held);
        held.retain(|(_, lock)| lock.strong_count() > 0);
        held.push((path, Arc::downgrade(&file)));
        Box::new(file)
    }

    pub(super) fn warn(&self, warning: &str) {
        (self.warn)(warning);
    }

    pub(super) fn entries(&self) -> Result<Option<Entries>, StoreError> {
        private_file::read(&self.path, LIMIT)?
            .map_or_else(|| Ok(Some(Entries::default())), |text| self.entries_of(&text))
    }

    /// The credentials in a file with that text. `None` if it is damaged.
    pub(super) fn entries_of(&self, text: &[u8]) -> Result<Option<Entries>, StoreError> {
        match Content::read(text) {
            Content::Entries(entries) => Ok(Some(entries)),
            Content::Version(found) => Err(StoreError::Version { place: self.name(), found }),
            Content::Damaged => {
                self.warn(&format!("{} cannot be read as credentials and is ignored", shown(&self.path)));
                Ok(None)
            }
        }
    }

    fn change(&self, key: &Key, old: Option<&Saved>, new: &Saved) -> Result<bool, StoreError> {
        private_file::prepare(&self.path)?;
        let lock = lock::wait_here(&self.beside(".lock"))?;
        self.recover_under(lock.as_ref());
        let mut seen = Seen::at(&self.path);
        let found = self.entries()?;
        let is_damaged = found.is_none();
        let mut entries = found.unwrap_or_default();
        if entries.get(key).as_ref() != old {
            return Ok(false);
        }
        if old == Some(new) {
            return Ok(true);
        }
        entries.put(key, Some(new));
        let text = entries.write();
        let octets = text.expose().as_bytes();
        self.fits(octets.len())?;
        if is_damaged {
            if Seen::at(&self.path) != seen {
                return Ok(false);
            }
            let aside = self.beside(".damaged");
            fs::rename(&self.path, &aside).map_err(|error| StoreError::io("put aside", &self.path, error))?;
            seen = Seen::at(&self.path);
        }
        private_file::sweep(&self.path);
        private_file::write(&self.path, octets, self.reserved.take(key), seen)
    }

    pub(super) fn fits(&self, size: usize) -> Result<(), StoreError> {
        if size <= LIMIT {
            Ok(())
        } else {
            Err(StoreError::FileTooLarge { path: self.path.clone(), size, limit: LIMIT })
        }
    }

    /// On a thread that may wait for a disk.
    async fn off<T: Send + 'static>(
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
        self.off(move |store| Ok(store.entries()?.and_then(|entries| entries.get(&key)))).await
    }

    async fn replace(&self, key: &Key, old: Option<&Saved>, new: &Saved) -> Result<bool, StoreError> {
        let (key, old, new, held) = (key.clone(), old.cloned(), new.clone(), self.held(key));
        let change = move |store: &Self| {
            let changed = store.change(&key, old.as_ref(), &new);
            drop(held);
            changed
        };
        self.off(change).await
    }

    async fn clear(&self, key: &Key, old: &Saved) -> Result<bool, StoreError> {
        let (key, old) = (key.clone(), old.clone());
        self.off(move |store| store.erase(&key, &old)).await
    }

    async fn lock(&self, key: &Key, deadline: Duration) -> Result<Lock, StoreError> {
        let path = self.renewing(key);
        self.off(|store| private_file::prepare(&store.path)).await?;
        let began = tokio::time::Instant::now();
        loop {
            let tried = path.clone();
            if let Some(file) = self.off(move |_| lock::tried(&tried)).await? {
                let held = self.holds(path, file);
                let recover = |store: &Self| {
                    store.recover();
                    Ok(())
                };
                self.off(recover).await?;
                return Ok(held);
            }
            if began.elapsed() >= deadline {
                return Err(StoreError::Locked { waited: deadline });
            }
            tokio::time::sleep(lock::AGAIN.min(deadline)).await;
        }
    }

    async fn prepare(&self, key: &Key, size: usize) -> Result<Prepared, StoreError> {
        let key = key.clone();
        self.off(move |store| store.reserve(&key, size)).await
    }

    async fn sweep(&self, key: &Key) -> Result<Vec<Saved>, StoreError> {
        let key = key.clone();
        self.off(move |store| store.sweep_up(&key)).await
    }
}
