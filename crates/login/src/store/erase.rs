//! Removes a credential from a file, also if the file cannot be replaced, and removes the files that killed processes left
//! beside it.

use std::fs;
use std::path::PathBuf;

use super::error::{StoreError, shown};
use super::file::{FileStore, MAX_FILE_SIZE};
use super::file_format::{Content, has_start_of_store_file};
use super::file_lock;
use super::key::Key;
use super::private_file::{self, FileState};
use super::saved::Saved;
use super::temporary::{leftovers, remove_leftovers, replace_content};

impl FileStore {
    pub(super) fn erase(&self, key: &Key, old: &Saved) -> Result<bool, StoreError> {
        // Continues without the lock: if the folder or the disk allows no lock, no other process can write either.
        let lock = file_lock::wait_to_write(&self.beside(".lock")).ok().flatten();
        self.recover_under(lock.as_ref());
        let seen = FileState::of(self.path());
        let mut entries = self.entries()?.unwrap_or_default();
        if entries.get(key).as_ref() != Some(old) {
            return Ok(false);
        }
        entries.remove(key);
        let is_last = entries.is_empty();
        let text = entries.write();
        let octets = text.expose().as_bytes();
        remove_leftovers(self.path());
        let error = match replace_content(self.path(), octets, None, seen) {
            Err(error) => error,
            done => return done,
        };
        // The folder or the disk accepts no new file. The existing file can still be made shorter.
        let removed = match private_file::overwrite(self.path(), octets) {
            Err(_) if is_last => private_file::remove(self.path()),
            done => done,
        };
        removed.map(|()| true).map_err(|_| error)
    }

    /// Removes the files that killed processes left, and a damaged file that begins like a file of this store: it may contain
    /// secrets that no other logout sees. Returns the texts under this key in the files of killed processes.
    pub(super) fn remove_traces(&self, key: &Key) -> Result<Vec<Saved>, StoreError> {
        let damaged = [self.path().to_owned(), self.beside(".damaged")];
        let exists = |path: &PathBuf| fs::symlink_metadata(path).is_ok();
        if !damaged.iter().any(exists) && leftovers(self.path()).is_empty() {
            return Ok(Vec::new());
        }
        let lock = file_lock::wait_to_write(&self.beside(".lock")).ok().flatten();
        // The completed save may belong to another key, which is not logged out.
        self.recover_under(lock.as_ref());
        let (mut found, mut outcome) = (Vec::new(), Ok(()));
        for leftover in leftovers(self.path()) {
            if let Ok(Some(text)) = private_file::read(&leftover, MAX_FILE_SIZE)
                && let Content::Entries(entries) = Content::read(&text)
            {
                found.extend(entries.get(key));
            }
            outcome = outcome.and(private_file::remove(&leftover));
        }
        for path in damaged {
            let Ok(Some(text)) = private_file::read(&path, MAX_FILE_SIZE) else { continue };
            if text.is_empty() || !matches!(Content::read(&text), Content::Damaged) {
                continue;
            }
            if has_start_of_store_file(&text) {
                outcome = outcome.and(private_file::remove(&path));
            } else {
                self.warn(&format!("{} cannot be read and is not removed: it may contain credentials", shown(&path)));
            }
        }
        outcome.map(|()| found)
    }
}
