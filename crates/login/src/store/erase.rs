//! Removes a credential from a file, also if the file cannot be replaced, and removes what killed processes left beside
//! it.

use std::fs;
use std::path::PathBuf;

use super::Saved;
use super::error::StoreError;
use super::file::FileStore;
use super::file::LIMIT;
use super::format::{Content, is_start_of_ours};
use super::key::Key;
use super::private_file::Seen;
use super::temporary::left_beside;
use crate::store::{lock, private_file};

impl FileStore {
    pub(super) fn erase(&self, key: &Key, old: &Saved) -> Result<bool, StoreError> {
        // Goes on without a lock too: if the folder or the disk allows none, no other process can write either.
        let lock = lock::wait_here(&self.beside(".lock")).ok().flatten();
        self.recover_under(lock.as_ref());
        let seen = Seen::at(self.path());
        let mut entries = self.entries()?.unwrap_or_default();
        if entries.get(key).as_ref() != Some(old) {
            return Ok(false);
        }
        entries.put(key, None);
        let is_last = entries.is_empty();
        let text = entries.write();
        let octets = text.expose().as_bytes();
        private_file::sweep(self.path());
        let error = match private_file::write(self.path(), octets, None, seen) {
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

    /// Removes the files that killed processes left, and a damaged file that begins like one of this crate's: it may
    /// contain secrets that no other logout sees. Returns the credentials under that key in the files of killed
    /// processes.
    pub(super) fn sweep_up(&self, key: &Key) -> Result<Vec<Saved>, StoreError> {
        let damaged = [self.path().to_owned(), self.beside(".damaged")];
        let is_there = |path: &PathBuf| fs::symlink_metadata(path).is_ok();
        if !damaged.iter().any(is_there) && left_beside(self.path()).is_empty() {
            return Ok(Vec::new());
        }
        let lock = lock::wait_here(&self.beside(".lock")).ok().flatten();
        // The completed save may belong to another key, which is not logged out.
        self.recover_under(lock.as_ref());
        let (mut found, mut outcome) = (Vec::new(), Ok(()));
        for left in left_beside(self.path()) {
            if let Ok(Some(text)) = private_file::read(&left, LIMIT)
                && let Content::Entries(entries) = Content::read(&text)
            {
                found.extend(entries.get(key));
            }
            outcome = outcome.and(private_file::remove(&left));
        }
        for path in damaged {
            let Ok(Some(text)) = private_file::read(&path, LIMIT) else { continue };
            if text.is_empty() || !matches!(Content::read(&text), Content::Damaged) {
                continue;
            }
            if is_start_of_ours(&text) {
                outcome = outcome.and(private_file::remove(&path));
            } else {
                self.warn(&format!("{} cannot be read and is left as it is: it may hold credentials", path.display()));
            }
        }
        outcome.map(|()| found)
    }
}
