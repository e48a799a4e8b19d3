//! Replaces the content of a file atomically: a temporary file beside it is written completely, and then renamed over it.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::error::StoreError;
use super::permissions;
use super::private_file::{self, FileState};

/// How many random names are tried for a temporary file.
const MAX_NAMES: usize = 16;

/// A temporary file beside the target. Dropping it before the rename removes it.
///
/// It is locked while its process uses it, so that other processes can tell it from a file that a killed process left.
pub(super) struct Temporary {
    path: PathBuf,
    file: File,
}

impl Temporary {
    /// Creates a file under an unused name.
    pub(super) fn beside(path: &Path) -> Result<Self, StoreError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut last = None;
        for _ in 0..MAX_NAMES {
            let mut random = [0; 8];
            fill(&mut random).map_err(|error| StoreError::io("name a file beside", path, error))?;
            let candidate = path.with_file_name(format!(".{name}.{:016x}.new", u64::from_ne_bytes(random)));
            // An existing file or a link is not opened.
            match permissions::options().write(true).create_new(true).open(&candidate) {
                Ok(file) => return Self::of(candidate, file),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => last = Some(error),
                Err(error) => return Err(StoreError::io("make", &candidate, error)),
            }
        }
        let error = last.unwrap_or_else(|| io::Error::other("no unused name for a temporary file was found"));
        Err(StoreError::io("make a file beside", path, error))
    }

    fn of(path: PathBuf, file: File) -> Result<Self, StoreError> {
        let made = Self { path, file };
        permissions::set_owner_only(&made.file, &made.path)?;
        // If the file system has no locks, another process may remove the file. It is then created again.
        let _ = made.file.try_lock();
        Ok(made)
    }

    /// Takes as much disk space as that many octets need. The file contains no secret.
    pub(super) fn reserve(&mut self, size: usize) -> Result<(), StoreError> {
        // Random octets, because a file system that compresses would reserve too little space for others.
        let mut filler = vec![0; size];
        let done = fill(&mut filler).and_then(|()| self.put(&filler));
        done.map_err(|error| StoreError::io("reserve space in", &self.path, error))
    }

    /// Sets the content of the file, and syncs it to the disk.
    fn write(&mut self, octets: &[u8]) -> Result<(), StoreError> {
        self.put(octets).map_err(|error| StoreError::io("write", &self.path, error))
    }

    fn put(&mut self, octets: &[u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(octets)?;
        self.file.set_len(octets.len() as u64)?;
        self.file.sync_all()
    }

    /// Whether the file still exists under its name.
    fn exists(&self) -> bool {
        fs::symlink_metadata(&self.path).is_ok()
    }

    /// Renames the file over `path`, and makes the rename survive a crash.
    fn rename_to(self, path: &Path) -> Result<(), StoreError> {
        // On some systems a lock would keep readers out.
        let _ = self.file.unlock();
        fs::rename(&self.path, path).map_err(|error| StoreError::io("write", path, error))?;
        private_file::sync_folder(path)
    }

    /// Checks that a file in the folder of `path` can be renamed.
    pub(super) fn rename_once(&self, path: &Path) -> Result<(), StoreError> {
        let other = Self::beside(path)?;
        let rename =
            |from: &Path, to: &Path| fs::rename(from, to).map_err(|error| StoreError::io("rename", from, error));
        rename(&self.path, &other.path)?;
        rename(&other.path, &self.path)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // After a rename this name does not exist.
        let _ = fs::remove_file(&self.path);
    }
}

/// Replaces the content of the file atomically and durably: a reader finds the old octets or the new ones, complete, also
/// after a crash. The octets are written to the reserved file, if it still exists.
///
/// Returns `false`, and writes nothing, if the file has another state than `seen`: another process has written meanwhile.
pub(super) fn replace_content(
    path: &Path,
    octets: &[u8],
    reserved: Option<Temporary>,
    seen: FileState,
) -> Result<bool, StoreError> {
    let mut temporary = match reserved.filter(Temporary::exists) {
        Some(reserved) => reserved,
        None => Temporary::beside(path)?,
    };
    temporary.write(octets)?;
    if FileState::of(path) != seen {
        return Ok(false);
    }
    temporary.rename_to(path)?;
    Ok(true)
}

/// Removes the files that killed processes left. The caller holds the lock of writes, so no other process writes.
pub(super) fn remove_leftovers(path: &Path) {
    // The next write tries again to remove the rest.
    for leftover in leftovers(path) {
        let _ = fs::remove_file(leftover);
    }
}

/// The files beside `path` that a killed process left: temporary files that no process has locked.
pub(super) fn leftovers(path: &Path) -> Vec<PathBuf> {
    let prefix = format!(".{}.", path.file_name().unwrap_or_default().to_string_lossy());
    let is_ours = |name: &str| {
        let number = name.strip_prefix(&prefix).and_then(|rest| rest.strip_suffix(".new"));
        number.is_some_and(|number| number.len() == 16 && number.bytes().all(|octet| octet.is_ascii_hexdigit()))
    };
    let entries = fs::read_dir(private_file::folder(path)).into_iter().flatten().flatten();
    let ours = entries.filter(|entry| is_ours(&entry.file_name().to_string_lossy())).map(|entry| entry.path());
    ours.filter(|path| !is_in_use(path)).collect()
}

fn is_in_use(path: &Path) -> bool {
    let is_file = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file());
    let file = is_file.then(|| permissions::options().read(true).open(path).ok()).flatten();
    file.is_some_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
}

fn fill(octets: &mut [u8]) -> io::Result<()> {
    getrandom::fill(octets).map_err(|error| io::Error::other(error.to_string()))
}
