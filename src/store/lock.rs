//! A lock that all processes share: on a file of its own, because a file that is renamed over takes its lock along. Whoever is
//! killed gives it back, for the system holds it.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::{Duration, Instant};

use super::StoreError;

/// How long one waits before the next try: the system wakes nobody who has a deadline.
const AGAIN: Duration = Duration::from_millis(15);

pub(super) fn open(path: &Path) -> Result<File, StoreError> {
    let mut options = super::place::options();
    options.read(true).write(true).create(true).truncate(false);
    options.open(path).map_err(|error| StoreError::io("open the lock", path, error))
}

/// One try; `None` where somebody else has it.
fn tried(file: &File, path: &Path) -> Result<bool, StoreError> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(StoreError::io("lock", path, error)),
    }
}

/// Waits for it, off the runtime's threads between the tries.
pub(super) async fn wait(path: &Path, deadline: Duration) -> Result<File, StoreError> {
    let (file, began) = (open(path)?, tokio::time::Instant::now());
    loop {
        if tried(&file, path)? {
            return Ok(file);
        }
        if began.elapsed() >= deadline {
            return Err(StoreError::Locked { waited: deadline });
        }
        tokio::time::sleep(AGAIN.min(deadline)).await;
    }
}

/// Waits for it on a thread that may wait, for what takes no longer than a write.
pub(super) fn wait_here(path: &Path) -> Result<File, StoreError> {
    const LONGEST: Duration = Duration::from_secs(10);
    let (file, began) = (open(path)?, Instant::now());
    loop {
        if tried(&file, path)? {
            return Ok(file);
        }
        if began.elapsed() >= LONGEST {
            return Err(StoreError::Locked { waited: LONGEST });
        }
        std::thread::sleep(AGAIN);
    }
}
