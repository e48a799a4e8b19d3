//! A file that only its owner can read and change.

use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use zeroize::Zeroizing;

use super::error::StoreError;
use super::permissions;

/// Reads the file. Returns `None` if there is none. Takes away the permissions of other users.
pub(super) fn read(path: &Path, limit: usize) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
    let failed = |what: &'static str| move |error| StoreError::io(what, path, error);
    let metadata = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        other => other.map_err(failed("look at"))?,
    };
    if !metadata.is_file() {
        return Err(StoreError::NotPrivate { path: path.to_owned(), why: "it is not a regular file" });
    }
    permissions::check_folder(&folder(path))?;
    let file = match permissions::options().read(true).open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        other => other.map_err(failed("open"))?,
    };
    permissions::make_private(&file, path)?;
    let size = file.metadata().map_err(failed("look at"))?.len();
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    if size > limit {
        return Err(StoreError::FileTooLarge { path: path.to_owned(), size, limit });
    }
    let mut octets = Zeroizing::new(Vec::with_capacity(limit.min(size + 1)));
    file.take(limit as u64).read_to_end(&mut octets).map_err(failed("read"))?;
    Ok(Some(octets))
}

/// The folder of the file.
pub(super) fn folder(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Creates the folder of the file with permissions for the owner only. Checks that no other user can put a file into it.
pub(super) fn prepare_folder(path: &Path) -> Result<(), StoreError> {
    let folder = folder(path);
    create_folders(&folder).map_err(|error| StoreError::io("make", &folder, error))?;
    permissions::check_folder(&folder)
}

/// Creates the folder and its parents, if they do not exist.
fn create_folders(folder: &Path) -> io::Result<()> {
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty() && !parent.is_dir());
    if let Some(parent) = parent {
        create_folders(parent)?;
    }
    match permissions::create_folder(folder) {
        // Another process may have created it meanwhile.
        Err(_) if folder.is_dir() => Ok(()),
        created => created,
    }
}

/// Distinguishes one state of a file from another, to detect a change by another process.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct FileState(Option<Facts>);

#[derive(Clone, Copy, PartialEq, Eq)]
struct Facts {
    number: u64,
    size: u64,
    modified: Option<SystemTime>,
}

impl FileState {
    /// The state of the file now. A missing file has a state too.
    pub(super) fn of(path: &Path) -> Self {
        let metadata = fs::symlink_metadata(path).ok();
        Self(metadata.map(|metadata| Facts {
            number: permissions::file_number(&metadata),
            size: metadata.len(),
            modified: metadata.modified().ok(),
        }))
    }
}

/// Syncs the folder of the file, so that a rename in it survives a crash.
pub(super) fn sync_folder(path: &Path) -> Result<(), StoreError> {
    #[cfg(unix)]
    {
        let folder = folder(path);
        let synced = fs::File::open(&folder).and_then(|folder| folder.sync_all());
        synced.map_err(|error| StoreError::io("sync the folder", &folder, error))?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// Overwrites the file in place, if nothing else is possible: a crash during the write damages the file. The rest of the old
/// text becomes spaces, so that no part of it stays and the file needs no more space.
pub(super) fn overwrite(path: &Path, octets: &[u8]) -> Result<(), StoreError> {
    let failed = |error| StoreError::io("overwrite", path, error);
    let mut file = permissions::options().write(true).open(path).map_err(failed)?;
    let size = usize::try_from(file.metadata().map_err(failed)?.len()).unwrap_or(usize::MAX);
    if octets.len() > size {
        return Err(failed(io::Error::from(ErrorKind::StorageFull)));
    }
    let mut padded = Zeroizing::new(octets.to_vec());
    padded.reserve_exact(size - octets.len());
    padded.resize(size, b' ');
    file.write_all(&padded).and_then(|()| file.sync_all()).map_err(failed)
}

/// Removes the file. If that fails, removes its content.
pub(super) fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            let file = permissions::options().write(true).open(path);
            let emptied = file.and_then(|file| file.set_len(0).and_then(|()| file.sync_all()));
            emptied.map_err(|_| StoreError::io("remove", path, error))
        }
        // The file is removed. Only a crash could bring it back.
        _ => {
            let _ = sync_folder(path);
            Ok(())
        }
    }
}
