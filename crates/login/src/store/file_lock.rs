//! Locks that all processes share. Each is a lock on a separate file, because a rename over the locked file would leave the
//! lock on the old file. The operating system releases the lock of a killed process.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::{Duration, Instant};

use super::error::StoreError;
use super::permissions;

/// The interval between two attempts. The operating system has no wait with a deadline for such a lock.
pub(super) const RETRY_INTERVAL: Duration = Duration::from_millis(15);

/// How long a write waits for the writes of other processes. A write takes milliseconds.
const MAX_WRITE_WAIT: Duration = Duration::from_secs(4);

/// Tries once to lock the file. Returns `None` if another process or task holds the lock.
pub(super) fn try_lock(path: &Path) -> Result<Option<File>, StoreError> {
    let file = open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(StoreError::io("lock", path, error)),
    }
}

/// Blocks the thread until the lock of a write is free. Returns `None` if a process has held it for longer than a write takes
/// and was probably stopped. The caller then continues: each write checks before its rename whether another process has
/// written.
pub(super) fn wait_to_write(path: &Path) -> Result<Option<File>, StoreError> {
    let began = Instant::now();
    loop {
        if let Some(file) = try_lock(path)? {
            return Ok(Some(file));
        }
        if began.elapsed() >= MAX_WRITE_WAIT {
            return Ok(None);
        }
        std::thread::sleep(RETRY_INTERVAL);
    }
}

fn open(path: &Path) -> Result<File, StoreError> {
    let mut options = permissions::options();
    options.read(true).write(true).create(true).truncate(false);
    let file = options.open(path).map_err(|error| StoreError::io("open the lock", path, error))?;
    // A lock file contains no secret, so it may have any mode.
    let _ = permissions::set_owner_only(&file, path);
    Ok(file)
}
