//! A lock that all processes share: on a file of its own, because a file that is renamed over takes its lock along. Whoever is
//! killed gives it back, for the system holds it.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::{Duration, Instant};

use super::error::StoreError;

/// How long one waits before the next try: the system wakes nobody who has a deadline.
pub(super) const AGAIN: Duration = Duration::from_millis(15);

fn open(path: &Path) -> Result<File, StoreError> {
    let mut options = super::private_file::options();
    options.read(true).write(true).create(true).truncate(false);
    let file = options.open(path).map_err(|error| StoreError::io("open the lock", path, error))?;
    // Whatever the mode of a lock file is, it works if it can be opened.
    let _ = super::private_file::owner_only(&file, path);
    Ok(file)
}

/// One try; `None` where somebody else has it.
pub(super) fn tried(path: &Path) -> Result<Option<File>, StoreError> {
    let file = open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(StoreError::io("lock", path, error)),
    }
}

/// Waits for a lock that is never held for longer than a write, on a thread that may block. `None` means that a process
/// has held it for longer and was probably stopped. The caller goes on, because each writer checks before its rename
/// whether another process has written.
pub(super) fn wait_here(path: &Path) -> Result<Option<File>, StoreError> {
    const LONGEST: Duration = Duration::from_secs(4);
    let began = Instant::now();
    loop {
        if let Some(file) = tried(path)? {
            return Ok(Some(file));
        }
        if began.elapsed() >= LONGEST {
            return Ok(None);
        }
        std::thread::sleep(AGAIN);
    }
}
