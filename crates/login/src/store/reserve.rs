//! Checks that a file can be saved before a server is asked for the credential to be saved.

use crate::util::lock;
use std::fs::{self, File};
use std::path::Path;
use std::sync::{Arc, Mutex, Weak};

use super::error::StoreError;
use super::file::FileStore;
use super::file::LIMIT;
use super::format::Content;
use super::key::Key;
use super::private_file::Seen;
use super::temporary::{Temporary, left_beside};
use super::{Prepared, Saved};
use crate::store::{lock, private_file};

/// Reserved disk space, until a save takes it.
type Room = Mutex<Option<Temporary>>;

/// The reserved space for each key.
type Rooms = Vec<(Key, Weak<Room>)>;

/// The space that this process has reserved. The caller of `prepare` owns it.
#[derive(Clone, Default)]
pub(super) struct Reservations(Arc<Mutex<Rooms>>);

impl Reservations {
    fn put(&self, key: &Key, temporary: Temporary) -> Prepared {
        let room = Arc::new(Mutex::new(Some(temporary)));
        let mut all = lock(&self.0);
        all.retain(|(_, room)| room.strong_count() > 0);
        all.push((key.clone(), Arc::downgrade(&room)));
        Box::new(room)
    }

    /// Takes the space that was reserved for that key.
    pub(super) fn take(&self, key: &Key) -> Option<Temporary> {
        let all = lock(&self.0);
        let rooms = all.iter().filter(|(other, _)| other == key).filter_map(|(_, room)| room.upgrade());
        rooms.filter_map(|room| lock(&room).take()).next()
    }
}

impl FileStore {
    /// Does everything that a save does, with the stored content, and keeps the space that the new credential needs. A
    /// save into it needs nothing more from the file system.
    pub(super) fn reserve(&self, key: &Key, size: usize) -> Result<Prepared, StoreError> {
        let reserved = self.reserved_for(key, size).map_err(|error| match error {
            StoreError::Io { source, .. } => StoreError::Io {
                what: format!(
                    "cannot prepare to save a new credential in {}, so none is requested",
                    self.path().display()
                ),
                source,
            },
            other => other,
        })?;
        Ok(self.reserved.put(key, reserved))
    }

    fn reserved_for(&self, key: &Key, size: usize) -> Result<Temporary, StoreError> {
        private_file::prepare(self.path())?;
        let lock = lock::wait_here(&self.beside(".lock"))?;
        self.recover_under(lock.as_ref());
        let seen = Seen::at(self.path());
        let text = private_file::read(self.path(), LIMIT)?;
        let found = text.as_ref().map(|text| self.entries_of(text)).transpose()?.flatten();
        private_file::sweep(self.path());
        match &text {
            // Writes the same text again, so that readers see no difference.
            Some(text) if found.is_some() => drop(private_file::write(self.path(), text, None, seen)?),
            _ => Temporary::beside(self.path())?.rename_once(self.path())?,
        }
        let mut entries = found.unwrap_or_default();
        entries.put(key, Some(&Saved::new("x".repeat(size))));
        let size = entries.write().expose().len().min(LIMIT);
        let mut reserved = Temporary::beside(self.path())?;
        reserved.reserve(size)?;
        Ok(reserved)
    }

    /// Completes the save of a process that was killed before its rename, because the server may have used up the token
    /// that the file replaces. Every save removes such files first, so a file that is there is newer than what is
    /// stored.
    pub(super) fn recover(&self) {
        if left_beside(self.path()).is_empty() {
            return;
        }
        let lock = lock::wait_here(&self.beside(".lock")).ok().flatten();
        self.recover_under(lock.as_ref());
    }

    /// The same for a writer, which holds the lock and removes such files. Such a file contains the credentials of other keys
    /// too. Without the lock, another process may be completing its save.
    pub(super) fn recover_under(&self, lock: Option<&File>) {
        if lock.is_none() {
            return;
        }
        let written = |path: &Path| fs::symlink_metadata(path).and_then(|metadata| metadata.modified()).ok();
        let stored = written(self.path());
        let left = left_beside(self.path()).into_iter().filter(|left| written(left) >= stored);
        let newest = left.filter(|left| is_whole(left)).max_by_key(|left| written(left));
        // If this fails, the stored content stays as it is.
        if newest.is_some_and(|newest| fs::rename(newest, self.path()).is_ok()) {
            let _ = private_file::sync_folder(self.path());
        }
    }
}

fn is_whole(path: &Path) -> bool {
    let text = private_file::read(path, LIMIT).ok().flatten();
    text.is_some_and(|text| matches!(Content::read(&text), Content::Entries(_)))
}
