//! What went wrong with a store.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use reqwest_challenge::RefreshError;
use reqwest_challenge::support::OneLine;

/// What went wrong with a store. It names the place, and shows nothing of what is stored.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// The system's own word.
    Io {
        /// What was done with which file.
        what: String,
        /// What the system said.
        source: Arc<io::Error>,
    },
    /// A newer version of the crate wrote it.
    Version {
        /// Where it is.
        place: String,
        /// The version that is there.
        found: u64,
    },
    /// Others can write there, or it belongs to another user.
    NotOurs {
        /// What was looked at.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// It does not fit.
    TooLarge {
        /// How many octets it has.
        size: usize,
        /// How many may be stored.
        limit: usize,
    },
    /// A file is larger than a store reads, or would become larger than it writes. The file is not changed.
    FileTooLarge {
        /// The file.
        path: PathBuf,
        /// Its size in octets, or the size that it would have.
        size: usize,
        /// The largest size that is allowed.
        limit: usize,
    },
    /// The lock was held by somebody else for all the time.
    Locked {
        /// How long was waited.
        waited: Duration,
    },
    /// A credential of a scheme that cannot be written down.
    NotStorable {
        /// The scheme.
        scheme: String,
    },
}

/// Prints a path. A file name may contain any character.
pub(super) fn shown(path: &Path) -> String {
    OneLine::new(&path.to_string_lossy()).to_string()
}

impl StoreError {
    /// Of something that was done with a file.
    pub(super) fn io(what: &str, path: &Path, error: io::Error) -> Self {
        Self::Io { what: format!("cannot {what} {}", shown(path)), source: Arc::new(error) }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { what, .. } => f.write_str(what),
            Self::Version { place, found } => {
                let place = OneLine::new(place);
                write!(f, "{place} was written by a newer version (its format is {found}): it is left as it is")
            }
            Self::NotOurs { path, why } => write!(f, "no credential is kept in {}: {why}", shown(path)),
            Self::TooLarge { size, limit } => {
                write!(f, "the credentials have {size} octets, and {limit} can be stored: nothing was changed")
            }
            Self::FileTooLarge { path, size, limit } => write!(
                f,
                "{} has, or would have, {size} octets, but the limit is {limit}: nothing was changed",
                path.display()
            ),
            Self::Locked { waited } => {
                write!(f, "another process has been renewing the credential for {} s", waited.as_secs())
            }
            Self::NotStorable { scheme } => write!(
                f,
                "a credential of the scheme `{}` cannot be stored, and made again without `restored_by`",
                OneLine::new(scheme)
            ),
        }
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

impl From<StoreError> for RefreshError {
    fn from(error: StoreError) -> Self {
        match &error {
            // Whoever holds it will be done.
            StoreError::Locked { .. } => Self::transient(None).caused_by(error),
            _ => Self::other(error),
        }
    }
}
