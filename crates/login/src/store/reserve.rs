//! Checks that a file can be saved before a server is asked for the credential to be saved.

use super::error::{StoreError, shown};
use super::file::{FileStore, MAX_FILE_SIZE};
use super::file_lock;
use super::guards::Prepared;
use super::key::Key;
use super::private_file::{self, FileState};
use super::saved::Saved;
use super::temporary::{Temporary, remove_leftovers, replace_content};

impl FileStore {
    /// Does everything that a save does, with the stored content, and keeps the space that the new credential needs. A save
    /// into that space needs nothing more from the file system.
    pub(super) fn reserve(&self, key: &Key, size: usize) -> Result<Prepared, StoreError> {
        let reserved = self.reserved_for(key, size).map_err(|error| match error {
            StoreError::Io { source, .. } => StoreError::Io {
                what: format!(
                    "cannot prepare to save a new credential in {}, so none is requested",
                    shown(self.path())
                ),
                source,
            },
            other => other,
        })?;
        Ok(self.reservations.add(key, reserved))
    }

    fn reserved_for(&self, key: &Key, size: usize) -> Result<Temporary, StoreError> {
        private_file::prepare_folder(self.path())?;
        let lock = file_lock::wait_to_write(&self.beside(".lock"))?;
        self.recover_under(lock.as_ref());
        let seen = FileState::of(self.path());
        let text = private_file::read(self.path(), MAX_FILE_SIZE)?;
        let found = text.as_ref().map(|text| self.entries_of(text)).transpose()?.flatten();
        remove_leftovers(self.path());
        match &text {
            // Writes the same text again, so that readers see no difference.
            Some(text) if found.is_some() => drop(replace_content(self.path(), text, None, seen)?),
            _ => Temporary::beside(self.path())?.rename_once(self.path())?,
        }
        let mut entries = found.unwrap_or_default();
        entries.set(key, &Saved::new("x".repeat(size)));
        let size = entries.write().expose().len().min(MAX_FILE_SIZE);
        let mut reserved = Temporary::beside(self.path())?;
        reserved.reserve(size)?;
        Ok(reserved)
    }
}
