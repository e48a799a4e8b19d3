//! Completes the save of a process that was killed before its rename.

use std::fs::{self, File};
use std::path::Path;

use super::file::{FileStore, MAX_FILE_SIZE};
use super::file_format::Content;
use super::file_lock;
use super::private_file;
use super::temporary::leftovers;

impl FileStore {
    /// Completes the save of a process that was killed before its rename. Without it the stored refresh token may be one that
    /// the server does not accept again. Every save removes the temporary files of killed processes first, so a temporary
    /// file is newer than the stored content.
    pub(super) fn recover(&self) {
        if leftovers(self.path()).is_empty() {
            return;
        }
        let lock = file_lock::wait_to_write(&self.beside(".lock")).ok().flatten();
        self.recover_under(lock.as_ref());
    }

    /// Does what [`recover`](Self::recover) does, for a writer, which holds the lock and removes the temporary files.
    /// Such a file contains the credentials of other keys too. Does nothing without the lock, because another process
    /// may be completing its save.
    pub(super) fn recover_under(&self, lock: Option<&File>) {
        if lock.is_none() {
            return;
        }
        let modified = |path: &Path| fs::symlink_metadata(path).and_then(|metadata| metadata.modified()).ok();
        let stored = modified(self.path());
        let newer = leftovers(self.path()).into_iter().filter(|leftover| modified(leftover) >= stored);
        let newest = newer.filter(|leftover| is_complete(leftover)).max_by_key(|leftover| modified(leftover));
        // If this fails, the stored content stays as it is.
        if newest.is_some_and(|newest| fs::rename(newest, self.path()).is_ok()) {
            let _ = private_file::sync_folder(self.path());
        }
    }
}

fn is_complete(path: &Path) -> bool {
    let text = private_file::read(path, MAX_FILE_SIZE).ok().flatten();
    text.is_some_and(|text| matches!(Content::read(&text), Content::Entries(_)))
}
